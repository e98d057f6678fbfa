"""The rows of a table that broke a rule, as rows of its quarantine table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.tables.bronze import POSITION, Stamp

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def rejected(broken: DataFrame, step: str, mark: Stamp) -> DataFrame:
    """Return the quarantine rows of judged rows.

    Parameters
    ----------
    broken : DataFrame
        Rows with ``_reasons array<string>``; ``_position`` and ``_file`` where the transform kept them.

    Returns
    -------
    DataFrame
        position, raw (the row as JSON), bytes, reasons, file, step, epoch, run, at.
    """
    from pyspark.sql import functions as F

    values = [name for name in broken.columns if not name.startswith("_")]
    has = set(broken.columns)
    place = F.col("_position").cast(POSITION) if "_position" in has else F.lit(None).cast(POSITION)
    return broken.select(
        place.alias("position"),
        F.to_json(F.struct(*[F.col(f"`{name}`") for name in values])).alias("raw"),
        F.lit(None).cast("binary").alias("bytes"),
        F.col("_reasons").alias("reasons"),
        (F.col("_file") if "_file" in has else F.lit(None).cast("string")).alias("file"),
        F.lit(step).alias("step"),
        F.lit(mark.epoch).cast("bigint").alias("epoch"),
        F.lit(mark.run).alias("run"),
        F.lit(mark.clock).cast("timestamp").alias("at"),
    )
