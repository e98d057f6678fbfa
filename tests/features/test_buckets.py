"""One bucket, without Spark: keys, types, ties, nulls, several views at once."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lakeloom.features.buckets import Answer, Ask, look_up

T0 = datetime(2013, 3, 10, 5, tzinfo=UTC)
TIME = pa.timestamp("us", tz="UTC")
HOUR = 3_600_000_000


def at(hours):
    return T0 + timedelta(hours=hours)


def events(rows, kind):
    """Rows of (origin, dest, view, event hour, available hour, value)."""
    origin, dest, view, happened, known, value = zip(*rows, strict=True) if rows else [()] * 6
    return pa.table(
        {
            "origin": pa.array(origin, pa.string()),
            "dest": pa.array(dest, pa.string()),
            "_view": pa.array(view, pa.int32()),
            "_event_time": pa.array([at(one) for one in happened], TIME),
            "_available_at": pa.array([at(one) for one in known], TIME),
            "value": pa.array(value, kind),
        }
    )


def queries(rows):
    origin, dest, hours = zip(*rows, strict=True)
    return pa.table({"origin": origin, "dest": dest, "as_of": pa.array([at(one) for one in hours], TIME)})


def ask(*aggregates, number=0, window=2, **more):
    answers = tuple(Answer(f"{one}_{number}", "value", one, window * HOUR) for one in aggregates)
    return Ask(number, ("value",), answers, **more)


def run(looked, happened, *asks):
    table = look_up(looked, happened, ("origin", "dest"), "as_of", asks)
    return sorted(table.to_pylist(), key=lambda one: (one["origin"], one["dest"], one["as_of"]))


def test_keys_are_tuples_and_never_joined_text():
    """('ab', 'c') and ('a', 'bc') would be one entity if they were glued together."""
    rows = run(
        queries([("ab", "c", 1), ("a", "bc", 1), ("a", "bc", 1)]),
        events([("ab", "c", 0, 0, 0, 1.0), ("a", "bc", 0, 0, 0, 2.0)], pa.float64()),
        ask("last", "count"),
    )
    assert [(row["origin"], row["last_0"], row["count_0"]) for row in rows] == [("a", 2.0, 1), ("ab", 1.0, 1)]


@pytest.mark.parametrize(
    ("kind", "older", "newer"),
    [(pa.string(), "x", "y"), (pa.int64(), 2**60 + 1, 2**60 + 3), (pa.bool_(), False, True), (pa.float64(), 1.5, 2.5)],
)
def test_last_keeps_its_type_and_count_takes_any(kind, older, newer):
    happened = events([("a", "b", 0, 0, 0, older), ("a", "b", 0, 1, 1, newer), ("a", "b", 0, 1, 1, None)], kind)
    (row,) = run(queries([("a", "b", 1)]), happened, ask("count"))
    assert row["count_0"] == 2
    (row,) = run(queries([("a", "b", 1)]), happened.slice(0, 2), ask("last"))
    assert row["last_0"] == newer


def test_ties_do_not_depend_on_the_order_of_rows():
    """Equal event time: the later known wins, then the greatest value."""
    rows = [("a", "b", 0, 0, 1, 7.0), ("a", "b", 0, 0, 2, 3.0), ("a", "b", 0, 0, 2, 5.0), ("a", "b", 0, 0, 0, 9.0)]
    for turned in (rows, rows[::-1], rows[2:] + rows[:2]):
        (row,) = run(queries([("a", "b", 2)]), events(turned, pa.float64()), ask("last"))
        assert row["last_0"] == 5.0


def test_ttl_is_measured_from_event_time_and_age_in_minutes():
    happened = events([("a", "b", 0, 0, 1, 7.0)], pa.float64())
    rows = run(queries([("a", "b", hour) for hour in (0, 1, 6, 7)]), happened, ask("last", "age", ttl_us=6 * HOUR))
    assert [(row["last_0"], row["age_0"]) for row in rows] == [(None, None), (7.0, 60.0), (7.0, 360.0), (None, None)]


def test_windows_are_open_on_the_left_and_closed_on_the_right():
    happened = events([("a", "b", 0, 0, 0, 1.0), ("a", "b", 0, 2, 2, 2.0)], pa.float64())
    rows = run(queries([("a", "b", 0), ("a", "b", 2), ("a", "b", 4)]), happened, ask("sum", "count", "std"))
    assert [(row["sum_0"], row["count_0"], row["std_0"]) for row in rows] == [
        (1, 1, None),
        (2, 1, None),
        (None, 0, None),
    ]


def test_views_meet_at_once_and_a_lag_looks_back():
    happened = events([("a", "b", 0, 0, 0, 1.0), ("a", "b", 1, 0, 0, 10.0), ("a", "b", 1, 3, 3, 30.0)], pa.float64())
    (row,) = run(queries([("a", "b", 3)]), happened, ask("last"), ask("last", number=1, lag_us=HOUR))
    assert (row["last_0"], row["last_1"]) == (1.0, 10.0)


def test_empty_sides():
    none = run(queries([("a", "b", 3)]), events([], pa.float64()), ask("last", "age", "count", "mean", "max"))
    assert [none[0][name] for name in ("last_0", "age_0", "count_0", "mean_0", "max_0")] == [None, None, 0, None, None]
    happened = events([("a", "b", 0, 0, 0, 1.0)], pa.float64())
    assert run(queries([("a", "b", 3)]).slice(0, 0), happened, ask("last", "age", "min", "std")) == []
