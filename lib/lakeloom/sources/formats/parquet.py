"""Apache Parquet: rows with the types that the file gives them, numbered by the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.columnar import ColumnarScanner
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import Group, files, sound

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class ParquetScanner(ColumnarScanner):
    """The footer of a Parquet file."""

    format = "Parquet"

    def schema(self, path: str) -> Any:
        """Return the footer's schema."""
        from pyarrow import parquet

        return parquet.ParquetFile(path).schema_arrow


class Parquet(Format):
    """The format ``parquet``."""

    as_it_is = True
    breaks = False
    scanner = ParquetScanner

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return the rows."""
        from pyspark.sql import functions as F

        del reading, types
        rows = files(spark, "parquet", group.paths)
        names = [name.partition("\t")[0] for name in group.header]
        values = [F.col(quoted(name)).alias(stored_name(name)) for name in names]
        return rows.select(*values, *sound(F.col("_metadata.row_index")))
