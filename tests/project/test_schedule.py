"""When a project runs: one cron line, the same for every scheduler, wrong ones found at their place."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakeloom.config.load import read
from lakeloom.core.errors import ExportError
from lakeloom.project.check import check, checked
from lakeloom.project.schedule import MOST, Schedule
from tests.shop import lay_out


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "says", "fix"),
    [
        ("cron: 0 5 * *", "4 fields, not five", "0 5 * * *"),
        ("cron: '@daily'", "1 fields, not five", "0 5 * * *"),
        ("cron: 0 25 * * *", "the hour is out of range", "0 5 * * *"),
        ("cron: 0 5 31 2 *", "the day of month is out of range", "0 5 * * *"),
        ("cron: 0 5 L * *", "'L' is no day of month", "0 5 * * 1-5"),
        ("cron: 0 5 LW * *", "'LW' is no day of month", "0 5 * * 1-5"),
        ("cron: 0 5 * * 1#2", "'1#2' is no day of week", "0 5 * * 1-5"),
        ("cron: 0 5 * * ABC", "the day of week is out of range", "0 5 * * *"),
        ("{cron: 0 5 * * *, timezone: Mars/Base}", "'Mars/Base' is no time zone", "Europe/Oslo"),
        ("{cron: 0 5 * * *, timezone: ../etc}", "'../etc' is no time zone", "Europe/Oslo"),
    ],
)
def test_a_malformed_schedule_is_a_finding_at_its_line(tmp_path, written, says, fix):
    conf = lay_out(tmp_path)
    with (conf / "base.yml").open("a") as stream:
        stream.write("schedule:\n  " + written + "\n" if written[0] != "{" else "schedule: " + written + "\n")
    (found,) = check(read(conf))[1]
    assert (found.code, found.file) == ("LL-CONF-017", "conf/base.yml")
    assert says in found.message
    assert fix in found.fix
    assert found.line >= 4


def test_unknown_keys_and_bad_lengths_are_findings(tmp_path):
    conf = lay_out(tmp_path)
    with (conf / "base.yml").open("a") as stream:
        stream.write("schedule: {cron: 0 5 * * *, timezon: UTC, timeout: long}\n")
    assert {(each.code, each.path) for each in check(read(conf))[1]} == {
        ("LL-CONF-003", "schedule.timezon"),
        ("LL-CONF-004", "schedule.timeout"),
    }


def test_an_environment_has_its_own_schedule(tmp_path):
    conf = lay_out(tmp_path)
    with (conf / "base.yml").open("a") as stream:
        stream.write("schedule: {cron: 0 5 * * *, paused: true}\n")
    (conf / "prod.yml").write_text("schedule: {paused: false, timezone: Europe/Oslo}\n")
    assert checked(read(conf)).settings.schedule == Schedule(cron="0 5 * * *", paused=True)
    assert checked(read(conf, "prod")).settings.schedule == Schedule(cron="0 5 * * *", timezone="Europe/Oslo")


def test_due_times_follow_the_zone_through_a_change_of_the_clock():
    daily = Schedule(cron="30 2 * * *", timezone="Europe/Oslo")
    due, found = at("2026-03-27T12:00"), []
    for _ in range(3):
        due = daily.after(due)
        found.append(due)
    # 02:30 does not exist on the 29th: the run comes when the clock has moved on, and is not lost.
    assert found == [at("2026-03-28T01:30"), at("2026-03-29T01:00"), at("2026-03-30T00:30")]
    autumn = daily.after(at("2026-10-24T12:00"))  # 02:30 comes twice: one run
    assert (autumn, daily.after(autumn)) == (at("2026-10-25T00:30"), at("2026-10-26T01:30"))


def test_missed_times_are_counted_up_to_a_bound():
    hourly = Schedule(cron="0 * * * *")
    midnight = at("2026-01-01T00:00")
    assert hourly.latest(midnight, at("2026-01-01T00:59")) == (midnight, 0)
    assert hourly.latest(midnight, at("2026-01-01T03:10")) == (at("2026-01-01T03:00"), 3)
    assert hourly.latest(at("2020-01-01T00:00"), at("2026-01-01T03:10")) == (at("2026-01-01T03:10"), MOST)


@pytest.mark.parametrize(
    ("cron", "quartz"),
    [
        ("0 5 * * *", "0 0 5 * * ?"),
        ("*/15 * * * *", "0 0,15,30,45 * * * ?"),
        ("0 5 * * 1-5", "0 0 5 ? * MON,TUE,WED,THU,FRI"),
        ("0 5 * * 0", "0 0 5 ? * SUN"),
        ("0 5 * * 7", "0 0 5 ? * SUN"),
        ("30 6,18 1-10/3 jan,jul *", "0 30 6,18 1,4,7,10 1,7 ?"),
        ("0 8-18 * * *", "0 0 8-18 * * ?"),
    ],
)
def test_quartz_counts_days_of_the_week_otherwise(cron, quartz):
    assert Schedule(cron=cron).quartz() == quartz


def test_what_quartz_cannot_say_is_refused():
    with pytest.raises(ExportError, match="LL-EXPORT-002") as caught:
        Schedule(cron="0 5 13 * 5").quartz()
    assert caught.value.fix == "write * for one of the two"


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.sets(st.integers(0, 6), min_size=1, max_size=6),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
)
def test_the_next_due_time_is_the_first_that_fits(minute, hour, days, start):
    start = start.replace(tzinfo=UTC)
    due = Schedule(cron=f"{minute} {hour} * * {','.join(map(str, days))}").after(start)
    candidates = (
        start.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=each) for each in range(9)
    )
    assert due == next(each for each in candidates if each > start and (each.isoweekday() % 7) in days)
