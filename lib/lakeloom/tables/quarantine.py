"""The rows of a table that broke a rule, as rows of its quarantine table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.quality.rows import UNREAD
from lakeloom.tables.bronze import POSITION, Stamp

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


# How a frame's columns are called while it is joined to the rows that it was made of.
_AT, _RAW, _FROM = "_origin_position", "_origin_raw", "_origin_file"


def rejected(broken: DataFrame, step: str, mark: Stamp, origin: DataFrame | None = None) -> DataFrame:
    """Return the quarantine rows of judged rows.

    Parameters
    ----------
    broken : DataFrame
        Rows with ``_reasons array<string>``; ``_position`` and ``_file`` where the transform kept them, and
        ``_unread`` where cleansing met values that it could not read.
    origin : DataFrame, optional
        The bronze rows that the transform read, where all positions are those of one bronze table. What
        a cast turned to NULL still stands there.

    Returns
    -------
    DataFrame
        position, raw (as JSON: the bronze row; where its origin is unknown the judged row, with what could
        not be read under ``_unread``), row (the
        judged row as JSON), bytes, reasons, file, step, epoch, run, at.
    """
    from pyspark.sql import functions as F

    row = _json([name for name in broken.columns if not name.startswith("_")])
    has = set(broken.columns)
    place = F.col("_position").cast(POSITION) if "_position" in has else F.lit(None).cast(POSITION)
    file = F.col("_file") if "_file" in has else F.lit(None).cast("string")
    raw = _json([name for name in broken.columns if not name.startswith("_")], unread=UNREAD in has)
    if origin is not None and "_position" in has:
        values = [name for name in origin.columns if not name.startswith("_")]
        rows = origin.select(F.col("_position").alias(_AT), _json(values).alias(_RAW), F.col("_file").alias(_FROM))
        broken = broken.join(rows, place == F.col(_AT), "left")
        raw, file = F.coalesce(F.col(_RAW), raw), F.coalesce(F.col(_FROM), file)
    return broken.select(
        place.alias("position"),
        raw.alias("raw"),
        row.alias("row"),
        F.lit(None).cast("binary").alias("bytes"),
        F.col("_reasons").alias("reasons"),
        file.alias("file"),
        F.lit(step).alias("step"),
        F.lit(mark.epoch).cast("bigint").alias("epoch"),
        F.lit(mark.run).alias("run"),
        F.lit(mark.clock).cast("timestamp").alias("at"),
    )


def _json(names: list[str], *, unread: bool = False) -> Column:
    from pyspark.sql import functions as F

    # NULL is left out by to_json, an empty array is not.
    lost = [F.when(F.size(UNREAD) > 0, F.col(UNREAD)).alias(UNREAD)] if unread else []
    return F.to_json(F.struct(*[F.col(f"`{name}`") for name in names], *lost))
