"""Rows of a database as bronze takes them: names, the hash that marks each, and which are known already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.landing import Batch

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def stored(rows: DataFrame) -> DataFrame:
    """Rename columns to those of bronze; names wholly in capitals are the database's folding and are folded back."""
    from pyspark.sql import functions as F

    names = [stored_name(name.lower() if name.isupper() else name) for name in rows.columns]
    return rows.select(*[F.col(quoted(old)).alias(new) for old, new in zip(rows.columns, names, strict=True)])


def row_hash(columns: Sequence[str]) -> Column:
    """Return a hash of the whole row; NULLs count, which Spark's hash alone passes over."""
    from pyspark.sql import functions as F

    parts: list[Column] = []
    for name in columns:
        parts += [F.col(quoted(name)), F.col(quoted(name)).isNull()]
    return F.xxhash64(*parts)


def marked(rows: DataFrame, *, unique: bool) -> DataFrame:
    """Add ``_record``: the row's hash, and for the second of two equal rows a hash of that and its number.

    Parameters
    ----------
    unique : bool
        Whether no two rows are equal: they are not sorted then.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    found = rows.withColumn("_record", row_hash(rows.columns))
    if unique:
        return found
    nth = F.row_number().over(Window.partitionBy("_record").orderBy("_record"))
    return (
        found.withColumn("_nth", nth)
        .withColumn("_record", F.when(F.col("_nth") == 1, F.col("_record")).otherwise(F.xxhash64("_record", "_nth")))
        .drop("_nth")
    )


def unknown(rows: DataFrame, known: DataFrame, config: JdbcConfig, batch: Batch) -> DataFrame:
    """Return the rows that bronze does not hold: within the overlap any of it, else each key's last state."""
    from pyspark.sql import functions as F

    if config.incremental is None and config.keys:
        keys = [quoted(stored_name(key)) for key in config.keys]
        latest = F.max_by("_position.record", "_position.epoch").alias("_record")
        return rows.join(known.groupBy(*keys).agg(latest).select("_record"), "_record", "left_anti")
    held = known
    if config.incremental is not None and batch["since"] is not None:
        by = F.col(quoted(stored_name(config.incremental.by)))
        first = F.lit(batch["since"]).cast(known.select(by).schema[0].dataType)
        held = known.where((by >= first) | by.isNull())
    return rows.join(held.select(F.col("_position.record").alias("_record")), "_record", "left_anti")
