"""What stands in quarantine: rows by table and rule, and the rows themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakeloom.api.values import records
from lakeloom.core.names import TableName

if TYPE_CHECKING:
    import pyarrow as pa

    Ask = Callable[[str], pa.Table]


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
        As it came: the raw line, or the bronze row as JSON; the judged row where its origin is unknown.
    row : str or None
        The row as the rules saw it, as JSON; None for what could not be read.
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
    row: str | None
    bytes: str | None
    reasons: list[str]
    file: str | None
    position: dict[str, int] | None
    step: str
    run: str
    at: str


def counts(ask: Ask, sides: Sequence[TableName]) -> list[RuleCount]:
    """Return the rows in quarantine by table and reason, the largest of each table first.

    Parameters
    ----------
    ask : callable
        Answers a query over the tables; see `lakeloom.api.query.query`.
    sides : sequence of TableName
        The quarantine tables.
    """
    found = []
    for side in sides:
        tally: Counter[str] = Counter()
        for reasons in ask(f"SELECT reasons FROM {side}").column("reasons").to_pylist():  # noqa: S608 - a plain name
            tally.update(reasons or ["unknown"])
        found += [RuleCount(original(side), rule, rows) for rule, rows in sorted(tally.items(), key=_most)]
    return found


def rows(ask: Ask, side: TableName, there: Collection[str], limit: int | None = None) -> list[Quarantined]:
    """Return the rows of a quarantine table, newest first; a column that an older table lacks (not `there`) is None."""
    names = [name for name in Quarantined.__dataclass_fields__ if name in there]
    end = "" if limit is None else f" LIMIT {limit:d}"
    text = f"SELECT {', '.join(names)} FROM {side} ORDER BY at DESC{end}"  # noqa: S608 - plain names
    lacking: dict[str, Any] = dict.fromkeys(set(Quarantined.__dataclass_fields__) - set(there))
    return [Quarantined(**lacking, **row) for row in records(ask(text))]


def original(side: TableName) -> str:
    """Return the table that a quarantine table belongs to."""
    return side.name.replace("__", ".", 1)


def _most(entry: tuple[str, Any]) -> tuple[int, str]:
    return -entry[1], entry[0]
