"""Text: each line is a record, also an empty one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakeloom.sources.formats.base import Format
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import Group, files, marks, numbered
from lakeloom.sources.scanners import Found, Text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class LinesScanner(Text):
    """Whole lines, or what stands in them at fixed places: the names are declared."""

    def take(self, text: str) -> None:
        """Nothing: that it is text is all that is asked."""

    def found(self) -> Found:
        """Return the declared names, or that of the line."""
        return self.reading.names or ("value",), None


class Lines(Format):
    """The format ``text``."""

    in_place = True
    encoded = True
    breaks = False
    scanner = LinesScanner

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return each line as ``value``."""
        from pyspark.sql import functions as F

        del reading, types
        rows = numbered(files(spark, "text", group.paths), F.col("value"))
        return rows.select("value", *marks(F.col("value"), F.lit(None).cast("string")))
