"""Windows and ranges of a database read: no row in none, none in two. No database: Python judges the predicates."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.sources.jdbc import windows

TIMES = st.datetimes(min_value=datetime(2013, 1, 1), max_value=datetime(2013, 12, 31))


def holds(predicate: str, value: object) -> bool:
    shown = value.isoformat(sep=" ", timespec="microseconds") if isinstance(value, datetime) else value
    with sqlite3.connect(":memory:") as database:
        row = database.execute(f"SELECT {predicate} FROM (SELECT ? AS c)", (shown,)).fetchone()
    return bool(row[0])


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(1, 9), st.none() | st.integers(-3000, 3000))
def test_each_number_is_in_exactly_one_range(low, high, number, value):
    low, high = min(low, high), max(low, high)
    found = windows.ranges("c", str(low), str(high), number, "number")
    assert 1 <= len(found) <= number or number == 1
    assert sum(holds(each, value) for each in found) == 1


@given(TIMES, TIMES, st.integers(1, 9), st.none() | TIMES)
def test_each_time_is_in_exactly_one_range(low, high, number, value):
    low, high = min(low, high), max(low, high)
    found = windows.ranges("c", low.isoformat(), high.isoformat(), number, "time")
    assert sum(holds(each, value) for each in found) == 1


@given(st.lists(TIMES, min_size=1, max_size=8, unique=True), st.integers(0, 3 * 86_400))
def test_windows_in_a_row_take_every_time_and_without_overlap_take_it_once(uppers, overlap):
    uppers = sorted(uppers)
    found, lower = [], None
    for upper in uppers:
        found.append(windows.window("c", windows.since(lower, overlap, "time"), upper.isoformat(), "time"))
        lower = upper.isoformat()
    for upper in uppers:
        hits = sum(holds(each, upper) for each in found)
        assert hits == 1 if overlap == 0 else hits >= 1


def test_rows_within_the_last_microsecond_are_in_the_window_and_not_in_the_next():
    upper = datetime(2013, 1, 1, 12, 0, 0, 5)
    now = windows.window("c", None, upper.isoformat(), "time")
    later = windows.window("c", windows.since(upper.isoformat(), 0, "time"), "2014-01-01", "time")
    nanoseconds = upper.isoformat(sep=" ") + "789"
    assert holds(now, nanoseconds)
    assert not holds(later, nanoseconds)
    assert holds(later, upper + timedelta(microseconds=1))


def test_a_row_without_watermark_is_in_every_window():
    assert holds(windows.window("c", "5", "9", "number"), None)
    assert holds(windows.window("c", None, None, "number"), None)


@pytest.mark.parametrize("value", ["1; DROP TABLE t", "NaN", "Infinity", ""])
def test_what_is_no_number_is_no_literal(value):
    with pytest.raises(ValueError, match="number"):
        windows.literal(value, "number")


def test_quotes_in_texts_are_doubled():
    assert windows.literal("O'Hare", "text") == "'O''Hare'"
