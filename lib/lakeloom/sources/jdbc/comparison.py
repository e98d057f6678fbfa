"""A whole table against what bronze holds of it, by its keys: which rows are new, which have changed, which are gone.

Bronze is only added to, so a row that is gone is a row of its own: the last that was known of it, and a word
for what was done in a column that the source names. ``changes: {format: generic, operation: <column>}`` of a
table reads it as it reads any stream of changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

INSERT, UPDATE, DELETE = "insert", "update", "delete"


def compared(rows: DataFrame, known: DataFrame | None, keys: Sequence[str], word: str) -> DataFrame:
    """Return the rows that are new, changed or gone, with what was done in the column `word`.

    Parameters
    ----------
    rows : DataFrame
        All rows of the source, with ``_record``.
    known : DataFrame or None
        Bronze; None before the first landing.
    keys : sequence of str
        As bronze spells them; unique in `rows`.
    """
    from pyspark.sql import functions as F

    if known is None:
        return rows.withColumn(word, F.lit(INSERT))
    raw = [name for name in rows.columns if name not in ("_record", word)]
    now = rows.select(F.struct(*map(quoted, raw)).alias("now"), F.col("_record").alias("_now"))
    last = _last(known, raw, dict(rows.dtypes), keys, word)
    same = [F.col("now").getField(key).eqNullSafe(F.col("last").getField(key)) for key in keys]
    met = now.join(last, reduce(lambda left, right: left & right, same), "full_outer")
    done = (
        F.when(F.col("_now").isNull(), DELETE)
        .when(F.col("_last").isNull(), INSERT)
        .when(F.col("_now") != F.col("_last"), UPDATE)
    )
    gone = F.col(word) == DELETE
    return (
        met.withColumn(word, done)
        .where(F.col(word).isNotNull())
        .select(
            *(
                F.when(gone, F.col("last").getField(name)).otherwise(F.col("now").getField(name)).alias(name)
                for name in raw
            ),
            F.when(gone, F.xxhash64("_last", word)).otherwise(F.col("_now")).alias("_record"),
            word,
        )
    )


def _last(known: DataFrame, raw: Sequence[str], types: dict[str, str], keys: Sequence[str], word: str) -> DataFrame:
    """Return each key's last state in bronze, of those that are not gone: ``last`` and its hash ``_last``."""
    from pyspark.sql import functions as F

    held = set(known.columns)
    state = F.struct(
        *((F.col(quoted(name)) if name in held else F.lit(None)).cast(types[name]).alias(name) for name in raw)
    )
    done = F.col(quoted(word)) if word in held else F.lit(INSERT)
    whole = F.struct(state.alias("last"), F.col("_position.record").alias("_last"), done.alias("done"))
    newest = known.groupBy(*map(quoted, keys)).agg(F.max_by(whole, F.col("_position.epoch")).alias("newest"))
    alive = F.coalesce(F.col("newest.done"), F.lit(INSERT)) != DELETE
    return newest.where(alive).select("newest.last", "newest._last")
