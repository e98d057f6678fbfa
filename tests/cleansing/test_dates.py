"""Date hierarchies against Python's calendar, on every sort of day."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lakeloom.core.errors import CleansingError


def parts(day):
    year, week, weekday = day.isocalendar()
    quarter = (day.month + 2) // 3
    monday = day - timedelta(days=weekday - 1)
    return {
        "date": day, "year": day.year, "quarter": quarter, "month": day.month, "day": day.day, "iso_year": year, "iso_week": week,
        "day_of_week": weekday, "day_of_year": day.timetuple().tm_yday, "is_weekend": weekday > 5, "year_quarter": f"{day.year:04}-Q{quarter}",
        "year_month": f"{day.year:04}-{day.month:02}", "year_week": f"{year:04}-W{week:02}", "quarter_start": day.replace(month=3 * quarter - 2, day=1),
        "month_start": day.replace(day=1), "week_start": monday,
    }  # fmt: skip


def test_every_part_of_many_days(cleansed):
    chance = random.Random(2)
    turns = [
        date(year, month, day) for year in range(1999, 2031) for month, day in ((1, 1), (1, 4), (12, 28), (12, 31))
    ]
    days = [
        None,
        date(1600, 2, 29),
        date(1900, 3, 1),
        *turns,
        *[date(1970, 1, 1) + timedelta(days=chance.randrange(-40000, 40000)) for _ in range(300)],
    ]
    names = list(parts(date(2026, 1, 1)))
    out = cleansed(
        list(enumerate(days)),
        "id int, `or der` date",
        [{"calendar": {"column": "or der", "prefix": "o_", "parts": names}}],
    )
    for number, day in enumerate(days):
        wanted = parts(day) if day else dict.fromkeys(names)
        assert {name: out.rows[number][f"o_{name}"] for name in names} == wanted
    assert out.changed == {"1_calendar": len(days) - 1}


@pytest.mark.parametrize("session", ["UTC", "Pacific/Auckland"])
def test_a_timestamp_has_the_date_of_its_zone_in_every_session(spark, cleansed, session):
    chance = random.Random(9)
    start = datetime(1960, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(minutes=15 * chance.randrange(4 * 24 * 365 * 80)) for _ in range(200)]
    moments += [
        datetime(2026, 1, 1, tzinfo=UTC) - timedelta(microseconds=1),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ]
    zones = ["UTC", "America/New_York", "Asia/Kathmandu"]
    verbs = [
        {"calendar": {"column": "t", "prefix": f"p{index}_", "parts": ["date"], "zone": zone}}
        for index, zone in enumerate(zones)
    ]
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", session)
    try:
        out = cleansed(list(enumerate(moments)), "id int, t timestamp", [*verbs, {"calendar": "t"}])
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    for index, zone in enumerate(zones):
        assert out.values(f"p{index}_date") == [moment.astimezone(ZoneInfo(zone)).date() for moment in moments], zone
    assert out.values("t_year") == [moment.year for moment in moments] and "t_is_weekend" in out.columns


def test_a_text_is_no_date(cleansed):
    with pytest.raises(CleansingError, match="'t' is string, neither date nor timestamp"):
        cleansed([], "t string", [{"calendar": "t"}])
