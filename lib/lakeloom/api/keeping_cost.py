"""What the history of tables costs: bytes that only older versions need, who needs them, what could go; no JVM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lakeloom.core.errors import TableError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import TableName
from lakeloom.core.steps import Step
from lakeloom.store.intents import Intents
from lakeloom.store.lake import Lake
from lakeloom.store.log import END, past
from lakeloom.store.pins import Pin, pins
from lakeloom.store.vacuum import Kept, inventory, merged, sweep
from lakeloom.store.vacuumed import lost, spoken


@dataclass(frozen=True)
class HistoryCost:
    """What one table's history costs.

    Attributes
    ----------
    version, bytes : int
        The newest version, and the bytes that it needs.
    versions : int
        How many of its versions can be read.
    oldest : int
        The oldest of them.
    history_bytes, history_files : int
        What only older versions need.
    free_bytes : int
        What of it no name, step, model or branch needs: a vacuum with a short ``keep`` could take it.
    pinned : tuple of (str, str)
        Versions, and who needs them.
    """

    table: str
    version: int
    bytes: int
    versions: int
    oldest: int
    history_bytes: int
    history_files: int
    free_bytes: int
    pinned: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``history --cost --json``."""
        kept = [{"versions": versions, "by": by} for versions, by in self.pinned]
        return asdict(self) | {"pinned": kept}


def costs(lake: Lake, steps: Iterable[Step], now: datetime, tables: Sequence[str] = ()) -> list[HistoryCost]:
    """Return what history costs, the dearest table first.

    Parameters
    ----------
    tables : sequence of str
        Only these; all without any.

    Raises
    ------
    TableError
        LL-STORE-001 for a table that does not exist.
    """
    there = {str(name): name for name in lake.tables()}
    for name in tables:
        if name not in there:
            near = nearest(name, list(there))
            raise TableError(
                "LL-STORE-001", f"{name} does not exist", where=name,
                fix=f"use '{near}'" if near else "see 'lakeloom tables'",
            )  # fmt: skip
    needed: dict[str, list[Pin]] = {}
    for pin in pins(lake, Intents(lake.root), {step.name: step for step in steps}):
        needed.setdefault(pin.table, []).append(pin)
    chosen = [there[name] for name in tables or there]
    found = [_of(lake, name, needed.get(str(name), []), now) for name in chosen]
    return sorted(found, key=lambda each: (-each.history_bytes, each.table))


def _of(lake: Lake, table: TableName, needed: Sequence[Pin], now: datetime) -> HistoryCost:
    at, present = past(lake, table), inventory(lake, table)
    live = {path for path, lives in at.spans.items() if any(until == END for _, until in lives)}
    older = {path: found for path, found in present.items() if path not in live}
    gone = lake.vacuumed(table)
    readable = [version for version in range(at.begin, at.head + 1) if lost(gone, version) is None]
    mine = [pin for pin in needed if at.begin <= pin.first <= at.head]
    kept = [Kept(at.head, at.head, "newest"), *(Kept(pin.first, pin.last, pin.by) for pin in mine)]
    free = sweep(at, kept, present, int(now.timestamp() * 1000))
    return HistoryCost(
        str(table),
        at.head,
        sum(found.size for path, found in present.items() if path in live),
        len(readable),
        min(readable, default=at.head),
        sum(found.size for found in older.values()),
        len(older),
        free.bytes,
        tuple((spoken(merged(spans)), by) for by, spans in _by(mine).items()),
    )


def _by(needed: Sequence[Pin]) -> Mapping[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for pin in needed:
        found.setdefault(pin.by, []).append((pin.first, pin.last))
    return found
