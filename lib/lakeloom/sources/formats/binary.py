"""Bytes of any kind, images and audio among them: a file is a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakeloom.sources import scanners
from lakeloom.sources.formats.base import Format
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import Group, files, sound
from lakeloom.sources.scanners import Found

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class BinaryScanner:
    """Only the size is looked at."""

    def __init__(self, reading: Reading) -> None:
        del reading
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Count."""
        self._size += len(chunk)

    def close(self, path: str) -> Found:
        """Return the names of what is known of a file; one that is too large for a value is a problem."""
        del path
        too_large = self._size > scanners.LARGEST_VALUE_BYTES
        return ("content", "size"), "it is too large to be one value" if too_large else None


class Binary(Format):
    """The format ``binary``."""

    as_it_is = True
    breaks = False
    scanner = BinaryScanner

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return each file as ``content binary, size bigint``."""
        from pyspark.sql import functions as F

        del reading, types
        rows = files(spark, "binaryFile", group.paths)
        return rows.select("content", F.col("length").alias("size"), *sound(F.lit(0).cast("bigint")))
