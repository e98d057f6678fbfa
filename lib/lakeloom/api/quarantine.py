"""What stands in quarantine: rows by table and rule, and the rows themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, dataclass
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
    id : str
        Its name for `fix`, `replay` and `drop`; the same after the table was built anew.
    state : {'open', 'fixed', 'replayed', 'dropped'}
        ``fixed`` waits for its replay.
    fix : dict or None
        Column → new value as text; of a file that could not be read the corrected one's name.
    fix_on : {'raw', 'row', 'file'} or None
        What the fix is laid over.
    why, who, changed_at, changed_run
        Of the last decision about it.
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
    id: str | None = None
    state: str = "open"
    fix: dict[str, Any] | None = None
    fix_on: str | None = None
    why: str | None = None
    who: str | None = None
    changed_at: str | None = None
    changed_run: str | None = None


_WAITING = "(state IS NULL OR state IN ('open', 'fixed'))"


def counts(ask: Ask, sides: Mapping[TableName, Collection[str]]) -> list[RuleCount]:
    """Return the rows in quarantine by table and reason, the largest of each table first; resolved ones don't count.

    Parameters
    ----------
    ask : callable
        Answers a query over the tables; see `lakeloom.api.query.query`.
    sides : mapping
        The quarantine tables, with their columns.
    """
    found = []
    for side, there in sides.items():
        tally: Counter[str] = Counter()
        text = f"SELECT reasons FROM {side}{_filter(there)}"  # noqa: S608 - plain names
        for reasons in ask(text).column("reasons").to_pylist():
            tally.update(reasons or ["unknown"])
        found += [RuleCount(original(side), rule, rows) for rule, rows in sorted(tally.items(), key=_most)]
    return found


def rows(
    ask: Ask,
    side: TableName,
    there: Collection[str],
    limit: int | None = None,
    *,
    rule: str | None = None,
    resolved: bool = False,
) -> list[Quarantined]:
    """Return the rows of a quarantine table, newest first; a column that an older table lacks (not `there`) is None.

    Parameters
    ----------
    rule : str, optional
        Only those that give this reason.
    resolved : bool
        Those that were replayed or dropped as well.
    """
    names = [name for name in Quarantined.__dataclass_fields__ if name in there]
    end = "" if limit is None else f" LIMIT {limit:d}"
    text = f"SELECT {', '.join(names)} FROM {side}{_filter(there, rule, resolved=resolved)} ORDER BY at DESC{end}"  # noqa: S608 - plain names
    return entries(ask(text), there)


def entries(data: pa.Table, there: Collection[str]) -> list[Quarantined]:
    """Return rows of a quarantine table as entries; a column that it lacks (not `there`) is None."""
    needed = [name for name, field in Quarantined.__dataclass_fields__.items() if field.default is MISSING]
    lacking: dict[str, Any] = dict.fromkeys(set(needed) - set(there))
    found = []
    for record in records(data):
        row = {name: value for name, value in record.items() if name in Quarantined.__dataclass_fields__}
        row |= {"state": row.get("state") or "open"}
        row |= {"fix": json.loads(row["fix"])} if row.get("fix") else {}
        found.append(Quarantined(**lacking, **row))
    return found


def _filter(there: Collection[str], rule: str | None = None, *, resolved: bool = False) -> str:
    held = [] if resolved or "state" not in there else [_WAITING]
    if rule is not None:
        text = rule.replace("'", "''")
        held.append(f"array_contains(reasons, '{text}')")
    return f" WHERE {' AND '.join(held)}" if held else ""


def original(side: TableName) -> str:
    """Return the table that a quarantine table belongs to."""
    return side.name.replace("__", ".", 1)


def _most(entry: tuple[str, Any]) -> tuple[int, str]:
    return -entry[1], entry[0]
