"""What stands in quarantine: rows by table and rule, and the rows themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakeloom.api.values import plain
from lakeloom.core.names import TableName
from lakeloom.store.lake import Lake


@dataclass(frozen=True)
class RuleCount:
    """How many quarantined rows of a table give a reason; a row that breaks two rules counts for both."""

    table: str
    rule: str
    rows: int


@dataclass(frozen=True)
class Quarantined:
    """One quarantined row.

    Attributes
    ----------
    raw : str or None
        The row as JSON or the raw line.
    bytes : str or None
        A whole unreadable file, as base64.
    reasons : list of str
        The rules that it broke.
    position : dict or None
        epoch, file and record.
    at : str
        ISO time in UTC.
    """

    raw: str | None
    bytes: str | None
    reasons: list[str]
    file: str | None
    position: dict[str, int] | None
    step: str
    run: str
    at: str


def counts(lake: Lake, good: Mapping[str, int]) -> list[RuleCount]:
    """Return the rows in quarantine by table and reason, the largest of each table first."""
    found = []
    for name in lake.tables():
        if name.layer != "quarantine":
            continue
        reasons = lake.arrow(name, good.get(str(name)), ["reasons"]).column("reasons").to_pylist()
        tally = Counter(reason for row in reasons for reason in row or ["unknown"])
        found += [RuleCount(original(name), rule, rows) for rule, rows in sorted(tally.items(), key=_most)]
    return found


def rows(lake: Lake, good: Mapping[str, int], table: TableName, limit: int | None = None) -> list[Quarantined]:
    """Return a table's quarantined rows, newest first; none where it never had any."""
    side = table if table.layer == "quarantine" else table.quarantine
    if not lake.exists(side):
        return []
    data = lake.arrow(side, good.get(str(side)))
    data = data.sort_by([("at", "descending")])
    kept = data.slice(0, limit) if limit is not None else data
    names = Quarantined.__dataclass_fields__
    return [Quarantined(**{name: plain(row.get(name)) for name in names}) for row in kept.to_pylist()]


def original(side: TableName) -> str:
    """Return the table that a quarantine table belongs to."""
    return side.name.replace("__", ".", 1)


def _most(entry: tuple[str, Any]) -> tuple[int, str]:
    return -entry[1], entry[0]
