"""Vacuum of one table: what it keeps for whom, what it takes, and the notes that come before the first file goes.

The audit is told first, then the versions are noted as gone, then files go: killed in between, the audit may tell it
twice, and never leaves it out. Done again under the same clock, it tells all that this execution has taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.durations import Duration
from lakeloom.core.names import TableName
from lakeloom.core.users import who
from lakeloom.flow.context import Engine
from lakeloom.session.spark import step_session
from lakeloom.store import audit
from lakeloom.store.lake import Lake
from lakeloom.store.log import past
from lakeloom.store.pins import Pin
from lakeloom.store.vacuum import Kept, delete, inventory, merged, sweep, window
from lakeloom.store.vacuumed import Vacuum, note, spoken, unnoted


@dataclass(frozen=True)
class Swept:
    """What a vacuum took, or would take.

    Attributes
    ----------
    left : int or None
        Files that stay although the newest version does not need them; None where nobody looked.
    gone : tuple of (int, int)
        Versions that can't be read any more, as (first, last).
    kept : tuple of (str, str)
        Versions that stay readable, and why.
    """

    files: int = 0
    bytes: int = 0
    left: int | None = None
    gone: tuple[tuple[int, int], ...] = ()
    kept: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what stands in the entry of ``upkeep --json``."""
        return {
            "files_deleted": self.files,
            "bytes_freed": self.bytes,
            "left": self.left,
            "gone": spoken(self.gone) if self.gone else "",
            "kept": [{"versions": versions, "by": by} for versions, by in self.kept],
        }


def vacuum(
    lake: Lake,
    table: TableName,
    keep: Duration,
    pinned: Sequence[Pin],
    now: datetime,
    engine: Engine | None,
    good: int | None,
    by: Mapping[str, str] | None,
) -> Swept:
    """Delete the files that no version needs which is kept; the caller holds the root's lock.

    Parameters
    ----------
    keep : Duration
        How long a version stays after it was superseded.
    pinned : sequence of Pin
        Of this table.
    now : datetime
        The execution's clock.
    engine : Engine or None
        Opens Spark where there is something to delete; None for the platform's own tables.
    good : int or None
        The last good version: it and all after it stay.
    by : mapping or None
        step and run, for the audit; None to tell only what would go.
    """
    at, now_ms = past(lake, table), int(now.timestamp() * 1000)
    newest = window(at, keep.seconds, now_ms)
    kept = [Kept(newest.first, newest.last, f"keep {keep}" if newest.by == "keep" else newest.by)]
    kept += [Kept(pin.first, pin.last, pin.by) for pin in pinned if at.begin <= pin.first <= at.head]
    kept += [Kept(good, at.head, "last good version")] if good is not None else []
    found = sweep(at, kept, inventory(lake, table), now_ms)
    told = _reasons(kept)
    if by is None:
        return Swept(len(found.files), found.bytes, found.left, found.gone, told)
    _note(lake, table, found.gone, now, by)
    gone = _gone(lake, table, now)
    if not found.files:
        return Swept(0, 0, found.left, gone, told)
    sizes = {name: file.size for name, file in inventory(lake, table).items()}
    if engine is None:
        went = delete(lake, table, found.files, None)
    else:
        with step_session(engine.spark()) as session:
            went = delete(lake, table, found.files, session)
    left = found.left + len(found.files) - len(went)
    return Swept(len(went), sum(sizes.get(name, 0) for name in went), left, gone, told)


def _note(lake: Lake, table: TableName, gone: Sequence[tuple[int, int]], now: datetime, by: Mapping[str, str]) -> None:
    """Tell the audit and all readers that versions are about to lose files; what they know already is not told."""
    known_as = str(lake.delta(table).metadata().id)
    fresh = unnoted(lake.root, table, known_as, gone)
    if fresh:
        told = {"action": "vacuum", "table": str(table), "detail": f"versions {spoken(fresh)}"}
        audit.note(lake, [{"at": datetime.now(UTC), "who": who(), **told, **by}])
        note(lake.root, table, known_as, Vacuum(now.isoformat(), tuple(fresh)))


def _gone(lake: Lake, table: TableName, now: datetime) -> tuple[tuple[int, int], ...]:
    """Return the versions that this execution has taken, before it was killed too."""
    return tuple(merged(span for each in lake.vacuumed(table) if each.at == now.isoformat() for span in each.gone))


def _reasons(kept: Sequence[Kept]) -> tuple[tuple[str, str], ...]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for each in kept:
        spans.setdefault(each.by, []).append((each.first, each.last))
    return tuple((spoken(merged(found)), by) for by, found in spans.items())
