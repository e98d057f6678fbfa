"""What was known as of an instant: the arithmetic of the point-in-time join, in numpy alone.

An event is *visible* from ``start = max(event_time, available_at)`` on, and inside a window for
queries with ``start <= as_of < event_time + window``. That turns every window into half-open
intervals of as-of times, so that late, early and unordered availability need no case of their own:

* a sum is what started by then minus what ended by then: two prefix sums, two binary searches;
* an extreme is the best interval over each query: every interval is laid on the sorted queries as
  two overlapping power-of-two spans, which are then pushed down level by level;
* the newest event is a running maximum of its rank over the order of starts.

Prefix sums restart at every key and run in the order of starts, so no bit of a result depends on
another key, on other queries, or on an event that was not visible yet. All times are int64
microseconds since 1970-01-01 UTC. Cost: O((n + m) log(n + m)) for n events and m queries.

It refuses nothing: types are checked before, by `lakeloom.features.views`. Values that are not
finite count as absent, since one infinity would spoil every later prefix sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def rank(keys: Ints, times: Ints, of_keys: Ints, of_times: Ints, *, inclusive: bool) -> Ints:
    """Count, for each pair ``(of_key, of_time)``, the pairs before it.

    Parameters
    ----------
    keys, times : int64 array, shape (n,)
        Pairs, sorted by key and then time.
    of_keys, of_times : int64 array, shape (m,)
        In any order.
    inclusive : bool
        Whether pairs that are equal count too.

    Returns
    -------
    int64 array, shape (m,)
        Positions in the sorted pairs.
    """
    # Ranks instead of times, so that key and time fit into one int64 whatever the span of the times.
    grid = np.unique(times)
    width = len(grid) + 1
    pairs = keys * width + np.searchsorted(grid, times, side="left")
    wanted = of_keys * width + np.searchsorted(grid, of_times, side="right" if inclusive else "left")
    return np.searchsorted(pairs, wanted, side="left").astype(np.int64)


@dataclass(frozen=True)
class Queries:
    """Distinct (key, as_of) pairs, sorted by key and then as_of."""

    keys: Ints
    as_of: Ints


@dataclass(frozen=True)
class Events:
    """Events sorted by (key, event_time, available_at, values): the later in a key, the newer.

    Equal rows apart, that order is total, so the result does not depend on how the rows arrived.
    """

    keys: Ints
    event_time: Ints
    available_at: Ints

    @cached_property
    def start(self) -> Ints:
        """From when on each event is visible."""
        return np.maximum(self.event_time, self.available_at)

    @cached_property
    def by_start(self) -> Ints:
        """The order of (key, start); ties keep the order of the events."""
        return np.lexsort((self.start, self.keys)).astype(np.int64)

    @cached_property
    def borders(self) -> Ints:
        """Where each key's events begin, shape (keys + 1,) for keys 0 … max."""
        last = int(self.keys[-1]) if len(self.keys) else -1
        return np.searchsorted(self.keys, np.arange(last + 2)).astype(np.int64)


@dataclass(frozen=True)
class Sight:
    """Events and the queries that look at them; what all windows share is computed once."""

    events: Events
    queries: Queries

    @cached_property
    def started(self) -> Ints:
        """How many events, in the order of starts, come no later than each query."""
        order = self.events.by_start
        keys, start = self.events.keys[order], self.events.start[order]
        return rank(keys, start, self.queries.keys, self.queries.as_of, inclusive=True)

    @cached_property
    def first(self) -> Ints:
        """The position of the first event of each query's key."""
        borders = self.events.borders
        found: Ints = borders[np.minimum(self.queries.keys, len(borders) - 1)]
        return found


def newest(sight: Sight, ttl_us: int | None = None) -> Ints:
    """Return the newest visible event of each query, or -1.

    The newest is the one with the latest event time, then the latest availability, then the
    greatest values. It is dropped where it is older than `ttl_us` at the as-of time (equal is kept).
    """
    events, queries = sight.events, sight.queries
    if not len(events.keys):
        return np.full(len(queries.keys), -1, dtype=np.int64)
    position = sight.started
    best = np.maximum.accumulate(events.by_start)
    found = best[np.maximum(position - 1, 0)]
    # Positions grow with the key, so a running maximum can't reach over into an earlier key's events
    # unless the query's own key has none visible.
    known = position > sight.first
    if ttl_us is not None:
        known &= queries.as_of - events.event_time[found] <= ttl_us
    return np.where(known, found, -1)


@dataclass(frozen=True)
class Window:
    """The events inside one window, for every query; made once and shared by the window's columns."""

    sight: Sight
    window_us: int

    @cached_property
    def _used(self) -> NDArray[np.bool_]:
        """Whether an event is ever inside: one known only after the window has passed is not."""
        events = self.sight.events
        used: NDArray[np.bool_] = events.start < events.event_time + self.window_us
        return used

    @cached_property
    def _ended(self) -> Ints:
        """How many events, in their own order, have left the window by each query."""
        events, queries = self.sight.events, self.sight.queries
        return rank(events.keys, events.event_time, queries.keys, queries.as_of - self.window_us, inclusive=True)

    def sums(self, weights: Floats) -> Floats:
        """Return the sums of `weights`, shape (n, c), over each query's window, shape (m, c)."""
        live = np.where(self._used[:, None], weights, 0.0)
        sight = self.sight
        opened = _read(self._prefix(live[sight.events.by_start]), sight.started, sight.first)
        return opened - _read(self._prefix(live), self._ended, sight.first)

    def _prefix(self, weights: Floats) -> Floats:
        total = np.empty_like(weights)
        borders = self.sight.events.borders
        for low, high in pairwise(borders):
            if high > low:
                np.cumsum(weights[low:high], axis=0, out=total[low:high])
        return total

    def extreme(self, values: Floats, greatest: bool) -> Floats:
        """Return the least or the greatest of `values`, shape (n,), in each window; NaN where it is empty."""
        better: Any = np.maximum if greatest else np.minimum
        worst = -np.inf if greatest else np.inf
        mine = np.flatnonzero(self._used & np.isfinite(values))
        events, queries = self.sight.events, self.sight.queries
        keys, end = events.keys[mine], events.event_time[mine] + self.window_us
        low = rank(queries.keys, queries.as_of, keys, events.start[mine], inclusive=False)
        high = rank(queries.keys, queries.as_of, keys, end, inclusive=False)
        covers = high > low
        low, high, best = low[covers], high[covers], values[mine][covers]
        # frexp is exact: the exponent of an integer below 2**53 is its bit length.
        level = np.frexp((high - low).astype(np.float64))[1].astype(np.int64) - 1
        above = np.full(len(queries.keys), worst)
        for step in range(int(level.max(initial=-1)), -1, -1):
            here = above
            at = level == step
            better.at(here, low[at], best[at])
            better.at(here, high[at] - (1 << step), best[at])
            if step:
                half = 1 << (step - 1)
                above = here.copy()
                above[half:] = better(above[half:], here[: len(here) - half])
        return np.where(np.isinf(above), np.nan, above)


def _read(prefix: Floats, position: Ints, first: Ints) -> Floats:
    if not len(prefix):
        return np.zeros((len(position), prefix.shape[1]))
    inside = (position > first)[:, None]
    return np.where(inside, prefix[np.maximum(position - 1, 0)], 0.0)


def aggregates(window: Window, values: Floats, wanted: frozenset[str]) -> dict[str, Floats]:
    """Return window aggregates of one column.

    Parameters
    ----------
    window : Window
    values : float64 array, shape (n,)
        NaN and infinities count as absent.
    wanted : frozenset of str
        Out of mean, share, count, sum, min, max, std (of a sample: NaN below two values).

    Returns
    -------
    dict
        Aggregate to float64 array, shape (m,): NaN over nothing, but count is 0.
    """
    there = np.isfinite(values)
    plain = np.where(there, values, 0.0)
    shift = _firsts(window.sight.events, plain, there)
    apart = np.where(there, plain - shift, 0.0)
    columns = [there.astype(np.float64), plain]
    if "std" in wanted:
        columns += [apart, apart * apart]
    sums = window.sums(np.column_stack(columns))
    count = sums[:, 0]
    empty = count == 0
    some = np.maximum(count, 1)
    given: dict[str, Floats] = {"count": count, "sum": np.where(empty, np.nan, sums[:, 1])}
    given["mean"] = given["share"] = np.where(empty, np.nan, sums[:, 1] / some)
    if "std" in wanted:
        spread = np.maximum(sums[:, 3] - sums[:, 2] ** 2 / some, 0.0)
        given["std"] = np.where(count < 2, np.nan, np.sqrt(spread / np.maximum(count - 1, 1)))
    for name in wanted & {"min", "max"}:
        given[name] = window.extreme(values, greatest=name == "max")
    return {name: given[name] for name in wanted}


def _firsts(events: Events, values: Floats, there: NDArray[np.bool_]) -> Floats:
    """Return each event's key's first value by start: sums of squares about it do not cancel.

    It is the first and not the mean, since a mean would carry the future into the last bits.
    """
    order = events.by_start[there[events.by_start]]
    keys, at = np.unique(events.keys[order], return_index=True)
    shift = np.zeros(len(events.borders))
    shift[keys] = values[order][at]
    found: Floats = shift[events.keys]
    return found
