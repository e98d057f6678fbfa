"""Groups of rows of which one stays: which rows take part, and which row of a group is kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.quality.judged import CHANGED
from lakeloom.quality.marks import FAULTS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

GROUP, APART, _RANK = "_dup_group", "_dup_apart", "_dup_rank"


def values(frame: DataFrame) -> list[Column]:
    """Return a frame's own columns as values that can be grouped and hashed: maps as their sorted entries."""
    from pyspark.sql import functions as F

    found = []
    for name, kind in frame.dtypes:
        if name.startswith("_"):
            continue
        column = F.col(quoted(name))
        if kind.startswith("map<"):
            column = F.sort_array(F.map_entries(column))
        elif "map<" in kind or "variant" in kind:
            column = F.to_json(F.struct(column))
        found.append(column)
    return found or [F.lit(0)]


def faulty(frame: DataFrame) -> list[Column]:
    """Return the condition under which a row is on its way to quarantine; none where no verb can send one there."""
    from pyspark.sql import functions as F

    return [F.coalesce(F.size(F.col(FAULTS)) > 0, F.lit(False))] if FAULTS in frame.columns else []


def apart(frame: DataFrame, conditions: Sequence[Column]) -> DataFrame:
    """Return the frame with a number in ``APART`` for each row that is a group of its own, else NULL."""
    from pyspark.sql import functions as F

    none: Column = F.lit(False)
    alone = reduce(lambda left, right: left | right, conditions, none)
    # Which number it is does not matter and never gets into a table.
    return frame.withColumn(APART, F.when(alone, F.monotonically_increasing_id()))


def first(rows: DataFrame, order: Sequence[Column], tally: str) -> DataFrame:
    """Return the first row of each ``GROUP`` with the number of the others; it takes over what they had counted."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    group = Window.partitionBy(GROUP)
    before = [name for name in rows.columns if name.startswith(CHANGED)]
    kept = [F.col(quoted(name)) for name in rows.columns if name not in before]
    taken = [F.sum(quoted(name)).over(group).alias(name) for name in before]
    removed = (F.count("*").over(group) - 1).alias(tally)
    rank = F.row_number().over(group.orderBy(*order)).alias(_RANK)
    return rows.select(*kept, *taken, removed, rank).where(F.col(_RANK) == 1).drop(_RANK)
