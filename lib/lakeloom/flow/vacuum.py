"""Vacuum of one table: what it keeps for whom, what it takes, and the note that comes before the first file goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lakeloom.core.durations import Duration
from lakeloom.core.names import TableName
from lakeloom.flow.context import Engine
from lakeloom.session.spark import step_session
from lakeloom.store.lake import Lake
from lakeloom.store.log import past
from lakeloom.store.pins import Pin
from lakeloom.store.vacuum import Kept, delete, inventory, merged, sweep, window
from lakeloom.store.vacuumed import Vacuum, note, spoken


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
    *,
    dry: bool = False,
) -> Swept:
    """Delete the files that no version needs which is kept.

    Parameters
    ----------
    keep : Duration
        How long a version stays after it was superseded.
    pinned : sequence of Pin
        Of this table.
    engine : Engine or None
        Opens Spark where there is something to delete; None for the platform's own tables.
    good : int or None
        The last good version: it and all after it stay.
    dry : bool
        Only tell.
    """
    at, now_ms = past(lake, table), int(now.timestamp() * 1000)
    newest = window(at, keep.seconds, now_ms)
    kept = [Kept(newest.first, newest.last, f"keep {keep}" if newest.by == "keep" else newest.by)]
    kept += [Kept(pin.first, pin.last, pin.by) for pin in pinned if at.begin <= pin.first <= at.head]
    kept += [Kept(good, at.head, "last good version")] if good is not None else []
    found = sweep(at, kept, inventory(lake, table), now_ms)
    told = _reasons(kept)
    if dry or not found.files:
        return Swept(len(found.files), found.bytes, found.left, found.gone, told)
    if found.gone:
        note(lake.root, table, str(lake.delta(table).metadata().id), Vacuum(now.isoformat(), found.gone))
    sizes = {name: file.size for name, file in inventory(lake, table).items()}
    if engine is None:
        went = delete(lake, table, found.files, None)
    else:
        with step_session(engine.spark()) as session:
            went = delete(lake, table, found.files, session)
    left = found.left + len(found.files) - len(went)
    return Swept(len(went), sum(sizes.get(name, 0) for name in went), left, found.gone, told)


def _reasons(kept: Sequence[Kept]) -> tuple[tuple[str, str], ...]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for each in kept:
        spans.setdefault(each.by, []).append((each.first, each.last))
    return tuple((spoken(merged(found)), by) for by, found in spans.items())
