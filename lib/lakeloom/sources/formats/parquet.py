"""Apache Parquet: rows with the types that the file gives them, numbered by the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.columnar import ColumnarScanner
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import Group, files, sound

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class _Named:
    name: str
    type: str


class ParquetScanner(ColumnarScanner):
    """The footer of a Parquet file."""

    format = "Parquet"

    def schema(self, path: str | IO[bytes]) -> Any:
        """Return the footer's schema."""
        from pyarrow import parquet

        file = parquet.ParquetFile(path)
        strange = _strange(file.metadata)
        return [_Named(each.name, f"{each.type}{BEYOND if each.name in strange else ''}") for each in file.schema_arrow]


def _strange(metadata: Any) -> set[str]:
    """Return the columns of dates that its statistics don't say to be of the years 1 to 9999."""
    found = set()
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            if metadata.schema.column(index).logical_type.type in _DATES or column.physical_type == "INT96":
                try:
                    told = column.statistics
                    within = told is not None and _within(told, column.num_values)
                except (OverflowError, ValueError, OSError):  # of a year that Python has no date for
                    within = False
                if not within and column.num_values:
                    found.add(column.path_in_schema)
    return found


def _within(told: Any, values: int) -> bool:
    """Return whether statistics tell two dates, or nothing but NULLs; raises where Python has no such date."""
    if not told.has_min_max:
        return bool(told.null_count == values)
    return told.min is not None and told.max is not None


_DATES = ("DATE", "TIMESTAMP")
BEYOND = " beyond"  # at the end of a type in a header: its values are to be looked at


class Parquet(Format):
    """The format ``parquet``."""

    in_place = True
    as_it_is = True
    breaks = False
    scanner = ParquetScanner

    @classmethod
    def dated(cls, header: tuple[str, ...]) -> bool:
        """Return whether a column's statistics ask for a look."""
        return any(name.endswith(BEYOND) for name in header)

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return the rows."""
        from pyspark.sql import functions as F

        del reading, types
        rows = files(spark, "parquet", group.paths)
        names = [name.partition("\t")[0] for name in group.header]
        values = [F.col(quoted(name)).alias(stored_name(name)) for name in names]
        return rows.select(*values, *sound(F.col("_metadata.row_index")))
