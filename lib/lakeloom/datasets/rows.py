"""Rows of a dataset: which are kept, which split they are in, and their number.

``_row`` counts from 0 in the order of (the split's time, keys) and is a pure function of the rows:
every day's rows are numbered among themselves and begin where the days before them end. Unlike a
sampled range sort it depends neither on partitions nor on adaptive execution, and unlike one global
window no worker sees more than a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakeloom.core.errors import FeatureError
from lakeloom.datasets.columns import AS_OF, ROW
from lakeloom.datasets.splits import NONE, SplitSpec
from lakeloom.features.expressions import types

BY = "_by"
_DAY = "_day"
# Hashes are compared with shares in steps of one in a billion.
_STEPS = 1_000_000_000


def chance(seed: int, keys: Sequence[str]) -> Column:
    """Return a number in [0, 1) that depends on the seed and the keys alone."""
    hashed = F.xxhash64(F.lit(f"lakeloom:{seed}"), *(F.col(f"`{key}`") for key in keys))
    return F.pmod(hashed, F.lit(_STEPS)) / F.lit(float(_STEPS))


def split_time(frame: DataFrame, split: SplitSpec, as_of: Column, where: str) -> Column:
    """Return the time that splits and orders: ``by`` as DATE or TIMESTAMP, the as-of time for random splits.

    Raises
    ------
    FeatureError
        LL-FEATURE-002 where ``by`` is of another type or does not analyse.
    """
    if split.by is None:
        return as_of
    kind = types(frame, {"by": split.by}, f"{where}.split")["by"]
    if not isinstance(kind, T.DateType | T.TimestampType):
        raise FeatureError(
            "LL-FEATURE-002",
            f"'{split.by}' is {kind.simpleString()}; a split is by a date or a timestamp",
            where=f"{where}.split.by",
            fix="give a column with the time that is predicted",
        )
    return F.expr(split.by)


def split_name(split: SplitSpec, by: Column, keys: Sequence[str]) -> Column:
    """Return the split of each row by its time or chance, ``none`` where it lies in none."""
    cases: list[tuple[Column, str]] = []
    if split.random is not None:
        drawn = chance(split.seed, keys)
        bounds = zip(split.random, accumulate(split.random.values()), strict=True)
        # Rounding up the last bound keeps shares that sum to one from leaving out the largest hash.
        cases += [(drawn < F.lit(bound + 1e-9), name) for name, bound in bounds]
    else:
        for days in split.ranges():
            inside = by.isNotNull()
            if days.start is not None:
                inside &= by >= F.lit(days.start).cast("timestamp")
            if days.end is not None:
                inside &= by < F.lit(days.end).cast("timestamp")
            cases.append((inside, days.name))
    named = F.lit(NONE)
    for inside, name in reversed(cases):
        named = F.when(inside, F.lit(name)).otherwise(named)
    return named


def number(frame: DataFrame, keys: Sequence[str], masked: Column, where: str) -> DataFrame:
    """Check the rows and add ``_row``; two small aggregates run.

    Parameters
    ----------
    frame : DataFrame
        Has `keys`, ``_as_of`` and ``_by``.
    keys : sequence of str
    masked : Column
        True where a key is a feature too, but was not known as of the time.

    Raises
    ------
    FeatureError
        LL-FEATURE-001 where `masked`, LL-FEATURE-003 where an as-of time is NULL, LL-FEATURE-004 where
        keys are NULL or not unique; all with the number of rows.
    """
    columns = [F.col(f"`{key}`") for key in keys]
    keyless = reduce(or_, (column.isNull() for column in columns))
    # Rows without a time come first, under a day that no timestamp has.
    dated = frame.withColumn(_DAY, F.coalesce(F.datediff(F.col(BY).cast("date"), F.lit("1970-01-01")), F.lit(-(2**31))))
    days = (
        dated.groupBy(_DAY)
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_if(F.col(AS_OF).isNull()).alias("timeless"),
            F.count_if(keyless).alias("keyless"),
            F.count_if(masked).alias("masked"),
        )
        .orderBy(_DAY)
        .collect()
    )
    doubles = frame.groupBy(*columns).count().where("count > 1").agg(F.coalesce(F.sum("count"), F.lit(0))).first()
    mistakes = (
        (sum(day.timeless for day in days), "LL-FEATURE-003", "have no as-of time", "give as_of a value on every row"),
        (sum(day.keyless for day in days), "LL-FEATURE-004", "have a NULL in their keys", "take others"),
        (doubles[0] if doubles else 0, "LL-FEATURE-004", "share their keys with another row", "add a column to keys"),
        (
            sum(day.masked for day in days),
            "LL-FEATURE-001",
            "have a key that is a feature too, but was not known as of their time",
            "take the column out of the keys or out of the features",
        ),
    )
    for rows, code, what, fix in mistakes:
        if rows:
            raise FeatureError(code, f"{rows} rows {what}", where=where, fix=fix)
    starts = accumulate((day.rows for day in days), initial=0)
    offsets = frame.sparkSession.createDataFrame(
        [(day[_DAY], start) for day, start in zip(days, starts, strict=False)], f"{_DAY} int, _start bigint"
    )
    order = Window.partitionBy(_DAY).orderBy(BY, *columns)
    return (
        dated.join(F.broadcast(offsets), _DAY)
        .withColumn(ROW, F.col("_start") + F.row_number().over(order) - F.lit(1))
        .drop(_DAY, "_start")
    )
