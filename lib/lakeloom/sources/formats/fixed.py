"""Fixed width: the fields of a line at places that the config declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.text import LinesScanner
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import Group, lines, marks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Fixed(Format):
    """The format ``fixed``."""

    in_place = True
    needs = ("fields",)
    encoded = True
    scanner = LinesScanner

    @classmethod
    def check(cls, config: Any) -> None:
        """Places count from 1 and end behind their start."""
        for name, (start, end) in config.fields.items():
            if not 1 <= start <= end:
                raise ValueError(f"fields.{name}: the first place is at least 1, and the last not before it")

    @classmethod
    def names(cls, config: Any) -> tuple[str, ...]:
        """Return the fields in order."""
        return tuple(config.fields)

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return the fields of each line without the blanks around them, NULL for nothing but blanks."""
        from pyspark.sql import functions as F

        del types
        last = max(start for _, start, _ in reading.fields)
        values = [
            F.nullif(F.trim(F.substring("value", start, end - start + 1)), F.lit("")).alias(stored_name(name))
            for name, start, end in reading.fields
        ]
        short = F.when(F.length("value") < last, F.lit("the line ends before its last field"))
        return lines(spark, group).select(*values, *marks(F.col("value"), short))
