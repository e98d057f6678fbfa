"""Rows in files of a table that no commit names yet: written while they are judged, and committed or forgotten.

What decides over a table's next version is then known before that version is there, and no row is read twice for it.
Files that are forgotten are in no version; what a crash leaves of them goes with the next vacuum.

It is for rows that fit a table as it stands, or one that is made for them as told, and leaves to the plain write
what changes more than rows: columns, comments, properties, layout. And it leaves to it what needs Delta to see the
rows: columns that the table makes itself.

Source: the Delta transaction log protocol; Delta's ``WriteIntoDelta``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

from lakeloom.core.names import TableName, quoted
from lakeloom.core.secrets import mask
from lakeloom.objects.path import Location
from lakeloom.store.describe import comments_of, says
from lakeloom.store.lake import Lake
from lakeloom.store.layout import Layout
from lakeloom.store.log import Snapshot, alive, removed, snapshot, transacted
from lakeloom.store.manner import Manner
from lakeloom.store.protocol import changeable, columns, comments, derives, free, indexed
from lakeloom.store.transaction import Transaction, acting

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_MOST_FILES = 5_000  # an overwrite takes away each of them by name


class Stage:
    """Where the rows of one write wait.

    Parameters
    ----------
    session : SparkSession
        The step's own.
    folder : Path or ObjectPath
        The table's.
    mode : {'append', 'overwrite'}
        How they come into the table.
    txn : Transaction
        On the version that they are to follow.
    now : Snapshot
        That version; its files where they are to give way.
    """

    def __init__(
        self,
        session: SparkSession,
        folder: Location,
        mode: Literal["append", "overwrite"],
        txn: Transaction,
        now: Snapshot,
    ) -> None:
        self._session, self._folder, self._mode, self._txn, self._now = session, folder, mode, txn, now
        self._written: list[dict[str, Any]] = []

    @classmethod
    def begin(
        cls,
        session: SparkSession,
        lake: Lake,
        table: TableName,
        frame: DataFrame,
        how: Manner,
        step: str,
        epoch: int,
        *,
        properties: Mapping[str, str],
        layout: Layout,
        new: Mapping[str, Any] | None = None,
    ) -> Stage | None:
        """Return a stage for rows like `frame`; None where they must be written plainly, or stand there already.

        Parameters are those of `lakeloom.store.commit.commit`; nothing is read of the rows.

        Parameters
        ----------
        new : mapping, optional
            What a table that does not exist yet is to be made as, the log's ``metaData``; without it none is made.
        """
        from py4j.protocol import Py4JError

        there = lake.exists(table)
        if how.mode in ("merge", "replace") or not Transaction.can_begin(session) or not (there or new):
            return None
        mode: Literal["append", "overwrite"] = "overwrite" if how.mode == "overwrite" else "append"
        said, told = {key: mask(value) for key, value in properties.items()}, comments_of(frame)
        if there and not says(lake.delta(table), said, told):
            return None
        try:
            with acting(session):
                txn = Transaction(session, lake.path(table))
                if new is not None and txn.version < 0:
                    txn.makes(new)
                txn.excludes(step)
                now = txn.now()
        except Py4JError:  # this Delta's classes are other ones
            return None
        if not changeable(now) or derives(now) or list(frame.dtypes) != list(columns(now).items()):
            return None
        if mode == "overwrite":
            now = snapshot(lake, table, txn.version)
            if len(now.adds) > _MOST_FILES or not layout.stands(now) or comments(now) != told:
                return None
        if there and lake.epoch(table, step) >= epoch:  # asked after the version was fixed: what comes later conflicts
            return None
        return cls(session, lake.folder(table), mode, txn, now)

    def write(self, frame: DataFrame) -> int:
        """Write rows into files and return how many they were; raises what Spark raises, also for constraints."""
        with acting(self._session):
            made = self._txn.write(frame.select(*map(quoted, columns(self._now))))
        self._written += made
        return sum(map(alive, made))

    @property
    def indexed(self) -> list[str] | None:
        """The columns of which files written elsewhere must have statistics; None where there may be no such files.

        Those need no rows to be looked at: no constraint, no partition, no other names for columns.
        """
        return indexed(self._now) if free(self._now) else None

    def take(self, written: Iterable[Mapping[str, Any]]) -> None:
        """Take files in the table's folder, by the log's ``add`` actions of them: `lakeloom.store.filed` makes them."""
        self._written += map(dict, written)

    def commit(self, step: str, epoch: int) -> None:
        """Let the files be the table's next version, in the words of the session's manifest.

        Raises
        ------
        PySparkException
            One of ``delta.exceptions``, where another writer's commit is in the way.
        """
        at = int(time.time() * 1000)
        written, self._written = self._written, []
        gone = list(self._now.adds.values()) if self._mode == "overwrite" else []
        actions = [("txn", transacted(step, epoch, at))]
        actions += [("add", add) for add in written] + [("remove", removed(add, at)) for add in gone]
        metrics = {
            "numFiles": len(written),
            "numOutputRows": sum(map(alive, written)),
            "numOutputBytes": sum(int(add["size"]) for add in written),
        }
        if self._mode == "overwrite":
            metrics |= {"numRemovedFiles": len(gone), "numRemovedBytes": sum(int(add["size"]) for add in gone)}
        by: tuple[str, ...] = ()  # as a plain write says it, which names them where it may change them
        with acting(self._session):
            if self._mode == "overwrite":
                by = tuple(self._now.metadata.get("partitionColumns") or ())
                self._txn.reads((), "TRUE")
            self._txn.commit_write(actions, self._mode, by, metrics)

    def forget(self) -> None:
        """Delete the files, unless they were to be committed: then it is not known that no version has them."""
        written, self._written = self._written, []
        for add in written:
            (self._folder / unquote(add["path"])).unlink(missing_ok=True)
