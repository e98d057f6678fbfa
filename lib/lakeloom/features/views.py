"""Materialising a view: its table's rows become events with keys, two times and values.

The events are what ``features.<view>`` holds: the key columns, ``_event_time``, ``_available_at``
and one column for each declared value. Rows that can't be placed (a key or a time is NULL) are left
out and counted.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakeloom.core.errors import FeatureError
from lakeloom.features.expressions import instant, numeric, types, value
from lakeloom.features.spec import FeatureView

EVENT_TIME = "_event_time"
AVAILABLE_AT = "_available_at"
_KEYS = (T.StringType, T.ByteType, T.ShortType, T.IntegerType, T.LongType, T.BooleanType, T.DateType, T.TimestampType)


def materialise(frame: DataFrame, view: FeatureView, name: str = "", facts: Observation | None = None) -> DataFrame:
    """Turn rows into events.

    Parameters
    ----------
    frame : DataFrame
        The view's table at a pinned version.
    view : FeatureView
    name : str
        The view's name, for errors.
    facts : Observation, optional
        Filled by the action that writes the result: ``rows`` (after ``where``) and of these
        ``null_key``, ``null_event_time``, ``null_available_at``, and ``kept``. Spark counts a row as
        often as the action reads it: a global sort on top (it samples first) would double them.

    Returns
    -------
    DataFrame
        Keys as they are, ``_event_time`` and ``_available_at`` (timestamp), then the declared
        columns as double, bigint, string or boolean.

    Raises
    ------
    FeatureError
        LL-FEATURE-002 where a key, column, time or type does not fit the table.
    """
    where = f"features.{name}" if name else f"features on {view.source}"
    if view.where is not None:
        types(frame, {"where": view.where}, where)
        frame = frame.where(F.expr(view.where))
    for key, kind in types(frame, {key: f"`{key}`" for key in view.keys}, f"{where}.keys").items():
        if not isinstance(kind, _KEYS):
            raise FeatureError(
                "LL-FEATURE-002",
                f"key '{key}' is {kind.simpleString()}; keys are compared exactly",
                where=f"{where}.keys",
                fix="use a string, whole number, boolean, date or timestamp",
            )
    expressions = {column: one.expr or f"`{column}`" for column, one in view.columns.items()}
    kinds = types(frame, expressions, f"{where}.columns")
    for column, one in view.columns.items():
        if set(one.of) - {"last", "count"} and not numeric(kinds[column]):
            raise FeatureError(
                "LL-FEATURE-002",
                f"'{column}' is {kinds[column].simpleString()}; {', '.join(one.of)} need numbers or booleans",
                where=f"{where}.columns.{column}",
                fix="give a number by expr, or use last or count",
            )
    events = frame.select(
        *(F.col(f"`{key}`") for key in view.keys),
        instant(frame, "event_time", view.event_time, where).alias(EVENT_TIME),
        instant(frame, "available_at", view.available_at, where).alias(AVAILABLE_AT),
        *(
            value(F.expr(sql), kinds[column], column, f"{where}.columns.{column}").alias(column)
            for column, sql in expressions.items()
        ),
    )
    keyless = reduce(or_, (F.col(f"`{key}`").isNull() for key in view.keys))
    misplaced = keyless | F.col(EVENT_TIME).isNull() | F.col(AVAILABLE_AT).isNull()
    if facts is not None:
        events = events.observe(
            facts,
            F.count(F.lit(1)).alias("rows"),
            F.count_if(keyless).alias("null_key"),
            F.count_if(F.col(EVENT_TIME).isNull()).alias("null_event_time"),
            F.count_if(F.col(AVAILABLE_AT).isNull()).alias("null_available_at"),
            F.count_if(~misplaced).alias("kept"),
        )
    return events.where(~misplaced)
