"""The plain scheduler: one run at each due time, missed ones made good by one, an end that is clean. Its clock is set."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from lakeloom.core.errors import ConfigError, RunError
from lakeloom.flow.result import RunResult, StepResult
from lakeloom.flow.watch import Interval, WallClock, watch
from lakeloom.project.schedule import Schedule

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOURLY = Schedule(cron="0 * * * *")


class Clock:
    """A clock that stands still between waits."""

    def __init__(self, now=NOON):
        self.time, self.waited, self.stops_after = now, [], None

    def now(self):
        return self.time

    def wait(self, until):
        if self.stops_after is not None and until >= self.stops_after:
            return False
        self.waited.append(until)
        self.time = max(self.time, until)
        return True


def result(status="done"):
    steps = (StepResult("a", "land", "done", ""), StepResult("b", "land", "skipped", ""))
    return RunResult("r1", status, NOON.isoformat(), 1.5, steps)


def hours(count):
    return NOON + timedelta(hours=count)


def test_it_runs_at_each_due_time():
    clock, ran, told = Clock(), [], []

    def run():
        ran.append(clock.time)
        clock.time += timedelta(minutes=7)
        return result()

    found = list(watch(run, lambda: HOURLY, clock, times=3, waiting=told.append))
    assert ran == told == [hours(1), hours(2), hours(3)]
    assert [(each.due, each.missed, each.next) for each in found] == [
        (hours(1), 0, hours(2)),
        (hours(2), 0, hours(3)),
        (hours(3), 0, None),
    ]
    assert found[0].as_dict() == {
        "due": "2026-03-01T13:00:00+00:00", "missed": 0, "status": "done", "run_id": "r1", "seconds": 1.5,
        "steps": {"done": 1, "skipped": 1}, "latency_s": {}, "error": None, "next": "2026-03-01T14:00:00+00:00",
    }  # fmt: skip


@pytest.mark.parametrize("plan", [HOURLY, Interval(3600)], ids=["schedule", "interval"])
def test_times_that_fell_due_during_a_run_are_made_good_by_one(plan):
    clock, ran = Clock(), []

    def run():
        ran.append(clock.time)
        clock.time += timedelta(hours=3, minutes=30) if len(ran) == 1 else timedelta(minutes=1)
        return result()

    found = list(watch(run, lambda: plan, clock, times=3))
    assert ran == [hours(1), hours(4.5), hours(5)]
    assert [(each.due, each.missed) for each in found] == [(hours(1), 0), (hours(4), 2), (hours(5), 0)]


def test_a_machine_that_slept_for_years_runs_once():
    clock, ran = Clock(), []

    def run():
        ran.append(clock.time)
        if len(ran) == 1:
            clock.time += timedelta(days=3650)
        return result()

    each_minute = Schedule(cron="* * * * *")
    found = list(watch(run, lambda: each_minute, clock, times=3))
    assert found[1].missed == 10_000
    assert [each.due for each in found[1:]] == [ran[1], ran[1] + timedelta(minutes=1)]


def test_a_run_that_fails_or_cannot_start_ends_nothing():
    clock = Clock()
    ends = [ConfigError("LL-CONF-005", "kind is missing"), result("failed"), RunError("LL-RUN-002", "held"), result()]

    def run():
        end = ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    found = list(watch(run, lambda: HOURLY, clock, times=4))
    assert [each.status for each in found] == ["failed", "failed", "failed", "done"]
    assert [each.error and each.error.code for each in found] == ["LL-CONF-005", None, "LL-RUN-002", None]
    assert found[0].as_dict()["error"]["message"] == "kind is missing"
    assert found[0].as_dict()["run_id"] is None


def test_a_fault_is_not_swallowed():
    def run():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(watch(run, lambda: HOURLY, Clock(), times=2))


def test_a_stopped_run_is_the_last():
    ends = [result(), result("stopped"), result()]
    assert [each.status for each in watch(lambda: ends.pop(0), lambda: HOURLY, Clock())] == ["done", "stopped"]
    assert len(ends) == 1


def test_a_stopped_wait_is_the_end():
    clock = Clock()
    clock.stops_after = hours(3)
    assert [each.due for each in watch(result, lambda: HOURLY, clock)] == [hours(1), hours(2)]


def test_a_changed_schedule_takes_effect_after_the_run():
    plans = [HOURLY, HOURLY, Schedule(cron="30 * * * *"), Schedule(cron="30 * * * *")]
    found = list(watch(result, lambda: plans.pop(0), Clock(), times=3))
    assert [each.due for each in found] == [hours(1), hours(2), hours(2.5)]


def test_an_interval_starts_at_once_and_keeps_its_grid():
    clock = Clock()

    def run():
        clock.time += timedelta(minutes=4)
        return result()

    found = list(watch(run, lambda: Interval(600), clock, times=3, at_once=True))
    assert [each.due for each in found] == [NOON, NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)]


def test_the_machines_clock_waits_and_can_be_stopped_meanwhile():
    clock = WallClock()
    begun = time.monotonic()
    assert clock.wait(clock.now() + timedelta(seconds=0.2))
    assert time.monotonic() - begun >= 0.19
    threading.Timer(0.2, clock.stop).start()
    assert not clock.wait(clock.now() + timedelta(days=1))
    assert not clock.wait(clock.now())
    assert time.monotonic() - begun < 30


def test_a_clock_that_is_set_back_makes_no_due_time_wait_for_the_old_one():
    """It was a day ahead: the next due time is that of the clock as it is."""
    clock, ran = Clock(), []
    clock.time = hours(24)

    def run():
        ran.append(clock.time)
        clock.time = clock.time if len(ran) > 1 else hours(0) + timedelta(minutes=10)
        return result()

    found = list(watch(run, lambda: HOURLY, clock, times=3))
    assert ran == [hours(25), hours(1), hours(2)]
    assert [(each.due, each.missed) for each in found] == [(hours(25), 0), (hours(1), 0), (hours(2), 0)]
