"""Exports to a database: rows staged by the executors, then written and entered into the ledger in one transaction.

``lakeloom_stage_<export>_…`` takes the rows, in the types of the table's own columns, over several connections; one
connection then deletes, inserts or upserts from there and enters the execution into ``lakeloom_exports``, and commits.
So readers of the database have all of an execution or nothing; one that was committed and whose end nobody noted is
found in the ledger, and not written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from lakeloom.core.errors import LakeloomError, SinkError
from lakeloom.sinks.base import Around, Mode, Sent, Session, Shipment
from lakeloom.sinks.jdbc import ledger, products
from lakeloom.sinks.jdbc.config import JdbcSinkConfig
from lakeloom.sinks.jdbc.connection import Place, beside, columns, execute, numbers, tables, texts
from lakeloom.sinks.jdbc.errors import no_key, too_long
from lakeloom.sinks.jdbc.products import GONE, ROW, Writing
from lakeloom.sinks.jdbc.rows import newest, spelled, staged
from lakeloom.tables.feed import FEED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class JdbcSink:
    """The sink kind ``jdbc``."""

    Config: ClassVar[type[BaseModel]] = JdbcSinkConfig
    words: ClassVar[frozenset[str]] = frozenset(
        {"adopt", "create", "types", "connections", "batch_rows", "user", "password", "driver", "properties", "tls"}
    )

    def __init__(self, config: JdbcSinkConfig, around: Around) -> None:
        self.config = config
        self._around = around
        self._ledger = beside(config.table, ledger.NAME)

    @classmethod
    def problems(cls, config: JdbcSinkConfig, mode: Mode) -> list[tuple[str, str]]:
        """Return what does not go together; see `lakeloom.sinks.base.Sink`."""
        if mode == "changes" and config.mode != "upsert":
            return [("mode", "mode: changes has deletions, which only 'mode: upsert' can carry out")]
        return []

    @classmethod
    def columns(cls, config: JdbcSinkConfig) -> dict[str, tuple[str, ...]]:
        """Return the columns that the config names; see `lakeloom.sinks.base.Sink`."""
        return {"keys": config.keys, "types": tuple(config.types)}

    @classmethod
    def place(cls, config: JdbcSinkConfig) -> str:
        """Return database and table; see `lakeloom.sinks.base.Sink`."""
        return f"{config.url} {config.table.lower()} "

    def settled(self, shipment: Shipment, session: Session) -> Sent | None:
        """Return what this very execution has put there; see `lakeloom.sinks.base.Sink`."""
        spark = session()
        place = self._at(shipment, spark)
        with place.opened(spark) as connection:
            if not self._has_ledger(connection):
                return None
            found = ledger.entry(connection, self._ledger, shipment, self.config.table)
        return None if found is None else Sent(found[0], deleted=found[1])

    def send(self, session: SparkSession, rows: DataFrame, shipment: Shipment) -> Sent:
        """Stage the rows, then write them in one transaction; see `lakeloom.sinks.base.Sink`.

        Raises
        ------
        SinkError
            LL-SINK-002 where what it adds to is not what it left there, LL-SINK-003 where the table is another's,
            LL-SINK-004 for a row that is refused, LL-SINK-005 for keys, LL-SINK-006 for a table that does not fit,
            LL-SINK-007.
        """
        place, config = self._at(shipment, session), self.config
        told = shipment.mode == "changes"
        with place.opened(session) as connection:
            names = [name for name in rows.columns if not (told and name in FEED)]
            there = self._table(connection, place, rows.select(*names))
            if not self._has_ledger(connection):
                execute(connection, ledger.made(place.url, self._ledger))
            known = ledger.knows(connection, self._ledger, shipment, config.table)
            self._require(connection, place, shipment, known)
            spelt = spelled(names, there, place.where, config.table)
            to = Writing(
                place.url, config.table, self._stage(shipment), tuple(spelt.values()),
                tuple(spelt[key] for key in spelled(config.keys, spelt, place.where, "what is exported").values()),
                self._texts(place, there, spelt.values()),
            )  # fmt: skip
            alone = self._unique(connection, place, to) if config.mode == "upsert" else True
            self._drop_stages(connection, shipment)
            execute(connection, products.staging(to))
        self._fill(place, staged(newest(rows, config.keys) if told else rows, spelt, there, place.url), to)
        with place.transaction(session) as connection:
            counted = self._counted(connection, place, to)
            deleted = execute(connection, *self._before(to, shipment, known))
            upsert = config.mode == "upsert"
            execute(connection, *(products.upserted(to, alone=alone) if upsert else [products.inserted(to)]))
            ledger.enter(connection, self._ledger, shipment, config.table, counted, deleted)
        return Sent(counted, deleted=deleted)

    def tidy(self, shipment: Shipment, session: Session) -> int:
        """Take staging tables away; see `lakeloom.sinks.base.Sink`."""
        spark = session()
        with self._at(shipment, spark).opened(spark) as connection:
            return self._drop_stages(connection, shipment)

    def _at(self, shipment: Shipment, session: SparkSession) -> Place:
        place = Place(self.config, self._around.home, f"exports.{shipment.export}")
        place.require_reachable(session)
        return place

    def _table(self, connection: Any, place: Place, rows: DataFrame) -> dict[str, str]:
        """Return the table's columns; make it where it is missing and that is declared."""
        config = self.config
        try:
            with place.coded():
                return columns(connection, config.table)
        except LakeloomError as error:
            if error.transient or error.code not in ("LL-SINK-007", "LL-SINK-006"):
                raise
            if not config.create:
                raise SinkError(
                    "LL-SINK-006", f"{config.table} is not there, or can't be read", where=place.where,
                    fix="make it there, or say create: true",
                ) from None  # fmt: skip
        execute(connection, products.created(place.url, config.table, dict(rows.dtypes), config.keys, config.types))
        return columns(connection, config.table)

    def _require(self, connection: Any, place: Place, shipment: Shipment, known: bool) -> None:
        config = self.config
        engine = texts(connection, products.engine(config.table)) if products.is_mysql(place.url) else []
        if engine and engine[0][1] == "NO":
            raise SinkError(
                "LL-SINK-006", f"{config.table} is of the engine {engine[0][0]}, which has no transactions",
                where=place.where, fix=f"ALTER TABLE {config.table} ENGINE = InnoDB",
            )  # fmt: skip
        if shipment.adds and not ledger.follows(connection, self._ledger, shipment, config.table):
            raise SinkError(
                "LL-SINK-002", f"what {place.where} put into {config.table} last is not in the ledger there",
                where=place.where, fix=f"lakeloom run {place.where} --full-refresh",
            )  # fmt: skip
        takes = config.mode == "insert" or config.vanished == "delete"
        counted = f"SELECT COUNT(*) FROM {config.table}"  # noqa: S608 - an identifier
        if takes and not known and not config.adopt and numbers(connection, counted) != [0]:
            raise SinkError(
                "LL-SINK-003", f"{config.table} has rows that {place.where} has not put there", where=place.where,
                fix="say adopt: true if they may be replaced, or write beside them by mode: upsert",
            )  # fmt: skip

    def _unique(self, connection: Any, place: Place, to: Writing) -> bool:
        """Return whether the keys are the only unique ones; of databases that take rows without, refuse that."""
        if not products.is_mysql(to.url):
            return True
        found: dict[str, set[str]] = {}
        for index, column in texts(connection, products.unique_keys(to.table)):
            found.setdefault(index, set()).add(column)
        if set(to.keys) not in found.values():
            raise no_key(place.where, to.table, to.keys)
        return len(found) == 1

    def _texts(self, place: Place, there: dict[str, str], names: Iterable[str]) -> dict[str, str]:
        """Return the columns of text that Derby is to be told of, but for keys, which no CLOB can be."""
        keys = {key.lower() for key in self.config.keys}
        told = {name: there[name] for name in names if there[name].startswith(("CHAR(", "VARCHAR(", "LONG VARCHAR"))}
        return {name: kind for name, kind in told.items() if name.lower() not in keys} if place.is_derby else {}

    def _fill(self, place: Place, rows: DataFrame, to: Writing) -> None:
        """Write the rows into the staging table, over several connections."""
        rows = rows.coalesce(1 if place.one_writer else self.config.connections)
        options = place.properties | {"batchsize": str(self.config.batch_rows)}
        with place.coded():
            rows.write.jdbc(place.url, to.stage, mode="append", properties=options)

    def _counted(self, connection: Any, place: Place, to: Writing) -> int:
        """Return how many rows are to be written; refuse keys that tell no rows apart."""
        rows, different, kept = numbers(
            connection,
            f"SELECT COUNT(*), COUNT(DISTINCT {ROW}), COUNT(CASE WHEN {GONE} = 0 THEN 1 END) FROM {to.stage}",  # noqa: S608
        )
        if rows != different:
            raise SinkError(
                "LL-SINK-007", "a task that was done again has staged its rows twice", where=place.where,
                fix="run again: they are staged anew", transient=True,
            )  # fmt: skip
        for name, kind in to.texts.items():
            longest = int(kind.partition("(")[2].rstrip(")") or 32700)
            beyond = f"SELECT COUNT(*) FROM {to.stage} WHERE LENGTH({to.quoted([name])}) > {longest}"  # noqa: S608
            if numbers(connection, beyond) != [0]:
                raise too_long(place.where, to.table, self.config.keys)
        if self.config.mode == "upsert":
            nothing = " OR ".join(f"{to.quoted([key])} IS NULL" for key in to.keys)
            listed = to.quoted(to.keys)
            twice = f"SELECT {listed} FROM {to.stage} GROUP BY {listed} HAVING COUNT(*) > 1"  # noqa: S608 - quoted
            without = numbers(connection, f"SELECT COUNT(*) FROM {to.stage} WHERE {nothing}")[0]  # noqa: S608 - quoted
            several = numbers(connection, f"SELECT COUNT(*) FROM ({twice}) lakeloom_d")[0]  # noqa: S608 - quoted
            if without or several:
                told = f"{without:,} rows have NULL in them" if without else f"{several:,} of them have several rows"
                raise SinkError(
                    "LL-SINK-005", f"the keys ({', '.join(to.keys)}) do not tell the rows apart: {told}",
                    where=place.where, fix="name other keys:, or make the table's rows one a key",
                )  # fmt: skip
        return kept

    def _before(self, to: Writing, shipment: Shipment, known: bool) -> list[str]:
        """Return what is deleted before the rows are written."""
        if self.config.mode == "insert":
            return [] if shipment.adds else [products.cleared(to)]
        anew = shipment.mode == "changes" and shipment.full and known
        if (self.config.vanished == "delete" and not shipment.adds) or anew:
            return [products.vanished(to)]
        return [products.deleted(to)] if shipment.mode == "changes" else []

    def _has_ledger(self, connection: Any) -> bool:
        return ledger.NAME in (name.lower() for name in tables(connection, self.config.table, ledger.NAME))

    def _stages(self, shipment: Shipment) -> str:
        told = hashlib.blake2b(f"{shipment.export} {self.config.table}".encode(), digest_size=4).hexdigest()
        return f"lakeloom_stage_{told}_"

    def _stage(self, shipment: Shipment) -> str:
        run = hashlib.blake2b(f"{shipment.epoch} {shipment.run}".encode(), digest_size=4).hexdigest()
        return beside(self.config.table, f"{self._stages(shipment)}{run}")

    def _drop_stages(self, connection: Any, shipment: Shipment) -> int:
        found = tables(connection, self.config.table, self._stages(shipment))
        for name in found:
            execute(connection, f"DROP TABLE {beside(self.config.table, name)}")
        return len(found)
