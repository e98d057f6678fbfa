"""The arithmetic against a reference that looks at every event for every query."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakeloom.features.asof import Events, Queries, Sight, Window, aggregates, newest, rank

AGGREGATES = frozenset({"mean", "share", "count", "sum", "min", "max", "std"})
small = st.integers(-6, 6)
values = st.one_of(st.integers(-50, 50).map(float), st.just(float("nan")), st.floats(-1e3, 1e3), st.just(float("inf")))
event = st.tuples(st.integers(0, 3), small, small, values)
query = st.tuples(st.integers(0, 4), st.integers(-8, 14))


def make(events, queries):
    events = sorted(events, key=lambda one: (one[:3], np.nan_to_num(one[3], nan=9e9)))
    columns = np.array([one[:3] for one in events], dtype=np.int64).reshape(-1, 3)
    queries = np.array(sorted(set(queries)), dtype=np.int64).reshape(-1, 2)
    sight = Sight(Events(columns[:, 0], columns[:, 1], columns[:, 2]), Queries(queries[:, 0], queries[:, 1]))
    return events, np.array([one[3] for one in events], dtype=float), queries, sight


def visible(events, key, as_of):
    return [(n, one) for n, one in enumerate(events) if one[0] == key and max(one[1], one[2]) <= as_of]


@settings(max_examples=300, deadline=None)
@given(st.lists(event, max_size=25), st.lists(query, max_size=12), st.integers(1, 9))
def test_windows_equal_brute_force(events, queries, window):
    events, numbers, queries, sight = make(events, queries)
    found = aggregates(Window(sight, window), numbers, AGGREGATES)
    for row, (key, as_of) in enumerate(queries):
        inside = [one[3] for _, one in visible(events, key, as_of) if one[1] > as_of - window and np.isfinite(one[3])]
        assert found["count"][row] == len(inside)
        wanted = dict.fromkeys(AGGREGATES - {"count"}, np.nan)
        if inside:
            wanted |= {"sum": sum(inside), "mean": np.mean(inside), "min": min(inside), "max": max(inside)}
            wanted["share"] = wanted["mean"]
        if len(inside) > 1:
            wanted["std"] = np.std(inside, ddof=1)
        for name, expected in wanted.items():
            # Sums of squares lose half of the digits; all else keeps nearly all of them.
            assert found[name][row] == pytest.approx(expected, abs=1e-3 if name == "std" else 1e-9, nan_ok=True), name
            if name in ("min", "max"):
                assert np.array_equal(found[name][row], expected, equal_nan=True)


@settings(max_examples=300, deadline=None)
@given(st.lists(event, max_size=25), st.lists(query, max_size=12), st.one_of(st.none(), st.integers(1, 9)))
def test_newest_equals_brute_force(events, queries, ttl):
    events, _, queries, sight = make(events, queries)
    found = newest(sight, ttl)
    for row, (key, as_of) in enumerate(queries):
        known = [n for n, _ in visible(events, key, as_of)]
        best = max(known, default=-1)
        if best >= 0 and ttl is not None and as_of - events[best][1] > ttl:
            best = -1
        assert found[row] == best


@settings(max_examples=200, deadline=None)
@given(
    st.lists(event, max_size=25),
    st.lists(event, max_size=10),
    st.lists(query, min_size=1, max_size=8),
    st.integers(1, 9),
)
def test_not_one_bit_depends_on_the_future_or_on_other_keys(events, others, queries, window):
    now = max(as_of for _, as_of in queries)
    future = [(key, now + 1 + abs(time), late, value) for key, time, late, value in others]
    strangers = [(key + 10, time, late, value) for key, time, late, value in others]
    results = []
    for more in ([], future, strangers):
        _, numbers, _, sight = make(events + more, queries)
        results.append(aggregates(Window(sight, window), numbers, AGGREGATES))
    for name in AGGREGATES:
        assert results[0][name].tobytes() == results[1][name].tobytes() == results[2][name].tobytes(), name


def test_known_late_and_known_early():
    """Known after its window: never inside. Known before it happened: visible once it happens."""
    _, numbers, _, sight = make([(0, 0, 20, 1.0), (0, 10, 0, 2.0)], [(0, 5), (0, 10), (0, 20)])
    assert aggregates(Window(sight, 15), numbers, frozenset({"sum"}))["sum"].tolist()[1:] == [2.0, 2.0]
    assert newest(sight).tolist() == [-1, 1, 1]


def test_rank_takes_any_span():
    """Times as far apart as int64 allows still fit, since ranks are compared."""
    edge = 2**62
    keys, times = np.array([0, 1, 1], dtype=np.int64), np.array([edge, -edge, edge], dtype=np.int64)
    assert rank(keys, times, keys, times, inclusive=True).tolist() == [1, 2, 3]
    assert rank(keys, times, keys, times, inclusive=False).tolist() == [0, 1, 2]
