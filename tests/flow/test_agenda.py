"""A watch's due times where streaming tables go on between the runs of the whole project; no Spark, no clock."""

from datetime import UTC, datetime, timedelta

from lakeloom.flow.agenda import WHOLE, Agenda
from lakeloom.flow.watch import Interval
from lakeloom.project.schedule import Schedule

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOURLY = Schedule(cron="0 * * * *")


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def test_streams_begin_at_once_and_the_whole_project_at_its_time():
    agenda = Agenda(HOURLY, {"a": Interval(10), "b": Interval(25)}, NOON, at_once=False)
    assert agenda.after(NOON) == NOON
    assert agenda.take(NOON) == ["a", "b"]
    assert agenda.after(NOON) == at(10)
    assert agenda.take(at(10)) == ["a"]
    assert agenda.take(at(20)) == ["a"]
    assert agenda.after(at(20)) == at(25)
    assert sorted(agenda.take(at(3600))) == [WHOLE, "a", "b"]
    assert agenda.after(at(3600)) == at(3610)


def test_turns_that_were_missed_are_made_good_by_one_and_the_grid_stays():
    agenda = Agenda(None, {"a": Interval(10)}, NOON, at_once=False)
    agenda.take(NOON)
    assert agenda.latest(at(10), at(47)) == (at(40), 3)
    assert agenda.take(at(47)) == ["a"]
    assert agenda.after(at(47)) == at(50)


def test_a_changed_config_keeps_the_times_of_what_is_as_it_was():
    agenda = Agenda(HOURLY, {"a": Interval(10), "b": Interval(10)}, NOON, at_once=True)
    agenda.take(NOON)
    agenda.change(HOURLY, {"a": Interval(10), "c": Interval(5)}, at(7))
    assert agenda.take(at(9)) == []
    assert agenda.take(at(10)) == ["a"]
    assert agenda.take(at(12)) == ["c"]
    agenda.change(None, {"c": Interval(5)}, at(13))
    assert agenda.take(at(3601)) == ["c"]
