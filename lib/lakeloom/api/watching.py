"""Running a project at its due times, its config read anew for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from lakeloom.config.load import read
from lakeloom.core.durations import parse_short
from lakeloom.core.errors import ConfigError
from lakeloom.flow.watch import Clock, Due, Interval, WallClock, Watched, watch
from lakeloom.project.schedule import Schedule

if TYPE_CHECKING:
    from lakeloom.api.lakehouse import Lakehouse
    from lakeloom.flow.result import Listener, RunResult


class Watch:
    """What a watch needs of a project: its runs and its due times.

    Parameters
    ----------
    every : str, optional
        An interval, such as ``10m``, in place of the config's ``schedule:``.
    """

    def __init__(self, lake: Lakehouse, select: Sequence[str], every: str | None, listener: Listener | None) -> None:
        self.lake, self.select, self.listener = lake, select, listener
        self.interval = Interval(parse_short(every, "--every").seconds) if every else None
        self.plan: Due = self.interval or _schedule(lake)

    def run(self) -> RunResult:
        """Run the project as its config says now."""
        lake = type(self.lake)(read(self.lake.raw.folder, self.lake.raw.env))
        if self.interval is None:
            self.plan = _schedule(lake)
        return lake.run(*self.select, listener=self.listener)

    def due(self) -> Due:
        """Return the due times as the last run found them."""
        return self.plan


def watched(
    lake: Lakehouse,
    select: Sequence[str],
    every: str | None,
    times: int | None,
    clock: Clock | None,
    listener: Listener | None,
    waiting: Callable[[datetime], None] | None,
) -> Iterator[Watched]:
    """Yield each run; see `lakeloom.api.lakehouse.Lakehouse.watch`."""
    made = Watch(lake, select, every, listener)
    at_once = every is not None
    return watch(made.run, made.due, clock or WallClock(), times=times, at_once=at_once, waiting=waiting)


def _schedule(lake: Lakehouse) -> Schedule:
    schedule = lake.project.settings.schedule
    if schedule is None or schedule.paused:
        raise ConfigError(
            "LL-CONF-018",
            "the schedule is paused" if schedule else "the config has no schedule:",
            where="schedule",
            fix="set paused: false, or give --every 10m" if schedule else "write one, or give --every 10m",
        )
    return schedule
