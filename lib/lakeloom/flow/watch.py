"""The plain scheduler: one run at each due time, one at a time, until somebody stops it.

A time that came while a run was going on, while the machine slept or while the last run still held
the storage root is not lost: all that were missed are made good by one run, because a run takes
everything that is new. A run that fails ends nothing; the next due time comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from lakeloom.core.errors import LakeloomError
from lakeloom.flow.result import RunResult

# A longer sleep would not notice that the machine slept or that its clock was set.
NAP_S = 30.0


class Due(Protocol):
    """When to run: a schedule, or an interval."""

    def after(self, time: datetime) -> datetime:
        """Return the first due time after `time`."""

    def latest(self, first: datetime, now: datetime) -> tuple[datetime, int]:
        """Return the last due time up to `now`, and how many there were since the due time `first`."""


@dataclass(frozen=True)
class Interval:
    """Every so many seconds, counted from when the watch began."""

    seconds: int

    def after(self, time: datetime) -> datetime:
        """Return the time one interval later."""
        return time + timedelta(seconds=self.seconds)

    def latest(self, first: datetime, now: datetime) -> tuple[datetime, int]:
        """Return the last due time up to `now`, and how many there were since the due time `first`."""
        count = max(0, int((now - first).total_seconds() // self.seconds))
        return first + timedelta(seconds=count * self.seconds), count


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""

    def wait(self, until: datetime) -> bool:
        """Wait; return False where the watch was stopped meanwhile."""


class WallClock:
    """The machine's clock; `stop` ends a wait at once, from any thread."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)

    def wait(self, until: datetime) -> bool:
        """Wait in naps, so that the time is looked at again and again."""
        while not self._stopped.is_set():
            left = (until - self.now()).total_seconds()
            if left <= 0:
                return True
            self._stopped.wait(min(left, NAP_S))
        return False

    def stop(self) -> None:
        """End the wait that is going on, and every later one."""
        self._stopped.set()


@dataclass(frozen=True)
class Watched:
    """One run of a watch.

    Attributes
    ----------
    due : datetime
        The due time that it was for; of several that were missed, the last.
    missed : int
        How many due times it makes good beside that one.
    result : RunResult or None
        What the run did; None where it did not start.
    error : LakeloomError or None
        Why it did not.
    next : datetime or None
        The next due time; None after the last run.
    """

    due: datetime
    missed: int
    result: RunResult | None
    error: LakeloomError | None
    next: datetime | None

    @property
    def status(self) -> str:
        """``done``, ``failed`` or ``stopped``."""
        return self.result.status if self.result else "failed"

    @property
    def latency_s(self) -> dict[str, float]:
        """Step → seconds from the arrival at the source to its commit, of those that took what was new."""
        steps = self.result.steps if self.result else ()
        return {step.name: step.latency_s for step in steps if step.latency_s is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return the line of ``watch --json``."""
        steps = {} if self.result is None else _counts(self.result)
        return {
            "due": self.due.isoformat(),
            "missed": self.missed,
            "status": self.status,
            "run_id": (self.result.run_id or None) if self.result else None,
            "seconds": self.result.seconds if self.result else None,
            "steps": steps,
            "latency_s": self.latency_s,
            "error": self.error.as_dict() if self.error else None,
            "next": self.next.isoformat() if self.next else None,
        }


def watch(
    run: Callable[[], RunResult | None],
    due: Callable[[], Due],
    clock: Clock,
    *,
    times: int | None = None,
    at_once: bool = False,
    waiting: Callable[[datetime], None] | None = None,
) -> Iterator[Watched]:
    """Run at each due time and yield what came of it; ends when the clock's wait is stopped.

    Parameters
    ----------
    run : callable
        Does one run; gives None where there was none to do. A LakeloomError of it (a mistake in the config, another
        run on the storage root) is yielded, anything else is raised.
    due : callable
        Gives the schedule, asked anew after each run, so that a changed one takes effect.
    times : int, optional
        End after so many runs.
    at_once : bool
        Do the first run now, without waiting for the first due time.
    waiting : callable, optional
        Is told the due time before each wait.
    """
    plan = due()
    upcoming = clock.now() if at_once else plan.after(clock.now())
    count = 0
    while times is None or count < times:
        if waiting is not None and upcoming > clock.now():
            waiting(upcoming)
        reached = _waited(clock, plan, upcoming)
        if reached is None:
            return
        moment, missed = plan.latest(reached, clock.now())
        result, error = None, None
        try:
            result = run()
        except LakeloomError as cause:
            error = cause
        plan = due()
        # What fell due while it ran is past and waits no longer: the next turn takes it at once.
        upcoming = plan.after(moment)
        if result is None and error is None:
            continue
        count += 1
        yield Watched(moment, missed, result, error, None if count == times else upcoming)
        if result is not None and result.status == "stopped":
            return


def _waited(clock: Clock, plan: Due, upcoming: datetime) -> datetime | None:
    """Wait for a due time, or for an earlier one where the clock is set back; return it, None where it was stopped."""
    while True:
        now = clock.now()
        upcoming = min(upcoming, plan.after(now)) if upcoming > now else upcoming
        if not clock.wait(min(upcoming, now + timedelta(seconds=NAP_S))):
            return None
        if clock.now() >= upcoming:
            return upcoming


def _counts(result: RunResult) -> dict[str, int]:
    found: dict[str, int] = {}
    for step in result.steps:
        found[step.status] = found.get(step.status, 0) + 1
    return found
