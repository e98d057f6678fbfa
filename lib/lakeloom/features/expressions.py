"""The SQL expressions of feature views and datasets, analysed against a frame before anything runs.

What Spark's analysis refuses becomes LL-FEATURE-002 with the place and Spark's own suggestion.
Times must be instants (TIMESTAMP): a local time without a zone has no place on the axis of what
was known when, and a date would silently become a midnight.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakeloom.core.errors import FeatureError

_WHOLE = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
_BROKEN = (T.FloatType, T.DoubleType, T.DecimalType)


def types(frame: DataFrame, expressions: Mapping[str, str], where: str) -> dict[str, T.DataType]:
    """Return the types of SQL `expressions` over `frame`, without running anything.

    Raises
    ------
    FeatureError
        LL-FEATURE-002 for SQL that does not parse or names what is not there.
    """
    found = {}
    for name, sql in expressions.items():
        try:
            found[name] = frame.select(F.expr(sql).alias(name)).schema[0].dataType
        except (AnalysisException, ParseException) as wrong:
            raise FeatureError(
                "LL-FEATURE-002",
                f"'{sql}' does not analyse: {str(wrong).splitlines()[0]}",
                where=f"{where}.{name}",
                fix=f"the columns are {', '.join(frame.columns)}",
            ) from wrong
    return found


def instant(frame: DataFrame, name: str, sql: str, where: str) -> Column:
    """Return `sql` as a column; raises LL-FEATURE-002 unless it is a TIMESTAMP."""
    kind = types(frame, {name: sql}, where)[name]
    if not isinstance(kind, T.TimestampType):
        raise FeatureError(
            "LL-FEATURE-002",
            f"'{sql}' is {kind.simpleString()}; a time must be an instant (timestamp)",
            where=f"{where}.{name}",
            fix="make it one: to_utc_timestamp(…) for local times, cast(… as timestamp) for dates",
        )
    return F.expr(sql)


def value(column: Column, kind: T.DataType, name: str, where: str) -> Column:
    """Return `column` in one of the four types of a feature: double, bigint, string or boolean.

    Raises
    ------
    FeatureError
        LL-FEATURE-002 for times, dates, binaries and nested types, which are no feature as they are.
    """
    if isinstance(kind, _WHOLE):
        return column.cast("bigint")
    if isinstance(kind, _BROKEN):
        return column.cast("double")
    if isinstance(kind, T.StringType | T.BooleanType):
        return column
    if isinstance(kind, T.NullType):
        return column.cast("double")
    raise FeatureError(
        "LL-FEATURE-002",
        f"'{name}' is {kind.simpleString()}; a feature is a number, a string or a boolean",
        where=where,
        fix="derive one from it, such as hour(…) or unix_timestamp(…)",
    )


def numeric(kind: T.DataType) -> bool:
    """Return whether window aggregates can be taken of values of this type."""
    return isinstance(kind, (*_WHOLE, *_BROKEN, T.BooleanType, T.NullType))
