"""Running a project at its due times and its streams at their intervals, its config read anew for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakeloom.config.load import read
from lakeloom.core.durations import parse_short
from lakeloom.core.errors import ConfigError, RunError
from lakeloom.flow.agenda import WHOLE, Agenda
from lakeloom.flow.planning import plan
from lakeloom.flow.result import RunResult, StepResult
from lakeloom.flow.watch import Clock, Due, Interval, WallClock, Watched, watch
from lakeloom.project.graph import steps as graph
from lakeloom.project.schedule import Schedule
from lakeloom.project.select import select as choose

if TYPE_CHECKING:
    from lakeloom.api.lakehouse import Lakehouse
    from lakeloom.flow.result import Listener


class Watch:
    """What a watch needs of a project: its runs and its due times.

    Parameters
    ----------
    every : str, optional
        An interval, such as ``10m``, in place of the config's ``schedule:``.
    """

    def __init__(
        self, lake: Lakehouse, select: Sequence[str], every: str | None, listener: Listener | None, clock: Clock
    ) -> None:
        self.lake, self.select, self.listener, self.clock = lake, select, listener, clock
        self.interval = Interval(parse_short(every, "--every").seconds) if every else None
        streams = _streams(lake, select)
        self.plan = Agenda(self._whole(lake, streams), streams, clock.now(), at_once=every is not None)

    def run(self) -> RunResult:
        """Run what is due, as the project's config says now."""
        due = self.plan.take(self.clock.now())
        lake = type(self.lake)(read(self.lake.raw.folder, self.lake.raw.env))
        streams = _streams(lake, self.select)
        self.plan.change(self._whole(lake, streams), streams, self.clock.now())
        if WHOLE in due or not due:
            return lake.run(*self.select, listener=self.listener)
        going_on = [f"+{name}" for name in due if name in streams]
        return _idle(lake, going_on) or lake.run(*going_on, listener=self.listener)

    def due(self) -> Due:
        """Return the due times as the last run found them."""
        return self.plan

    def _whole(self, lake: Lakehouse, streams: Mapping[str, Interval]) -> Due | None:
        """Return when the whole project runs; None where only streams go on."""
        if self.interval is not None:
            return self.interval
        return None if streams and lake.project.settings.schedule is None else _schedule(lake)


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
    clock = clock or WallClock()
    made = Watch(lake, select, every, listener, clock)
    return watch(made.run, made.due, clock, times=times, at_once=False, waiting=waiting)


def _streams(lake: Lakehouse, select: Sequence[str]) -> dict[str, Interval]:
    """Return the chosen streaming tables that say how often they go on."""
    try:
        chosen = {step.name for step in choose(graph(lake.project), select)}
    except RunError:  # a pattern that selects nothing: the run says so
        return {}
    tables = lake.project.tables.items()
    often = {name: table.stream.every for name, table in tables if table.stream is not None and name in chosen}
    return {name: Interval(every.seconds) for name, every in often.items() if every is not None}


def _idle(lake: Lakehouse, patterns: Sequence[str]) -> RunResult | None:
    """Return a run that did nothing where nothing is new, so that a watch leaves no traces of its idle turns."""
    started = datetime.now(UTC)
    planned = plan(lake.project, patterns)
    if any(each.action != "skip" for each in planned):
        return None
    steps = tuple(StepResult(each.step.name, each.step.kind, "skipped", "; ".join(each.reasons)) for each in planned)
    seconds = round((datetime.now(UTC) - started).total_seconds(), 3)
    return RunResult("", "done", started.isoformat(), seconds, steps)


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
