"""The tables under a storage root, read without a JVM where that is possible.

Versions, schemas, histories and row counts come from the Delta log through delta-rs; a frame at a
version comes from Spark. Every reader names its version: the one that the runner pinned, or the
last good one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import LakeloomError, StoreError
from lakeloom.core.names import LAYERS, TableName, TableRef, is_identifier
from lakeloom.objects.path import Location
from lakeloom.objects.translated import delta_rs
from lakeloom.store import vacuumed
from lakeloom.store.answers import Answers
from lakeloom.store.arrow import gathered, scanned
from lakeloom.store.away import away
from lakeloom.store.damage import broken_data, broken_log, damaged_log, empty_commit, named
from lakeloom.store.listing import Listing, listed, names_at
from lakeloom.store.types import columns_of

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable
    from pyspark.sql import DataFrame, SparkSession


_COMMIT = re.compile(r"\d{20}\.json")


@dataclass(frozen=True)
class Size:
    """Rows and bytes of a table at a version, from the log's statistics."""

    rows: int
    bytes: int
    files: int


class Lake:
    """The tables under one storage root.

    Parameters
    ----------
    root : Path or ObjectPath
        The storage root, a folder or a place in an object store; made where it does not exist.
    """

    def __init__(self, root: Location) -> None:
        self.root: Location = root.resolve() if isinstance(root, Path) else root
        self.answers = Answers()

    def path(self, table: TableName | str) -> str:
        """Return where a table lies, as Spark and delta-rs take it: ``<root>/tables/<layer>/<name>``."""
        return str(self.folder(table))

    def folder(self, table: TableName | str) -> Location:
        """Return where a table lies; raises LL-STORE-003 where a link leads out of the root."""
        name = TableName.parse(table) if isinstance(table, str) else table
        place = self.root / "tables" / name.layer / name.name
        if isinstance(place, Path) and isinstance(self.root, Path) and not place.resolve().is_relative_to(self.root):
            raise StoreError(
                "LL-STORE-003", f"the path of {name} leaves the storage root", where=str(name), fix="remove the link"
            )
        return place

    @property
    def options(self) -> dict[str, str] | None:
        """What delta-rs needs to reach the root; None for a folder. It holds secrets."""
        return None if isinstance(self.root, Path) else delta_rs(self.root.opening)

    def exists(self, table: TableName | str) -> bool:
        """Return whether the table has a Delta log."""
        return any(name.endswith(".json") for name in names_at(self._log(table)))

    def tables(self) -> list[TableName]:
        """Return every table, layer by layer in the data's order."""
        found = []
        for layer in LAYERS:
            there = sorted(name for name in names_at(self.root / "tables" / layer) if is_identifier(name))
            found += [name for name in (TableName(layer, text) for text in there) if self.exists(name)]
        return found

    def log(self, table: TableName | str) -> Listing:
        """Return the files of a table's log, none where there is no table; while they are the same, so is the table."""
        found = listed(self._log(table))
        return found if any(name.endswith(".json") for name in found) else {}

    def delta(
        self, table: TableName | str, version: int | datetime | None = None, *, log: Listing | None = None
    ) -> DeltaTable:
        """Open a table's log at a version or time; raises LL-STORE-001, LL-STORE-002, LL-STORE-005.

        Parameters
        ----------
        log : Listing, optional
            The log's files, where they were just looked at.
        """
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        log = self.log(table) if log is None else log
        if not log:
            raise StoreError(
                "LL-STORE-001", f"{table} does not exist under {self.root.name}", fix="run it, or see 'lakeloom tables'"
            )
        try:
            opened = DeltaTable(self.path(table), storage_options=self.options)
            newest = opened.version()
            if isinstance(version, int) and version > newest:
                raise StoreError(
                    "LL-STORE-002", f"{table} has no version {version}; the newest is {newest}", where=str(table)
                )
            if version is not None:
                opened.load_as_version(version if isinstance(version, int) else _as_of(opened, table, version))
        except TableNotFoundError as cause:
            raise StoreError("LL-STORE-001", f"{table} does not exist") from cause
        except DeltaError as cause:
            raise self._unreadable(table, cause, "LL-STORE-002" if version is not None else "LL-STORE-005") from cause
        if newest > _newest(log):  # a commit that has come since the look
            log = self.log(table)
        empty = empty_commit(log, opened.version())
        if empty is not None:
            raise damaged_log(str(table), empty, "is empty")
        return opened

    def _log(self, table: TableName | str) -> Location:
        return self.folder(table) / "_delta_log"

    def _unreadable(self, table: TableName | str, cause: Exception, code: str = "LL-STORE-005") -> LakeloomError:
        """Return the error of a log that can't be read: with the broken file where there is one."""
        gone = away(str(cause), str(table))
        if gone is not None:
            return gone
        found = broken_log(self._log(table))
        if found is not None:
            return damaged_log(str(table), *found)
        return StoreError(code, f"{table} can't be read: {str(cause).splitlines()[0]}", where=str(table))

    def version(self, table: TableName | str) -> int:
        """Return the newest version in the log, audited or not; raises LL-STORE-001."""
        return self.delta(table).version()

    def resolve(self, ref: TableRef, good: int | None) -> int:
        """Return the version that a number or a time means; without either it is `good`, the last good one.

        Raises LL-STORE-012 where its files were vacuumed. Of tags `lakeloom.store.tags.resolve` knows.
        """
        if ref.version is not None or ref.time is not None:
            found = self.delta(ref.table, ref.time if ref.version is None else ref.version).version()
            self.require(ref.table, found)
            return found
        return good if good is not None else self.version(ref.table)

    def frame(self, spark: SparkSession, table: TableName | str, version: int | None = None) -> DataFrame:
        """Return the table at a version as a Spark frame, which has the table's name and version as its alias.

        Analysed plans know their tables by it. Raises LL-STORE-001, LL-STORE-012.
        """
        if not self.exists(table):
            raise StoreError("LL-STORE-001", f"{table} does not exist", fix="run the step that writes it")
        self.require(table, version)
        reader = spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        rows = reader.load(self.path(table))
        return rows if version is None else rows.alias(f"{table}@{version}")

    def changes(self, spark: SparkSession, table: TableName | str, since: int | None, version: int) -> DataFrame:
        """Return a table's row changes after the version `since` up to `version`; all its rows as inserts without one.

        Returns
        -------
        DataFrame
            The table's columns and Delta's ``_change_type``, ``_commit_version``, ``_commit_timestamp``.

        Raises
        ------
        StoreError
            LL-STORE-011 where the log does not have the changes of a version between, LL-STORE-012 where a version
            between was vacuumed.
        """
        from pyspark.errors import AnalysisException
        from pyspark.sql import functions as F

        if since is None or since >= version:
            rows = self.frame(spark, table, version)
            rows = rows.where("false") if since is not None else rows
            return rows.select(
                "*",
                F.lit("insert").alias("_change_type"),
                F.lit(version).cast("bigint").alias("_commit_version"),
                F.lit(None).cast("timestamp").alias("_commit_timestamp"),
            )
        self.require(table, *range(since, version + 1))
        reader = spark.read.format("delta").option("readChangeFeed", "true")
        try:
            rows = reader.option("startingVersion", since + 1).option("endingVersion", version).load(self.path(table))
        except AnalysisException as cause:
            raise StoreError(
                "LL-STORE-011",
                f"{table} does not tell its changes from version {since + 1} to {version}",
                where=str(table),
                fix="build the table that reads them anew: lakeloom run TABLE --full-refresh",
            ) from cause
        return rows.alias(f"{table}@{version}")

    def arrow(self, table: TableName | str, version: int | None = None, columns: list[str] | None = None) -> pa.Table:
        """Return the table at a version as Arrow, without a JVM.

        Raises
        ------
        StoreError
            LL-STORE-009 where the table has a feature that can only be read by Spark, LL-STORE-012 where the version
            was vacuumed.
        """
        self.require(table, version)
        opened = self.delta(table, version)
        if not readable(opened):
            raise _only_by_spark(table)
        with named(table, opened):
            if (
                self.options is None
                and opened.protocol().min_reader_version == 1
                and not opened.metadata().partition_columns
            ):
                from pyarrow import ArrowInvalid

                try:
                    return scanned(opened, columns)
                except (TypeError, ArrowInvalid):
                    # A file from before a field came into a column; one of types that this pyarrow does not know.
                    return _queried(opened, table, columns)
            # deltalake's dataset refuses deletion vectors, gives NULL for mapped columns, and wants a newer pyarrow for
            # partitions; its query engine reads them all, from a store too.
            return _queried(opened, table, columns)

    def vacuumed(self, table: TableName | str) -> list[vacuumed.Vacuum]:
        """Return what vacuum has taken of the table, oldest first."""
        if not vacuumed.is_noted(self.root, table):
            return []
        return vacuumed.noted(self.root, table, str(self.delta(table).metadata().id))

    def require(self, table: TableName | str, *versions: int | None) -> None:
        """Refuse a version whose files were vacuumed (LL-STORE-012); one that is None or was never made passes."""
        wanted = [version for version in versions if version is not None]
        if not wanted or not vacuumed.is_noted(self.root, table):
            return
        found = self.vacuumed(table)
        version, at = next(((each, at) for each in wanted if (at := vacuumed.lost(found, each))), (None, None))
        if at is not None:
            readable = [each for each in range(self.version(table) + 1) if vacuumed.lost(found, each) is None]
            raise StoreError(
                "LL-STORE-012",
                f"{table}@{version} was vacuumed at {at[:19]}: its files are gone",
                where=str(table),
                fix=f"read one of the versions that are kept: {vacuumed.spoken(vacuumed.ranges(readable))}",
            )

    def columns(self, table: TableName | str, version: int | None = None) -> dict[str, str]:
        """Return the columns at a version: name → Spark type, as in ``simpleString``."""
        return columns_of(self.delta(table, version))

    def size(self, table: TableName | str, version: int | None = None) -> Size:
        """Return rows, bytes and files at a version from the log's statistics."""
        opened = self.delta(table, version)
        batch = opened.get_add_actions(flatten=True)

        def total(name: str) -> int:
            return sum(value or 0 for value in batch.column(name).to_pylist()) if name in batch.schema.names else 0

        rows = total("num_records")
        if "deletionVectors" in (opened.protocol().reader_features or ()) and rows:
            # The statistics count what a deletion vector has taken out as well.
            rows = _counted(opened)
        return Size(rows, total("size_bytes"), batch.num_rows)

    def history(self, table: TableName | str, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the commits, newest first: version, timestamp (UTC), operation, metrics, manifest."""
        from deltalake.exceptions import DeltaError

        opened = self.delta(table)
        try:
            commits = opened.history(limit)
        except DeltaError as cause:
            raise self._unreadable(table, cause) from cause
        return [
            {
                "version": entry.get("version"),
                "timestamp": datetime.fromtimestamp(entry.get("timestamp", 0) / 1000, UTC).isoformat(),
                "operation": entry.get("operation"),
                "metrics": _metrics(entry.get("operationMetrics")),
                "manifest": manifest_of(entry),
            }
            for entry in commits
        ]

    def epoch(self, table: TableName | str, step: str, version: int | None = None) -> int:
        """Return the newest epoch that `step` has committed to the table up to `version`, 0 for none."""
        if not self.exists(table):
            return 0
        return self.delta(table, version).transaction_version(step) or 0


def _newest(log: Listing) -> int:
    """Return the newest version that a listing has the commit of, -1 for none."""
    return max((int(name[:20]) for name in log if _COMMIT.fullmatch(name)), default=-1)


def _as_of(opened: DeltaTable, table: TableName | str, time: datetime) -> int:
    """Return the newest version that was there at a time; raises LL-STORE-002 where there was none.

    By the times in the commits, and each counts as not earlier than the one before: a clock that went back takes no
    version out of its order. deltalake goes by the times of the log's files, which copies change.
    """
    commits = sorted((entry["version"], entry.get("timestamp", 0)) for entry in opened.history())
    wanted, found, latest = time.timestamp() * 1000, None, 0
    for version, written in commits:
        latest = max(latest, written)
        if latest > wanted:
            break
        found = version
    if found is None:
        raise StoreError(
            "LL-STORE-002",
            f"{table} was not there at {time.isoformat()}",
            where=str(table),
            fix=f"see 'lakeloom history {table}' for its versions and their times",
        )
    return found


def _queried(opened: DeltaTable, table: TableName | str, columns: list[str] | None) -> pa.Table:
    from deltalake import QueryBuilder
    from deltalake.exceptions import DeltaError

    names = "*" if columns is None else ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    try:
        return gathered(QueryBuilder().register("t", opened).execute(f"SELECT {names} FROM t"))  # noqa: S608 - quoted
    except DeltaError as cause:
        if broken_data(str(cause)) or away(str(cause), str(table)):
            raise
        raise _only_by_spark(table) from cause


def manifest_of(commit: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest in a commit's own words (``commitInfo``), empty where another writer made it."""
    text = commit.get("userMetadata")
    return json.loads(text) if isinstance(text, str) and text[:1] == "{" else {}


def readable(opened: DeltaTable) -> bool:
    """Return whether deltalake's engine reads the rows as what they are: of a variant it gives the encoded bytes."""
    return not any(feature.startswith("variantType") for feature in opened.protocol().reader_features or ())


def _only_by_spark(table: TableName | str) -> StoreError:
    return StoreError(
        "LL-STORE-009",
        f"{table} has a table feature that can't be read without Spark",
        where=str(table),
        fix="read it by Spark: .spark(), or lakeloom sql --engine spark",
    )


def _counted(opened: DeltaTable) -> int:
    """Return how many rows there are; -1 where only Spark can tell."""
    from deltalake import QueryBuilder
    from deltalake.exceptions import DeltaError

    try:
        found = QueryBuilder().register("t", opened).execute("SELECT count(*) AS rows FROM t").read_all()
    except DeltaError:
        return -1
    return int(found.column("rows").to_pylist()[0])


def _metrics(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = json.loads(value)
    return dict(value or {})
