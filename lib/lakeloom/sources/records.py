"""Files → numbered records: what the formats share of raw columns, the raw text and what is wrong with it.

A record's number is its split's first byte plus its index in the split, so it is unique in the file,
sorts as the file does and depends on the file alone: Spark is told to make each split a partition of
its own, of a size pinned in the batch. (A text record has at least a byte; Parquet tells its row
numbers itself.) Numbers are given before anything is filtered.

Every value is read as text, or with the type that the file gives it, then cast, see `lakeloom.sources.typed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.sources.listing import spark_path

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

SPLIT_BYTES = 128 << 20
# Spark lists files by a job of so many tasks; by default of one a file.
_LISTING_TASKS = 32
CORRUPT, RAW, REASONS = "_corrupt_record", "_raw", "_reasons"
MARKS = ("_path", "_record", RAW, REASONS)
_INDEX_BITS = (1 << 33) - 1  # monotonically_increasing_id: partition in the upper bits, index in the lower 33


@dataclass(frozen=True)
class Group:
    """Files that are read together, since they have the same columns.

    Attributes
    ----------
    paths : tuple of str
        Full paths.
    header : tuple of str
        The columns as the files name them; for Parquet ``name<TAB>type``, for XML ``name[]`` where it repeats.
    """

    paths: tuple[str, ...]
    header: tuple[str, ...]


def pin_splits(spark: SparkSession, split_bytes: int) -> None:
    """Make each split of a file a partition of its own; settings of the step's session."""
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(split_bytes))
    spark.conf.set("spark.sql.files.openCostInBytes", str(split_bytes))
    spark.conf.set("spark.sql.sources.parallelPartitionDiscovery.parallelism", str(_LISTING_TASKS))
    spark.conf.set("spark.sql.files.ignoreCorruptFiles", "false")
    spark.conf.set("spark.sql.files.ignoreMissingFiles", "false")


def numbered(frame: DataFrame, *columns: Column) -> DataFrame:
    """Select `columns` with path, record number and index; one projection, so that no filter moves below it."""
    from pyspark.sql import functions as F

    start = F.col("_metadata.file_block_start")
    path = F.col("_metadata.file_path").alias("_path")
    index = F.monotonically_increasing_id().bitwiseAND(F.lit(_INDEX_BITS))
    return frame.select(*columns, path, start.alias("_start"), index.alias("_index"))


def marks(raw: Column, reason: Column) -> list[Column]:
    """Return the marks of numbered records: `MARKS`, the reasons empty where `reason` is NULL."""
    from pyspark.sql import functions as F

    return [
        F.col("_path"),
        (F.col("_start") + F.col("_index")).alias("_record"),
        raw.alias(RAW),
        F.array_compact(F.array(reason)).alias(REASONS),
    ]


def sound(record: Column) -> list[Column]:
    """Return the marks of records that number themselves and can't be broken."""
    from pyspark.sql import functions as F

    return [
        F.col("_metadata.file_path").alias("_path"),
        record.alias("_record"),
        F.lit(None).cast("string").alias(RAW),
        F.array().cast("array<string>").alias(REASONS),
    ]


def lines(spark: SparkSession, group: Group, *columns: Column) -> DataFrame:
    """Return the numbered lines that hold more than blanks, as ``value``, with `columns` of them."""
    from pyspark.sql import functions as F

    return numbered(files(spark, "text", group.paths), F.col("value"), *columns).where(F.trim("value") != "")


def files(spark: SparkSession, kind: str, paths: Sequence[str], **more: object) -> DataFrame:
    """Return what Spark's reader of a kind makes of exactly these files; `more` are its options, and ``schema``."""
    reader = spark.read.format(kind)
    schema = more.pop("schema", None)
    if isinstance(schema, str):
        reader = reader.schema(schema)
    for key, value in more.items():
        reader = reader.option(key, str(value))
    return reader.load([spark_path(path) for path in paths])


def corrupt(field: Column, reason: str) -> Column:
    """Return `reason` for corrupt records.

    Spark refuses a query over the corrupt column alone, so the condition also reads a field, in a way
    that is always true and that no optimiser folds.
    """
    from pyspark.sql import functions as F

    also = F.coalesce(F.length(field.cast("string")), F.lit(0)) >= 0
    return F.when(F.col(CORRUPT).isNotNull() & also, F.lit(reason))
