"""A transaction of Delta's own, filled from here: which files were read, which rows are written, which are marked.

Delta's commands decide by themselves what they read; its transaction takes what it is given. It writes files
with their statistics under the table's constraints, sees other writers' commits, and leaves checksums and
checkpoints as after any command. What a commit says of files goes in as the log's own JSON.

It needs Delta's classes in a JVM beside this process: a Spark Connect server and Databricks' runtime have none
that are known here.

Source: ``OptimisticTransaction`` of delta-spark 4.4; the Delta transaction log protocol.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from lakeloom.session.connect import is_connect
from lakeloom.store.log import Snapshot

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_DELTA = "org.apache.spark.sql.delta"
# Columns of the rows that `Transaction.vectors` takes.
FILE, VECTOR, INDEX = "filePath", "deletionVectorId", "rowIndexCol"


@contextmanager
def acting(session: SparkSession) -> Iterator[None]:
    """Make `session` the one that this thread's JVM side works in: Delta asks it for the words of a commit.

    Afterwards it is again the one of before: a step's session has the step's transaction id, under which a second
    write would be dropped in silence.
    """
    sessions = session._jvm.org.apache.spark.sql.SparkSession
    before = sessions.getActiveSession()
    sessions.setActiveSession(session._jsparkSession)
    try:
        yield
    finally:
        if before.isDefined():
            sessions.setActiveSession(before.get())
        else:
            sessions.clearActiveSession()


class Transaction:
    """One transaction on a table, from the newest version on; to be used inside `acting`.

    Parameters
    ----------
    session : SparkSession
        The step's own; its settings hold for what is written.
    path : str
        The table's folder.

    Attributes
    ----------
    version : int
        The version that it reads.

    Raises
    ------
    Py4JError
        Where the JVM's Delta is of a kind that is not known.
    """

    def __init__(self, session: SparkSession, path: str) -> None:
        self._session = session
        jvm: Any = session._jvm
        self._jvm = jvm
        self._none = jvm.scala.Option.empty()
        self._modules: dict[str, Any] = {}
        self._log = self._module("DeltaLog").forTable(session._jsparkSession, path)
        self._txn = self._log.startTransaction(self._none, self._none)
        self._snapshot = self._txn.snapshot()
        self.version = int(self._txn.readVersion())

    @staticmethod
    def can_begin(session: SparkSession) -> bool:
        """Return whether the session's JVM is beside this process and has Delta's classes under their own names."""
        if is_connect(session):
            return False
        from py4j.java_gateway import JavaPackage

        found = getattr(getattr(_package(session._jvm, _DELTA), "DeltaLog$"), "MODULE$")
        return not isinstance(found, JavaPackage)

    def newest(self) -> int:
        """Return the table's newest version now."""
        return int(self._log.update(False, self._none, self._none).version())

    def makes(self, metadata: Mapping[str, Any]) -> None:
        """Say what a table that is not there yet is to be, as the log's ``metaData``; its protocol follows from it."""
        self._txn.updateMetadata(self._action("metaData", metadata), False)
        self._log.createLogDirectoriesIfNotExists()

    def excludes(self, step: str) -> None:
        """Say that no commit of `step` came before: one by somebody else from here on is a conflict."""
        # What Delta's own question after it would do as well, after a query over the whole log.
        self._txn.readTxn().addOne(step)

    def rows(self, adds: Iterable[Mapping[str, Any]]) -> DataFrame:
        """Return the rows of files, given as the log's ``add`` actions; with ``_metadata``."""
        from pyspark.sql.classic.dataframe import DataFrame

        files = self._actions("add", adds)
        return DataFrame(self._log.createDataFrame(self._snapshot, files, False, self._none), self._session)

    def reads(self, adds: Iterable[Mapping[str, Any]], condition: str) -> None:
        """Say what was read: files, and the condition that rows of others' commits would have met; empty for all."""
        predicates = []
        if condition:
            rows = self.rows(()).alias("old").where(condition)
            predicates = [rows._jdf.queryExecution().analyzed().condition()]
        self._txn.trackReadPredicates(self._seq(predicates), False, True)
        self._txn.trackFilesRead(self._actions("add", adds))

    def write(self, frame: DataFrame) -> list[dict[str, Any]]:
        """Write rows into new files; return the log's ``add`` actions of them.

        `frame` has the table's columns, by name and type. Raises what Spark raises, for broken constraints too.
        """
        made = self._txn.writeFiles(frame._jdf)
        found = [json.loads(action.json()) for action in self._list(made)]
        return [action["add"] for action in found]

    def vectors(self, rows: DataFrame) -> dict[str, dict[str, Any]]:
        """Write deletion vectors: file → its vector as the log says it, the rows of the one before among them.

        Parameters
        ----------
        rows : DataFrame
            Rows to be marked: ``filePath`` as ``_metadata`` has it, ``deletionVectorId`` (the file's vector of
            now, by `serialized`; NULL for none), ``rowIndexCol``.
        """
        make = self._module("commands.DeletionVectorBitmapGenerator").buildDeletionVectors
        return {
            each.filePath(): self._vector(each.deletionVector())
            for each in self._list(make(self._session._jsparkSession, rows._jdf, self._log, 0))
        }

    def serialized(self, add: Mapping[str, Any]) -> str | None:
        """Return a file's deletion vector as `vectors` takes it; None where it has none."""
        if not add.get("deletionVector"):
            return None
        return str(self._action("add", add).deletionVector().serializeToBase64())

    def now(self) -> Snapshot:
        """Return the protocol and the metadata of the version that it reads, without its files."""
        return Snapshot(
            json.loads(self._txn.protocol().json())["protocol"], json.loads(self._txn.metadata().json())["metaData"]
        )

    def commit_merge(
        self,
        actions: Iterable[tuple[str, Mapping[str, Any]]],
        clauses: Sequence[tuple[str, str]],
        metrics: Mapping[str, int],
    ) -> None:
        """Commit as a MERGE: the log's actions, the clauses (``update``, condition), and the counts of rows.

        Raises
        ------
        PySparkException
            One of ``delta.exceptions``, where another writer's commit is in the way.
        """
        predicate = self._module("DeltaOperations$MergePredicate")
        some = self._jvm.scala.Option.apply
        said = [predicate.apply(some(condition) if condition else self._none, kind) for kind, condition in clauses]
        matched = self._seq(each for each, (kind, _) in zip(said, clauses, strict=True) if kind != "insert")
        missing = self._seq(each for each, (kind, _) in zip(said, clauses, strict=True) if kind == "insert")
        merge = self._module("DeltaOperations$Merge").apply(self._none, matched, missing, self._seq(()))
        self._commit(actions, merge, metrics)

    def commit_write(
        self,
        actions: Iterable[tuple[str, Mapping[str, Any]]],
        mode: Literal["append", "overwrite"],
        partition_by: Sequence[str],
        metrics: Mapping[str, int],
    ) -> None:
        """Commit as a WRITE; parameters and errors are those of `commit_merge`."""
        saved = self._jvm.org.apache.spark.sql.SaveMode.valueOf(mode.capitalize())
        by = self._jvm.scala.Option.apply(self._seq(partition_by))
        write = self._module("DeltaOperations$Write")
        # What it may say beyond its mode and partitions (a condition, its own metadata, changes of schema) is not said.
        self._commit(actions, write.apply(saved, by, *[self._none] * 7), metrics)

    def _commit(
        self, actions: Iterable[tuple[str, Mapping[str, Any]]], operation: Any, metrics: Mapping[str, int]
    ) -> None:
        import delta.exceptions  # noqa: F401 - conflicts have classes of their own from here on, and not by chance

        session = self._session._jsparkSession
        measures = self._jvm.java.util.HashMap()
        create = self._jvm.org.apache.spark.sql.execution.metric.SQLMetrics.createMetric
        for name, value in metrics.items():
            metric = create(session.sparkContext(), name)
            metric.set(value)
            measures.put(name, metric)
        self._txn.registerSQLMetrics(session, self._jvm.PythonUtils.toScalaMap(measures))
        self._txn.commit(self._seq(self._action(name, action) for name, action in actions), operation)

    def _vector(self, found: Any) -> dict[str, Any]:
        offset = found.offset()
        told = {
            "storageType": found.storageType(),
            "pathOrInlineDv": found.pathOrInlineDv(),
            "sizeInBytes": int(found.sizeInBytes()),
            "cardinality": int(found.cardinality()),
        }
        return told | ({"offset": int(offset.get())} if offset.isDefined() else {})

    def _action(self, name: str, action: Mapping[str, Any]) -> Any:
        return self._module("actions.Action").fromJson(json.dumps({name: action}))

    def _actions(self, name: str, actions: Iterable[Mapping[str, Any]]) -> Any:
        return self._seq(self._action(name, action) for action in actions)

    def _module(self, name: str) -> Any:
        """Return a Scala object of Delta's."""
        if name not in self._modules:
            package, _, last = f"{_DELTA}.{name}".rpartition(".")
            self._modules[name] = getattr(getattr(_package(self._jvm, package), f"{last}$"), "MODULE$")
        return self._modules[name]

    def _seq(self, items: Iterable[Any]) -> Any:
        made = self._jvm.java.util.ArrayList()
        for item in items:
            made.add(item)
        return self._jvm.scala.jdk.javaapi.CollectionConverters.asScala(made).toSeq()

    def _list(self, items: Any) -> Any:
        return self._jvm.scala.jdk.javaapi.CollectionConverters.asJava(items)


def _package(jvm: Any, name: str) -> Any:
    for part in name.split("."):
        jvm = getattr(jvm, part)
    return jvm
