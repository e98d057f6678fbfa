"""Running a project near real time: at its due times, at its streams' intervals, and when its sensors say so.

The config is read anew where a file of it changed. A source that keeps failing is asked with growing pauses, and its
steps are left out of the runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.config.load import read
from lakeloom.core.durations import parse_short
from lakeloom.core.errors import ConfigError, LakeloomError, RunError
from lakeloom.core.steps import Step
from lakeloom.flow.agenda import WHOLE, Agenda
from lakeloom.flow.context import Context
from lakeloom.flow.patience import Patience
from lakeloom.flow.planning import plan
from lakeloom.flow.result import RunResult, StepResult
from lakeloom.flow.sensing import Heard, Sensors
from lakeloom.flow.watch import NAP_S, Clock, Due, Interval, WallClock, Watched, watch
from lakeloom.project.graph import steps as graph
from lakeloom.project.schedule import Schedule
from lakeloom.project.select import select as choose
from lakeloom.project.sensing import TIME, Sensor, able, reach, sensors
from lakeloom.store import refs

if TYPE_CHECKING:
    from lakeloom.api.lakehouse import Lakehouse
    from lakeloom.flow.result import Listener

# An answer that is awaited is looked for so often.
_LOOK_S = 0.05


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
        self.select, self.listener, self.clock = select, listener, clock
        self.interval = Interval(parse_short(every, "--every").seconds) if every else None
        self.sensing, self.patience = Sensors(), Patience()
        self.context: Context | None = None
        self.stamp = _stamp(lake.raw.folder.parent)
        self.late: list[LakeloomError] = []
        self.begun = False
        self._take(lake)
        self.plan = Agenda(self._whole(), self._often(), clock.now(), at_once=every is not None)

    def _take(self, lake: Lakehouse) -> None:
        """Take up a project as it is now."""
        project = lake.project  # a config that is wrong is not taken up
        self.lake, self.context = lake, None
        self.steps: list[Step] = graph(project)
        try:
            self.chosen = {step.name: step for step in choose(self.steps, self.select)}
        except RunError:  # a pattern that selects nothing: the run says so
            self.chosen = {}
        self.sensors: dict[str, Sensor] = sensors(project, self.chosen.values())
        tables = {name: table.stream for name, table in project.tables.items() if table.stream is not None}
        often = {name: stream.every for name, stream in tables.items() if name in self.chosen}
        self.streams = {name: Interval(every.seconds) for name, every in often.items() if every is not None}

    def run(self) -> RunResult | None:
        """Run what is due or has happened, as the project's config says now; None where nothing is."""
        now = self.clock.now()
        due = self.plan.take(now)
        if due or not self.sensors:
            self._read_anew(now)
        heard = self._look(due, now)
        if WHOLE in due or not (due or self.sensors):
            return self._do(self.select, heard)
        timed = [name for name in due if name in self.sensors and self.sensors[name].event == TIME]
        names = {name for each in (*heard.fired, *timed) for name in reach(self.steps, each, self.sensors)}
        if self.sensors and not self.begun:  # what was left undone when the last watch ended
            self.begun = True
            names |= self._behind()
        names = {*able(self.steps, names & self.chosen.keys(), refs.good(self.lake.lake)), *timed}
        patterns = [step.name for step in self.steps if step.name in names]
        going_on = [f"+{name}" for name in due if name in self.streams]
        if patterns:
            return self._do([*patterns, *going_on], heard)
        if self.late:
            raise self.late.pop(0)
        if not going_on:
            return None
        return _idle(self.lake, going_on) or self._do(going_on, heard)

    def due(self) -> Due:
        """Return the due times as the last run found them."""
        return self

    def after(self, time: datetime) -> datetime:
        """Return the next due time, or when the answers that are awaited are looked for."""
        at = self.plan.after(time)
        if self.late:
            return self.clock.now()
        return min(at, self.clock.now() + timedelta(seconds=_LOOK_S)) if self.sensing.busy else at

    def latest(self, first: datetime, now: datetime) -> tuple[datetime, int]:
        """Return the last due time up to `now`, and how many there were since the due time `first`."""
        missed = self.plan.latest(first, now) if self.plan.after(now) <= now else (first, 0)
        return missed if not self.sensors else (missed[0], 0)

    def _read_anew(self, now: datetime) -> None:
        """Take up the config as it is now; without sensors also where no file of it has changed."""
        stamp = _stamp(self.lake.raw.folder.parent)
        if self.sensors and stamp == self.stamp:
            return
        self.stamp = stamp  # a mistake in it is told once
        self._take(type(self.lake)(read(self.lake.raw.folder, self.lake.raw.env)))
        self.plan.change(self._whole(), self._often(), now)

    def _look(self, due: Sequence[str], now: datetime) -> Heard:
        """Look for what steps wait for; return what has come of it by now."""
        names = [name for name in due if name in self.sensors and self.sensors[name].event != TIME]
        if names and self.context is None:
            self.context = Context.of(self.lake.project, "watch")
            if any(self.chosen[name].kind == "land" for name in self.sensors):
                self.context.engine.spark()  # the first arrival shall not wait for it
        fired: list[str] = []
        if self.context is not None and names:
            fired = self.sensing.look(self.context, [self.chosen[name] for name in names])
        heard = self.sensing.heard()
        for name in (*heard.quiet, *heard.fired):
            self.patience.answered(name)
        for name, error in heard.errors.items():
            self._rest(name, now)
            self.late.append(error)
            self.context = None  # where Spark has gone, the next looking opens it anew
        heard.fired[:] = [name for name in (*heard.fired, *fired) if name in self.chosen]
        return heard

    def _do(self, patterns: Sequence[str], heard: Heard) -> RunResult:
        """Run, and note which sources failed."""
        more: dict[str, Any] = {"listener": self.listener}
        resting = self.patience.resting(self.clock.now())
        more |= {"resting": resting} if resting else {}
        more |= {"answers": heard.answers} if heard.answers else {}
        result = self.lake.run(*patterns, **more)
        for step in result.steps:
            if step.kind == "land" and step.name not in resting:
                if step.status == "failed":
                    self._rest(step.name, self.clock.now())
                else:
                    self.patience.answered(step.name)
        return result

    def _rest(self, name: str, now: datetime) -> None:
        self.plan.postpone(name, self.patience.failed(name, now))

    def _behind(self) -> set[str]:
        """Return the tables that have something to do already, but for those that wait for a time."""
        timed = {name for name, each in self.sensors.items() if each.event == TIME}
        names = [name for name, step in self.chosen.items() if step.kind == "transform" and name not in timed]
        names = able(self.steps, names, refs.good(self.lake.lake))
        return {each.step.name for each in plan(self.lake.project, names) if each.action != "skip"} if names else set()

    def _whole(self) -> Due | None:
        """Return when the whole project runs; None where only streams and sensors go on."""
        if self.interval is not None:
            return self.interval
        alone = bool(self.streams or self.sensors)
        return None if alone and self.lake.project.settings.schedule is None else _schedule(self.lake)

    def _often(self) -> dict[str, Due]:
        found: dict[str, Due] = dict(self.streams)
        return found | {name: each.schedule or Interval(each.every_s) for name, each in self.sensors.items()}


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

    def far(due: datetime) -> None:
        # Sensors look every few seconds: only a longer wait is worth a word.
        if waiting is not None and (not made.sensors or (due - clock.now()).total_seconds() > NAP_S):
            waiting(due)

    return watch(made.run, made.due, clock, times=times, at_once=False, waiting=far)


def _stamp(conf: Path) -> tuple[Any, ...]:
    """Return what tells whether a file of the config has changed."""
    files = [file for file in sorted(conf.rglob("*")) if file.is_file()]
    return tuple((str(file), about.st_mtime_ns, about.st_size) for file in files for about in (file.stat(),))


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
            "the schedule is paused" if schedule else "the config has no schedule:, and no step says when:",
            where="schedule",
            fix="set paused: false, or give --every 10m"
            if schedule
            else "write one, say when: of a source, or give --every 10m",
        )
    return schedule
