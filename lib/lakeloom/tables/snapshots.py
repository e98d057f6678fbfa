"""Whole states of a source → the changes between them.

A source that is copied whole each time says what is there and never what has gone. Laid side by
side in order, each state tells it by what it lacks: a key of one state that the next one has not was
deleted then. Rows that are equal to those of the state before are no changes. A state without any
row can't be seen in rows, so it deletes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import TableError
from lakeloom.core.names import quoted
from lakeloom.quality.marks import FAULTS, with_faults
from lakeloom.store.manner import DELETED
from lakeloom.tables.history import comparable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LATE = "late snapshot"
_MOST = 10_000
_AT, _NEXT, _BEFORE, _ORDER = "_snapshot", "_next", "_before", "_order"


def refuse_late(frame: DataFrame, by: str, last: str) -> DataFrame:
    """Return the rows with a reason in ``_faults`` where their state is not later than the one taken last.

    Parameters
    ----------
    last : str
        As `newest_state` wrote it.
    """
    from pyspark.sql import functions as F

    late = F.col(quoted(by)) <= F.lit(last).cast(dict(frame.dtypes)[by])
    return frame.withColumn(FAULTS, with_faults(frame.columns, F.array_compact(F.array(F.when(late, F.lit(LATE))))))


def newest_state(frame: DataFrame, by: str) -> str | None:
    """Return the last state of the rows as text, None for no rows."""
    from pyspark.sql import functions as F

    row = frame.agg(F.max(quoted(by)).cast("string")).first()
    return row[0] if row is not None else None


def changes(frame: DataFrame, keys: Sequence[str], by: str, live: DataFrame | None, where: str = "") -> DataFrame:
    """Return the changes that a series of whole states makes.

    Parameters
    ----------
    frame : DataFrame
        The rows of one state and more; keys are unique in each.
    by : str
        The column that tells the states apart and orders them.
    live : DataFrame, optional
        What the table holds now, which counts as the state before the first; with the frame's columns.

    Returns
    -------
    DataFrame
        The frame's columns and ``_deleted``. A deletion has the values that its key had last, at the place of the
        state that lacks it.

    Raises
    ------
    TableError
        LL-TABLE-010 for more than 10,000 states at once.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    at = F.col(quoted(by))
    found = frame.select(at.alias(by)).distinct().orderBy(by).limit(_MOST + 1)
    states = [row[0] for row in found.collect()]
    if len(states) > _MOST:
        raise TableError(
            "LL-TABLE-010",
            f"{where}: {by} has more than {_MOST:,} values; it does not tell whole states apart",
            where=where,
            fix="name the column that is one for all rows of a copy, such as the day it was taken",
        )
    kind = dict(frame.dtypes)[by]
    numbers = frame.sparkSession.createDataFrame(
        [(state, index + 1) for index, state in enumerate(states)], f"{quoted(by)} {kind}, {_AT} int"
    )
    every = frame.join(F.broadcast(numbers), by)
    if live is not None:
        known = [quoted(name) for name in frame.columns if name in live.columns]
        every = every.unionByName(live.select(*known).withColumn(_AT, F.lit(0)), allowMissingColumns=True)
    told = [name for name in frame.columns if name not in (*keys, by) and not name.startswith("_")]
    key = Window.partitionBy(*[F.col(quoted(name)) for name in keys]).orderBy(_AT)
    state = F.struct(F.col(_AT).alias("at"), comparable(frame, told).alias("row"))
    every = every.withColumn(_NEXT, F.lead(_AT).over(key)).withColumn(_BEFORE, F.lag(state).over(key))
    same = (F.col(f"{_BEFORE}.at") == F.col(_AT) - 1) & F.col(f"{_BEFORE}.row").eqNullSafe(comparable(frame, told))
    written = every.where((F.col(_AT) > 0) & ~F.coalesce(same, F.lit(False)))
    last = F.lit(len(states))
    gone = every.where((F.col(_AT) < last) & (F.col(_NEXT).isNull() | (F.col(_NEXT) > F.col(_AT) + 1)))
    after = numbers.select(F.col(quoted(by)).alias(_ORDER), (F.col(_AT) - 1).alias(_AT))
    gone = gone.join(F.broadcast(after), _AT).withColumn(by, F.col(_ORDER))
    names = [F.col(quoted(name)) for name in frame.columns]
    return written.select(*names, F.lit(False).alias(DELETED)).unionByName(
        gone.select(*names, F.lit(True).alias(DELETED))
    )
