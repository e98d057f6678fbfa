"""The merge by a transaction of Delta's that is filled here: what was found once is not looked for again.

Delta's MERGE asks the statistics of all files by a query, joins the rows with the table once to find the files and
again to write, and shuffles whole files where it rewrites them. Here the files in reach are known from the look
before, one join finds the rows that are met, and what is written is the new rows alone, with deletion
vectors, or the other rows of the met files as they lie, without a shuffle.

It says and does what the MERGE of `lakeloom.store.merge` says, and leaves to that one what it does not know: tables
that tell their changes, generated columns, keys whose equal values differ, rows of other types than the table's.

Source: the Delta transaction log protocol; Delta's ``MergeIntoCommand``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lakeloom.core.names import TableName, quoted
from lakeloom.objects.path import Location
from lakeloom.store.encodings import without_dictionary
from lakeloom.store.lake import Lake
from lakeloom.store.log import Snapshot, added, alive, place_of, removed, snapshot, transacted
from lakeloom.store.manner import DELETED, POSITION, Manner, clauses, same
from lakeloom.store.protocol import changeable, columns, configuration, derives
from lakeloom.store.pruning import Reach
from lakeloom.store.transaction import FILE, INDEX, VECTOR, Transaction, acting

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

# Types of which equal values are the same value: 0.0 and -0.0 are equal, and so are texts under a collation.
KEYS = frozenset(
    ["tinyint", "smallint", "int", "bigint", "string", "date", "timestamp", "timestamp_ntz", "boolean", "binary"]
)
_MOST_FILES = 20_000  # beyond them reading the log here costs more than it saves
_TRIES = 3
_FEW = 4_000_000  # rows of so many values in all are sent to where the table is read; of more, Spark decides
_A_FILE = 50_000  # rows that are written go into a file for each so many at most
# Names beside which a table's columns may be called as they like.
_TAKE, _GONE, _KEY, _OLD = "_take", "_gone", "_key", "_old"


def upsert(
    session: SparkSession, lake: Lake, table: TableName, rows: DataFrame, how: Manner, reached: Reach,
    filled: Collection[str], signed: tuple[str, int],
) -> bool:  # fmt: skip
    """Merge `rows` into the table; return whether that was done: where not, nothing was written.

    Parameters
    ----------
    rows : DataFrame
        Persisted, with unique keys.
    reached : Reach
        What they can match.
    filled : collection of str
        Keys that are NULL nowhere in the table.
    signed : (str, int)
        The step and its epoch.

    Raises
    ------
    PySparkException
        Where rows break a constraint of the table, or another writer's commit is in the way.
    """
    if not Transaction.can_begin(session) or session.conf.get("spark.lakeloom.merge", "own") != "own":
        return False
    from py4j.protocol import Py4JError, Py4JJavaError

    try:
        with acting(session):
            return _tried(session, lake, table, rows, how, reached, frozenset(filled), signed)
    except Py4JError as error:
        # What Java throws is the merge's own; anything else says that this Delta's classes are other ones.
        if isinstance(error, Py4JJavaError):
            raise
    return False


def _tried(
    session: SparkSession, lake: Lake, table: TableName, rows: DataFrame, how: Manner, reached: Reach,
    filled: frozenset[str], signed: tuple[str, int],
) -> bool:  # fmt: skip
    for _ in range(_TRIES):
        txn = Transaction(session, lake.path(table))
        txn.excludes(signed[0])
        if lake.epoch(table, signed[0]) >= signed[1]:
            return True
        now = snapshot(lake, table, txn.version)
        if not _fits(now, rows, how):
            return False
        if _Upsert(txn, now, lake.folder(table), rows, how, reached, filled)(session, signed):
            return True
    return False


def _fits(now: Snapshot, rows: DataFrame, how: Manner) -> bool:
    if not changeable(now) or configuration(now).get("delta.enableChangeDataFeed") == "true":
        return False
    if len(now.adds) > _MOST_FILES:
        return False
    if derives(now):
        return False
    there = {name.lower(): kind for name, kind in columns(now).items()}
    given = {name.lower(): kind for name, kind in rows.dtypes if name != DELETED}
    keys = {key.lower() for key in how.keys}
    return (
        all(there.get(name) == kind for name, kind in given.items())
        and keys <= set(given)
        and all(given[key] in KEYS or given[key].startswith("decimal(") for key in keys)
        and all("numRecords" in (add.get("stats") or "") for add in now.adds.values())
    )


@dataclass
class _Upsert:
    """One try of a merge, on the version that its transaction reads."""

    txn: Transaction
    now: Snapshot
    folder: Location
    rows: DataFrame
    how: Manner
    reached: Reach
    filled: frozenset[str]

    def __call__(self, session: SparkSession, signed: tuple[str, int]) -> bool:
        """Find, write and commit; return False, with nothing committed, where the table has changed meanwhile."""
        at = int(time.time() * 1000)
        matched = self._matched().persist()
        try:
            touched, marks = self._found(session, matched)
            with without_dictionary(session, () if self._vectors else self._paths(touched)):
                written = self.txn.write(self._written(matched, touched))
            actions = [("txn", transacted(*signed, at))]
            actions += [("add", add) for add in written]
            actions += [("remove", removed(self._add(file), at)) for file in touched]
            stay = [_marked(self._add(file), vector) for file, vector in marks.items()]
            stay = [add for add in stay if alive(add)]  # a file of marked rows alone goes
            actions += [("add", add) for add in stay]
            self.txn.reads(self._candidates, self.reached.condition)
            # Delta lets rows that others have added pass; one of them may have a key of ours.
            if self.txn.newest() != self.txn.version:
                return False
            self.txn.commit_merge(actions, self._clauses, self._metrics(written, touched, stay))
            return True
        finally:
            matched.unpersist()

    @cached_property
    def _vectors(self) -> bool:
        return configuration(self.now).get("delta.enableDeletionVectors") == "true"

    @cached_property
    def _candidates(self) -> list[dict[str, Any]]:
        missed = {unquote(path) for path in self.reached.missed}
        return [added(add) for add in self.now.adds.values() if unquote(add["path"]) not in missed]

    @cached_property
    def _by_path(self) -> dict[str, dict[str, Any]]:
        return {place_of(add["path"], str(self.folder)): add for add in self._candidates}

    def _add(self, file: str) -> dict[str, Any]:
        """Return what the log says of a file that ``_metadata`` names."""
        return self._by_path[place_of(file, str(self.folder))]

    @cached_property
    def _given(self) -> dict[str, str]:
        return {name.lower(): name for name in self.rows.columns}

    @cached_property
    def _kept(self) -> list[str]:
        """The columns that the new rows lack: a row that is there already keeps its values of them."""
        return [name for name in columns(self.now) if name.lower() not in self._given]

    @property
    def _deletes(self) -> bool:
        return DELETED in self.rows.columns

    @cached_property
    def _clauses(self) -> list[tuple[str, str]]:
        return clauses(self.how, self.rows.columns, columns(self.now))

    @cached_property
    def _take(self) -> Column:
        """Whether a row takes the place of the one of its key, or takes it away."""
        from pyspark.sql import functions as F

        parts = [f"({condition or 'TRUE'})" for kind, condition in self._clauses if kind != "insert"]
        return F.expr(f"coalesce({' OR '.join(parts) or 'FALSE'}, FALSE)")

    @cached_property
    def _count(self) -> int:
        """How many the new rows are."""
        return self.rows.count() if self.reached.rows is None else self.reached.rows

    def _small(self, frame: DataFrame) -> DataFrame:
        from pyspark.sql import functions as F

        return F.broadcast(frame) if self._count * len(frame.columns) <= _FEW else frame

    @property
    def _signs(self) -> DataFrame:
        """What of the new rows decides: keys and order."""
        wanted = [*self.how.keys, *([self.how.sequence] if self.how.sequence else []), POSITION, DELETED]
        names = dict.fromkeys(self._given[name.lower()] for name in wanted if name.lower() in self._given)
        return self.rows.select(*(quoted(name) for name in names)).alias("new")

    def _matched(self) -> DataFrame:
        """Return the rows of the table whose key a new row has: where they are, what becomes of them, what stays."""
        from pyspark.sql import functions as F

        index = [F.col("_metadata.row_index").alias(INDEX)] if self._vectors else []
        old = self.txn.rows(self._candidates).select("*", F.col("_metadata.file_path").alias(FILE), *index).alias("old")
        gone = F.expr(f"coalesce(new.{DELETED}, FALSE)") if self._deletes else F.lit(False)
        return old.join(self._small(self._signs), F.expr(same(self.how.keys, self.filled))).select(
            *(F.col(f"new.{quoted(key)}").alias(f"{_KEY}{at}") for at, key in enumerate(self.how.keys)),
            *(F.col(f"old.{quoted(name)}").alias(f"{_OLD}{at}") for at, name in enumerate(self._kept)),
            F.col(FILE), *([F.col(INDEX)] if index else []), self._take.alias(_TAKE), gone.alias(_GONE),
        )  # fmt: skip

    def _found(
        self, session: SparkSession, matched: DataFrame
    ) -> tuple[dict[str, tuple[int, int]], dict[str, dict[str, Any]]]:
        """Return file → rows of it that are taken and deleted; and file → its new deletion vector."""
        if not self._vectors:
            return self._touched(matched), {}
        if self._deletes or any(add.get("deletionVector") for add in self._candidates):
            touched = self._touched(matched)
            return touched, self._marked(session, matched, touched)
        marks = self._marked(session, matched, ())  # they tell all that there is to know
        return {file: (int(mark["cardinality"]), 0) for file, mark in marks.items()}, marks

    def _touched(self, matched: DataFrame) -> dict[str, tuple[int, int]]:
        """Return file → rows of it that are taken, and rows that are deleted."""
        from pyspark.sql import functions as F

        found = matched.where(_TAKE).groupBy(FILE).agg(F.count("*"), F.count_if(F.col(_GONE))).collect()
        return {row[0]: (int(row[1]), int(row[2])) for row in found}

    def _marked(self, session: SparkSession, matched: DataFrame, touched: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return file → its new deletion vector; `touched` are the files, where some have one already."""
        from pyspark.sql import functions as F

        there = [(file, self.txn.serialized(self._add(file))) for file in touched]
        marks = matched.where(_TAKE).select(FILE, INDEX)
        if any(mark for _, mark in there):
            vectors = session.createDataFrame(there, f"{FILE} string, {VECTOR} string")
            marks = marks.join(F.broadcast(vectors), FILE)
        else:
            marks = marks.withColumn(VECTOR, F.lit(None).cast("string"))
        return self.txn.vectors(marks.select(FILE, VECTOR, INDEX))

    def _written(self, matched: DataFrame, touched: Mapping[str, tuple[int, int]]) -> DataFrame:
        """Return the rows that go into new files: those that come, and without marks the others of the met files."""
        from pyspark.sql import functions as F

        fresh = self._fresh(matched)
        if self._vectors or not touched:
            return self._spread(fresh, self._count)
        adds = [self._add(file) for file in touched]
        taken = F.expr(same(self.how.keys, self.filled)) & self._take
        others = self.txn.rows(adds).alias("old").join(self._small(self._signs), taken, "left_anti")
        both = others.select(*map(quoted, columns(self.now))).union(self._spread(fresh, self._count))
        return self._spread(both, self._count + sum(map(alive, adds)))

    def _fresh(self, matched: DataFrame) -> DataFrame:
        """Return the new rows that come into the table, with what they keep of the rows before them."""
        from pyspark.sql import functions as F

        keys = (F.col(f"{_KEY}{at}").alias(key) for at, key in enumerate(self.how.keys))
        found = matched.select(_TAKE, *keys, *(f"{_OLD}{at}" for at in range(len(self._kept))))
        on = same(self.how.keys, self.filled, old="found")
        joined = self.rows.alias("new").join(self._small(found).alias("found"), F.expr(on), "left")
        comes = F.expr(f"coalesce({_TAKE}, TRUE)")
        if self._deletes:
            comes &= F.expr(f"NOT new.{DELETED}")
        return joined.where(comes).select(*(self._value(name).alias(name) for name in columns(self.now)))

    def _value(self, name: str) -> Column:
        from pyspark.sql import functions as F

        if name in self._kept:
            return F.col(f"{_OLD}{self._kept.index(name)}")
        return F.col(f"new.{quoted(self._given[name.lower()])}")

    def _spread(self, frame: DataFrame, rows: int) -> DataFrame:
        """Return so many rows at most in a way that few files come of them: by partition, and few ones together."""
        by = list(self.now.metadata.get("partitionColumns") or ())
        return frame.repartition(*map(quoted, by)) if by else frame.coalesce(max(1, -(-rows // _A_FILE)))

    def _paths(self, touched: Collection[str]) -> list[Location]:
        return [self.folder / unquote(self._add(file)["path"]) for file in touched]

    def _metrics(
        self, written: Sequence[Mapping[str, Any]], touched: Mapping[str, tuple[int, int]], stay: Sequence[Any]
    ) -> dict[str, int]:
        taken, deleted = (sum(counts[at] for counts in touched.values()) for at in (0, 1))
        files = [self._add(file) for file in touched]
        copied = 0 if self._vectors else sum(map(alive, files)) - taken
        return {
            "operationNumSourceRows": self._count,
            "numTargetRowsInserted": sum(map(alive, written)) - copied - (taken - deleted),
            "numTargetRowsUpdated": taken - deleted,
            "numTargetRowsDeleted": deleted,
            "numTargetRowsCopied": copied,
            "numTargetFilesAdded": len(written),
            "numTargetFilesRemoved": len(touched) - len(stay),
            "numTargetDeletionVectorsAdded": len(stay),
            "numTargetDeletionVectorsRemoved": sum(bool(add.get("deletionVector")) for add in files),
            "numTargetDeletionVectorsUpdated": 0,
            "numTargetBytesAdded": sum(int(add["size"]) for add in written),
            "numTargetBytesRemoved": sum(int(add["size"]) for add in files) if not self._vectors else 0,
        }


def _marked(add: Mapping[str, Any], vector: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the log says of a file under a new deletion vector: its bounds may lie too wide from now on."""
    stats, left = json.loads(add["stats"]), alive(add)
    if stats.get("tightBounds", True):
        # A column of NULLs alone stays one, whatever rows are marked.
        stats["nullCount"] = _all_null(stats.get("nullCount") or {}, left, int(stats["numRecords"]))
    return dict(add) | {"deletionVector": dict(vector), "stats": json.dumps(stats | {"tightBounds": False})}


def _all_null(counts: Mapping[str, Any], left: int, physical: int) -> dict[str, Any]:
    return {
        name: _all_null(count, left, physical) if isinstance(count, Mapping) else (physical if count == left else count)
        for name, count in counts.items()
    }
