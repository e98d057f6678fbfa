"""Bronze: raw rows as they came, append-only, each with where it came from and when.

``_position`` is a struct (epoch, file, record) that sorts in the order of arrival: epoch of the
landing, index of the file in it, record in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted

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

    raw = [quoted(name) for name in frame.columns if name not in ("_file", "_file_no", "_record")]
    return frame.select(
        position(mark.epoch).alias("_position"),
        *raw,
        F.lit(source).alias("_source"),
        F.col("_file"),
        F.lit(mark.clock).cast("timestamp").alias("_ingested_at"),
        F.lit(mark.run).alias("_run"),
    )


def position(epoch: int | Column) -> Column:
    """Return the column ``_position`` over ``_file_no`` and ``_record``."""
    from pyspark.sql import functions as F

    return F.struct(
        (F.lit(epoch) if isinstance(epoch, int) else epoch).cast("bigint").alias("epoch"),
        F.col("_file_no").cast("int").alias("file"),
        F.col("_record").cast("bigint").alias("record"),
    )


def rejected(broken: DataFrame, step: str, mark: Stamp, landing: Column | None = None) -> DataFrame:
    """Turn a source's unreadable rows and files into entries of the quarantine table.

    Parameters
    ----------
    landing : Column, optional
        The epoch of the landing that they came with, where it is not that of `mark`.
    """
    from pyspark.sql import functions as F

    place = position(mark.epoch if landing is None else landing)
    return broken.select(
        entry_id(step, place, F.lit(None)).alias("id"),
        place.alias("position"),
        F.col("raw").cast("string"),
        F.lit(None).cast("string").alias("row"),
        F.col("bytes").cast("binary"),
        F.col("reasons").cast("array<string>"),
        F.col("_file").alias("file"),
        F.lit(step).alias("step"),
        F.lit(mark.epoch).cast("bigint").alias("epoch"),
        F.lit(mark.run).alias("run"),
        F.lit(mark.clock).cast("timestamp").alias("at"),
        F.lit("").alias("code"),
        *undecided(),
    )


def entry_id(step: str, place: Column, row: Column) -> Column:
    """Return the name of a quarantined row: 16 hexadecimal digits of its step and place, or of the row without one."""
    from pyspark.sql import functions as F

    parts = [place.getField(name).cast("string") for name in ("epoch", "file", "record")]
    where = F.when(place.isNotNull(), F.concat_ws(".", F.lit("at"), *parts)).otherwise(
        F.concat_ws(".", F.lit("row"), row.cast("string"))
    )
    return F.substring(F.sha2(F.concat_ws(" ", F.lit(step), where), 256), 1, 16)


def undecided() -> list[Column]:
    """Return the columns of an entry about which nothing has been decided yet.

    state (open, fixed, replayed, dropped), fix (column → value, as JSON), fix_on (``raw``: laid over the bronze
    row, ``row``: over what the transform made, ``file``: a corrected file), why, who, changed_at, changed_run.
    """
    from pyspark.sql import functions as F

    kinds = {"fix": "string", "fix_on": "string", "why": "string", "who": "string", "changed_at": "timestamp",
             "changed_run": "string"}  # fmt: skip
    return [F.lit("open").alias("state"), *[F.lit(None).cast(kind).alias(name) for name, kind in kinds.items()]]
