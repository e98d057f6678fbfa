"""How old the newest data of each table is, against what its contract allows; no Spark is started.

A table is measured by its ``event_time``, a source by its last landing that brought something.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lakeloom.core.durations import Duration, parse
from lakeloom.project.spec import Project
from lakeloom.store.lake import Lake
from lakeloom.store.newest import newest


@dataclass(frozen=True)
class Freshness:
    """How fresh one table is.

    Attributes
    ----------
    newest : datetime or None
        Its newest event or arrival; None where it holds nothing yet.
    by : {'event', 'arrival'}
    age_s : float or None
        Seconds from then to now, never below 0.
    status : {'fresh', 'late', 'missing'}
    """

    table: str
    newest: datetime | None
    by: Literal["event", "arrival"]
    age_s: float | None
    allowed_s: int
    status: Literal["fresh", "late", "missing"]
    owner: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``freshness --json``."""
        at = self.newest.isoformat() if self.newest else None
        return {"table": self.table, "newest": at, "by": self.by, "age_s": self.age_s, "allowed_s": self.allowed_s,
                "status": self.status, "owner": self.owner}  # fmt: skip


def freshness(project: Project, lake: Lake, good: dict[str, int], now: datetime) -> list[Freshness]:
    """Return every table and source that declares ``freshness``, in the order of the config.

    Parameters
    ----------
    good : dict
        The last good version of each table.
    """
    found = []
    for table, column, allowed, owner in _declared(project):
        at = None
        if table in good:
            at = newest(lake, table, good[table], column) if column else _arrival(lake, table, good[table])
        age_s = max((now - at).total_seconds(), 0.0) if at else None
        status = "missing" if age_s is None else "late" if age_s > allowed.seconds else "fresh"
        by = "event" if column else "arrival"
        found.append(Freshness(table, at, by, age_s, allowed.seconds, status, owner))  # type: ignore[arg-type]
    return found


def _declared(project: Project) -> Iterator[tuple[str, str | None, Duration, str | None]]:
    for name, source in project.sources.items():
        if source.freshness is not None:
            yield f"bronze.{name}", None, parse(source.freshness, f"sources.{name}.freshness"), source.owner
    for name, table in project.tables.items():
        if table.freshness is not None:
            yield name, table.event_time, table.freshness, table.owner


def _arrival(lake: Lake, table: str, version: int) -> datetime | None:
    """Return the clock of the newest landing up to `version`, by the manifest in its commit."""
    for limit in (20, None):
        for entry in lake.history(table, limit):
            clock = entry["manifest"].get("clock")
            if clock and entry["version"] <= version and "restored" not in entry["manifest"]:
                return datetime.fromisoformat(clock)
    return None
