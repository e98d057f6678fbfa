"""One bucket of the point-in-time join: Arrow tables in, Arrow table out.

A bucket holds whole entities: all events and all queries of the keys that hash into it. This is
the function that Spark's workers run; it needs neither Spark nor pydantic, and tests call it as it
is. Composite keys are compared as tuples, column by column, never as joined text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakeloom.features.asof import Events, Floats, Ints, Queries, Sight, Window, aggregates, newest

VIEW = "_view"


@dataclass(frozen=True)
class Answer:
    """One column to give: `column` of the events under `aggregate`, named `name`."""

    name: str
    column: str
    aggregate: str
    window_us: int = 0


@dataclass(frozen=True)
class Ask:
    """What is asked of one view's events: those whose ``_view`` is `number`.

    Attributes
    ----------
    number : int
    columns : tuple of str
        The value columns, in declared order; they break the last ties between events.
    answers : tuple of Answer
    ttl_us : int, optional
        For ``last`` and ``age``, microseconds from event time.
    lag_us : int
        The view is looked at this much before the as-of time.
    """

    number: int
    columns: tuple[str, ...]
    answers: tuple[Answer, ...]
    ttl_us: int | None = None
    lag_us: int = 0


def look_up(queries: pa.Table, events: pa.Table, keys: tuple[str, ...], as_of: str, asks: tuple[Ask, ...]) -> pa.Table:
    """Answer `asks` for every distinct (keys, as_of) of `queries`.

    Parameters
    ----------
    queries : Table
        Columns `keys` (no nulls) and `as_of` (timestamp in microseconds).
    events : Table
        Columns `keys`, ``_view``, ``_event_time``, ``_available_at`` and every ask's value columns.

    Returns
    -------
    Table
        `keys`, `as_of` and the answers: ``last`` in its column's type, ``count`` int64, else double.
    """
    ours, theirs = _codes(queries, events, keys)
    times = _micros(queries, as_of)
    order = np.lexsort((times, ours))
    ours, times = ours[order], times[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (ours[1:] != ours[:-1]) | (times[1:] != times[:-1])
    ours, times = ours[fresh], times[fresh]
    given = queries.select([*keys, as_of]).take(pa.array(order[fresh]))
    number = events[VIEW].to_numpy()
    for ask in asks:
        mine = np.flatnonzero(number == ask.number)
        answers = _answer(events.take(pa.array(mine)), theirs[mine], Queries(ours, times - ask.lag_us), ask)
        for name, column in answers.items():
            given = given.append_column(name, column)
    return given


def _answer(table: pa.Table, codes: Ints, queries: Queries, ask: Ask) -> dict[str, Any]:
    table = table.append_column("_code", pa.array(codes))
    order = ["_code", "_event_time", "_available_at", *ask.columns]
    table = table.take(pc.sort_indices(table, sort_keys=[(name, "ascending") for name in order])).combine_chunks()
    events = Events(table["_code"].to_numpy(), _micros(table, "_event_time"), _micros(table, "_available_at"))
    sight = Sight(events, queries)
    given: dict[str, Any] = {}
    if any(answer.aggregate in ("last", "age") for answer in ask.answers):
        found = newest(sight, ask.ttl_us)
        rows = pa.array(found, mask=found < 0)
    windows = {length: Window(sight, length) for length in sorted({one.window_us for one in ask.answers})}
    computed: dict[tuple[str, int], dict[str, Floats]] = {}
    for answer in ask.answers:
        if answer.aggregate == "last":
            given[answer.name] = table[answer.column].take(rows)
        elif answer.aggregate == "age":
            minutes = (queries.as_of - events.event_time[found]) / 60e6 if len(codes) else np.zeros(len(found))
            given[answer.name] = pa.array(minutes, mask=found < 0)
        else:
            which = (answer.column, answer.window_us)
            if which not in computed:
                wanted = frozenset(one.aggregate for one in ask.answers if (one.column, one.window_us) == which) - {
                    "last",
                    "age",
                }
                values = _floats(table[answer.column])
                computed[which] = aggregates(windows[answer.window_us], values, wanted)
            given[answer.name] = _column(answer.aggregate, computed[which][answer.aggregate])
    return given


def _column(aggregate: str, values: Floats) -> pa.Array:
    if aggregate == "count":
        return pa.array(np.rint(values).astype(np.int64))
    return pa.array(values, from_pandas=True)


def _micros(table: pa.Table, name: str) -> Ints:
    column = table[name].cast(pa.timestamp("us", table[name].type.tz)).cast(pa.int64())
    times: Ints = column.to_numpy()
    return times


def _floats(column: Any) -> Floats:
    """Return values as float64, nulls as NaN; of what is no number only whether it is there."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        column = pc.if_else(column.is_valid(), 1.0, None)
    values: Floats = column.cast(pa.float64(), safe=False).to_numpy()
    return values


def _codes(queries: pa.Table, events: pa.Table, keys: tuple[str, ...]) -> tuple[Ints, Ints]:
    """Number the distinct key tuples over both tables from 0."""
    codes = np.zeros(len(queries) + len(events), dtype=np.int64)
    for key in keys:
        both = pa.chunked_array([*queries[key].chunks, *events[key].chunks], type=queries[key].type)
        encoded = both.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.unify_dictionaries().combine_chunks()
        numbers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = np.unique(codes * (len(encoded.dictionary) + 1) + numbers, return_inverse=True)[1].astype(np.int64)
    return codes[: len(queries)], codes[len(queries) :]
