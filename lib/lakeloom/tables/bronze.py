"""Bronze: raw rows as they came, append-only, each with where it came from and when.

``_position`` is a struct (epoch, file, record) that sorts in the order of arrival: epoch of the
landing, index of the file in it, record in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

POSITION = "struct<epoch:bigint,file:int,record:bigint>"


@dataclass(frozen=True)
class Stamp:
    """What one execution puts on its rows: its epoch, its clock (ISO time in UTC) and its run."""

    epoch: int
    clock: str
    run: str


def stamp(frame: DataFrame, source: str, mark: Stamp) -> DataFrame:
    """Turn a source's rows into bronze rows.

    Parameters
    ----------
    frame : DataFrame
        Raw columns and ``_file``, ``_file_no``, ``_record``.
    source : str
        The source's name.
    mark : Stamp
        Of the landing, from its intent.

    Returns
    -------
    DataFrame
        ``_position``, the raw columns, ``_source``, ``_file``, ``_ingested_at``, ``_run``.
    """
    from pyspark.sql import functions as F

    raw = [f"`{name}`" for name in frame.columns if name not in ("_file", "_file_no", "_record")]
    return frame.select(
        position(mark.epoch).alias("_position"),
        *raw,
        F.lit(source).alias("_source"),
        F.col("_file"),
        F.lit(mark.clock).cast("timestamp").alias("_ingested_at"),
        F.lit(mark.run).alias("_run"),
    )


def position(epoch: int) -> Column:
    """Return the column ``_position`` over ``_file_no`` and ``_record``."""
    from pyspark.sql import functions as F

    return F.struct(
        F.lit(epoch).cast("bigint").alias("epoch"),
        F.col("_file_no").cast("int").alias("file"),
        F.col("_record").cast("bigint").alias("record"),
    )


def rejected(broken: DataFrame, step: str, mark: Stamp) -> DataFrame:
    """Turn a source's unreadable rows and files into rows of the quarantine table."""
    from pyspark.sql import functions as F

    return broken.select(
        position(mark.epoch).alias("position"),
        F.col("raw").cast("string"),
        F.lit(None).cast("string").alias("row"),
        F.col("bytes").cast("binary"),
        F.col("reasons").cast("array<string>"),
        F.col("_file").alias("file"),
        F.lit(step).alias("step"),
        F.lit(mark.epoch).cast("bigint").alias("epoch"),
        F.lit(mark.run).alias("run"),
        F.lit(mark.clock).cast("timestamp").alias("at"),
    )
