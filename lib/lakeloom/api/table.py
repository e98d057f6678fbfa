"""One table at one version, as Arrow, pandas or Spark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import StoreError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import TableName
from lakeloom.store.lake import Lake, Size
from lakeloom.store.vacuumed import lost

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class TableInfo:
    """An entry of ``tables --json``: a table at its last good version."""

    name: str
    layer: str
    version: int
    rows: int
    bytes: int
    path: str


@dataclass(frozen=True)
class Table:
    """A table at a fixed version: what is read through it never changes.

    Attributes
    ----------
    name : TableName
    version : int
        The version in Delta's log.
    """

    name: TableName
    version: int
    _lake: Lake = field(repr=False)
    _spark: Callable[[], SparkSession] = field(repr=False)

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column → Spark type."""
        return self._lake.columns(self.name, self.version)

    @cached_property
    def size(self) -> Size:
        """Rows, bytes and files, from the log's statistics."""
        return self._lake.size(self.name, self.version)

    @property
    def path(self) -> str:
        """Where the table lies."""
        return self._lake.path(self.name)

    def arrow(self, columns: list[str] | None = None) -> pa.Table:
        """Return the rows as Arrow, without a JVM."""
        return self._lake.arrow(self.name, self.version, columns)

    def head(self, limit: int) -> pa.Table:
        """Return the first `limit` rows as Arrow, reading no more files than they need.

        By deltalake without a JVM; by Spark where the table has a feature that deltalake can't read.
        """
        from lakeloom.api.query import query

        text = f"SELECT * FROM {self.name}@{self.version}"  # noqa: S608 - a plain name
        return query(self._lake, {}, text, limit=limit, spark=self._spark)

    def pandas(self, columns: list[str] | None = None) -> pd.DataFrame:
        """Return the rows as a pandas frame, without a JVM."""
        return self.arrow(columns).to_pandas()

    def spark(self) -> DataFrame:
        """Return the rows as a Spark frame; starts Spark where none runs."""
        return self._lake.frame(self._spark(), self.name, self.version)

    def history(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the table's commits, newest first: version, timestamp, operation, metrics, manifest, readable.

        `readable` is false where the version's files were vacuumed.
        """
        gone = self._lake.vacuumed(self.name)
        return [
            entry | {"readable": lost(gone, entry["version"]) is None} for entry in self._lake.history(self.name, limit)
        ]


def unknown(lake: Lake, table: TableName) -> StoreError:
    """Return the error LL-STORE-001 for a table that does not exist: with those that do, and the nearest."""
    known = [str(name) for name in lake.tables()]
    near = nearest(str(table), known)
    return StoreError(
        "LL-STORE-001",
        f"{table} does not exist; the tables are {', '.join(known) or 'none yet'}",
        fix=f"use '{near}'" if near else "run it, or see 'lakeloom tables'",
    )
