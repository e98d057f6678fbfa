"""Apache ORC: rows with the types that the file gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.columnar import ColumnarScanner
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import RAW, REASONS, Group, files, numbered

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Many rows may fit into a byte, so a split's numbers begin further apart than its bytes.
_ROWS_A_BYTE = 1024


class OrcScanner(ColumnarScanner):
    """The footer of an ORC file."""

    format = "ORC"

    def schema(self, path: str | IO[bytes]) -> Any:
        """Return the footer's schema."""
        from pyarrow import orc

        return orc.ORCFile(path).schema


class Orc(Format):
    """The format ``orc``."""

    in_place = True
    as_it_is = True
    breaks = False
    scanner = OrcScanner

    @classmethod
    def dated(cls, header: tuple[str, ...]) -> bool:
        """Return whether there are dates at all: its footer is not asked for the earliest and the latest."""
        return any(name.partition("\t")[2].startswith(("date", "timestamp")) for name in header)

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return the rows."""
        from pyspark.sql import functions as F

        del reading, types
        names = [name.partition("\t")[0] for name in group.header]
        rows = numbered(files(spark, "orc", group.paths), *[F.col(quoted(name)) for name in names])
        values = [F.col(quoted(name)).alias(stored_name(name)) for name in names]
        apart = (F.col("_start") * _ROWS_A_BYTE + F.col("_index")).alias("_record")
        nothing = F.lit(None).cast("string").alias(RAW)
        return rows.select(*values, "_path", apart, nothing, F.array().cast("array<string>").alias(REASONS))
