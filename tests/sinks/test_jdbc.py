"""Rows into databases: inserted, replaced, upserted and deleted, once an execution, in one transaction, or not at all."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.sinks.base import Around, Sent, Shipment
from lakeloom.sinks.jdbc import JdbcSink, JdbcSinkConfig
from lakeloom.sinks.jdbc.connection import Place, execute

KINDS = ["postgresql", "mariadb", "sqlite", "derby"]
ROWS = "id bigint, name string, n int"


class Target:
    """A table of a database that an export fills."""

    def __init__(self, spark, database, table):
        self.spark, self.database, self.table, self.epochs = spark, database, table, []

    def sink(self, **words):
        told = {name: value for name, value in self.database.config.items() if name != "kind"}
        return JdbcSink(JdbcSinkConfig.model_validate(told | {"table": self.table} | words), Around(Path("/")))

    def shipment(self, mode="whole", full=True, run="r", epoch=None):
        epoch = epoch or len(self.epochs) + 1
        last = self.epochs[-1] if self.epochs else None
        return Shipment("fleet", epoch, run, "gold.fleet", epoch, mode, "2026-01-01T00:00:00+00:00", full, None, last)

    def send(self, rows, schema=ROWS, mode="whole", full=True, **words):
        frame = rows if hasattr(rows, "columns") else self.spark.createDataFrame(rows, schema)
        sink, shipment = self.sink(**words), self.shipment(mode, full)
        session = self.spark.newSession()
        session.conf.set("spark.sql.session.timeZone", "UTC")
        sent = sink.send(session, frame, shipment)
        assert sink.settled(shipment, lambda: self.spark) == sent
        assert sink.tidy(shipment, lambda: self.spark) == 1
        self.epochs.append((shipment.epoch, shipment.run))
        return sent

    @property
    def place(self):
        return Place(self.sink().config, Path("/"))

    def rows(self, columns="id, name, n", table=None):
        with self.place.opened(self.spark) as connection:
            found = connection.createStatement().executeQuery(f"SELECT {columns} FROM {table or self.table}")
            count, rows = found.getMetaData().getColumnCount(), []
            while found.next():
                rows.append(tuple(found.getString(at + 1) for at in range(count)))
        return sorted(rows, key=str)

    def run(self, *statements):
        with self.place.opened(self.spark) as connection:
            execute(connection, *statements)

    def make(self, more="PRIMARY KEY (id)"):
        text = "VARCHAR(50)"
        self.run(f"CREATE TABLE {self.table} (id BIGINT NOT NULL, name {text}, n INT{', ' + more if more else ''})")
        return self


@pytest.fixture(params=KINDS)
def target(request, spark, databases, table):
    return Target(spark, databases(request.param), table)


def changes(target, *rows):
    told = [(id_, name, n, kind, version, None) for id_, name, n, kind, version in rows]
    return target.spark.createDataFrame(
        told, f"{ROWS}, _change_type string, _commit_version bigint, _commit_timestamp timestamp"
    )


def test_a_table_is_replaced_in_one_transaction_and_is_the_exports_own(target):
    target.make()
    assert target.send([(1, "a", 1), (2, None, None)]) == Sent(2)
    assert target.rows() == [("1", "a", "1"), ("2", None, None)]
    assert target.send([(2, "b", 2), (3, "ü'漢", 3)]) == Sent(2, deleted=2)
    assert target.rows() == [("2", "b", "2"), ("3", "ü'漢", "3")]
    other = Target(target.spark, target.database, f"{target.table}_o").make()
    other.run(f"INSERT INTO {other.table} VALUES (9, 'mine', 9)")
    with pytest.raises(LakeloomError) as caught:
        other.send([(1, "a", 1)])
    assert caught.value.code == "LL-SINK-003" and other.rows() == [("9", "mine", "9")]
    assert other.send([(1, "a", 1)], adopt=True) == Sent(1, deleted=1) and other.rows() == [("1", "a", "1")]


def test_rows_are_written_by_key_and_those_of_others_stay(target):
    target.make().run(
        f"INSERT INTO {target.table} VALUES (1, 'old', 1)", f"INSERT INTO {target.table} VALUES (9, 'mine', 9)"
    )
    words = {"mode": None, "keys": ["id"]}
    words["mode"] = "upsert"

    def upsert(rows, **more):
        sink = target.sink(mode="upsert", keys=["id"], **more)
        shipment = target.shipment()
        sent = sink.send(target.spark.newSession(), target.spark.createDataFrame(rows, ROWS), shipment)
        target.epochs.append((shipment.epoch, shipment.run))
        return sent

    assert upsert([(1, "new", 2), (2, "b", None)]) == Sent(2)
    assert target.rows() == [("1", "new", "2"), ("2", "b", None), ("9", "mine", "9")]
    assert upsert([(2, "c", 3)], vanished="delete") == Sent(1, deleted=2)
    assert target.rows() == [("2", "c", "3")]
    with pytest.raises(LakeloomError) as caught:
        upsert([(3, "a", 1), (3, "b", 1)])
    assert caught.value.code == "LL-SINK-005" and "1 of them have several rows" in caught.value.message
    with pytest.raises(LakeloomError) as caught:
        upsert([(3, "a", 1), (None, "b", 1)])
    assert caught.value.code in ("LL-SINK-005", "LL-SINK-004")  # a staged column may be NOT NULL as the table's is
    assert target.rows() == [("2", "c", "3")]


def test_changes_are_carried_out_the_last_of_each_key(target):
    target.make()

    def follow(frame, full=False):
        sink, shipment = target.sink(mode="upsert", keys=["id"]), target.shipment("changes", full)
        sent = sink.send(target.spark.newSession(), frame, shipment)
        target.epochs.append((shipment.epoch, shipment.run))
        return sent

    first = changes(target, *[(n, f"n{n}", n, "insert", 0) for n in range(1, 6)])
    assert follow(first, full=True) == Sent(5)
    more = changes(
        target, (1, "x", 1, "update_postimage", 1), (1, "x", 1, "delete", 2), (2, None, None, "delete", 1), (2, "again", 2, "insert", 2),
        (3, "z", 3, "delete", 3), (3, "y", 30, "insert", 3), (8, "never", 8, "delete", 3), (7, "new", 7, "insert", 3),
    )  # fmt: skip
    assert follow(more) == Sent(3, deleted=1)
    assert target.rows() == [
        ("2", "again", "2"),
        ("3", "y", "30"),
        ("4", "n4", "4"),
        ("5", "n5", "5"),
        ("7", "new", "7"),
    ]
    # From scratch: what is not in it was deleted in the meantime.
    assert follow(changes(target, (4, "n4", 4, "insert", 9)), full=True) == Sent(1, deleted=4)
    assert target.rows() == [("4", "n4", "4")]


def test_an_execution_stands_once_whoever_asks_again(target):
    target.make()
    target.send([(1, "a", 1)], mode="new", full=True)
    shipment, sink = target.shipment("new", full=False), target.sink()
    frame = target.spark.createDataFrame([(2, "b", 2)], ROWS)
    assert sink.settled(shipment, lambda: target.spark) is None
    assert sink.send(target.spark, frame, shipment) == Sent(1)
    # Another process with the same execution: the ledger's key refuses its rows as a whole.
    with pytest.raises(LakeloomError) as caught:
        sink.send(target.spark, target.spark.createDataFrame([(3, "c", 3)], ROWS), shipment)
    assert caught.value.code == "LL-SINK-004"
    assert target.rows("id") == [("1",), ("2",)]
    assert sink.settled(target.shipment("new", run="another", epoch=2), lambda: target.spark) is None
    target.epochs = [(7, "gone")]
    with pytest.raises(LakeloomError) as caught:
        sink.send(target.spark, frame, target.shipment("new", full=False, epoch=8))
    assert caught.value.code == "LL-SINK-002" and "--full-refresh" in caught.value.fix
    assert len(target.rows("epoch_no", "lakeloom_exports")) >= 2


def test_a_row_that_is_refused_takes_all_back_and_no_value_is_told(target):
    target.make("PRIMARY KEY (id), CHECK (n < 100)")
    target.send([(1, "a", 1)])
    secret = "Ada Lovelace 4711"
    with pytest.raises(LakeloomError) as caught:
        target.send([(2, secret, 2), (3, secret, 4711)], keys=["id"])
    error = caught.value
    assert error.code == "LL-SINK-004" and "its key columns are id" in error.message, error
    assert (
        not any(word in f"{error!s}" for word in (secret, "4711", "loom-secret", "127.0.0.1"))
        and error.__cause__ is None
    )
    assert target.rows() == [("1", "a", "1")]
    with pytest.raises(LakeloomError) as caught:
        target.send([(4, "a", 2), (4, "b", 2)])
    assert caught.value.code == "LL-SINK-004" and target.rows() == [("1", "a", "1")]
    # What the ones that failed have staged is gone with the next one.
    target.epochs = []
    target.sink().send(target.spark, target.spark.createDataFrame([(5, "e", 5)], ROWS), target.shipment(epoch=9))
    assert target.rows() == [("5", "e", "5")]


def test_a_table_is_made_where_that_is_declared_and_takes_every_type(target):
    values = {
        "i": ("bigint", 2**62), "b": ("boolean", True), "d": ("double", 0.1), "m": ("decimal(20,5)", Decimal("123456789.12345")),
        "s": ("string", "ü" * 5000), "day": ("date", date(2026, 1, 5)), "t": ("timestamp", datetime(2026, 1, 5, 10, 0, 0, 123456, UTC)),
        "nt": ("timestamp_ntz", datetime(2026, 1, 5, 10, 0, 0, 123456)), "bin": ("binary", bytearray(b"\x00\xff")),
        "arr": ("array<int>", [1, 2]), "st": ("struct<a:int,b:string>", (1, "x")), "k": ("string", "key"),
    }  # fmt: skip
    schema = ", ".join(f"{name} {kind}" for name, (kind, _) in values.items())
    rows = [tuple(value for _, value in values.values()), (*[None] * (len(values) - 1), "other")]
    with pytest.raises(LakeloomError) as caught:
        target.send(rows, schema)
    assert (caught.value.code, caught.value.fix) == ("LL-SINK-006", "make it there, or say create: true")
    session = target.spark.newSession()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    sink, shipment = target.sink(create=True, mode="upsert", keys=["k"]), target.shipment()
    assert sink.send(session, session.createDataFrame(rows, schema), shipment) == Sent(2)
    (found,) = [
        row
        for row in target.rows(
            ", ".join(f'"{n}"' for n in values) if target.place.url.split(":")[1] != "mysql" else ", ".join(values)
        )
        if row[-1] == "key"
    ]
    told = dict(zip(values, found, strict=True))
    assert told["i"] == str(2**62) and told["b"] in ("t", "1", "true") and float(told["d"]) == 0.1
    assert (
        Decimal(told["m"]) == Decimal("123456789.12345")
        and told["s"] == "ü" * 5000
        and told["day"].startswith("2026-01-05")
    )
    assert told["t"].startswith("2026-01-05 10:00:00.123456") and told["nt"].startswith("2026-01-05 10:00:00.123456")
    assert told["arr"] == "[1,2]" and told["st"] == '{"a":1,"b":"x"}'


def test_columns_that_are_not_there_and_keys_without_an_index_are_told(target):
    target.make("")
    with pytest.raises(LakeloomError) as caught:
        target.send([(1, "a")], "id bigint, nam string")
    assert caught.value.code == "LL-SINK-006" and "call it 'name'" in caught.value.fix.lower()
    sink = target.sink(mode="upsert", keys=["id"])
    frame = target.spark.createDataFrame([(1, "a", 1)], ROWS)
    if target.database.driver.startswith("org.apache.derby"):  # its MERGE needs none
        assert sink.send(target.spark, frame, target.shipment()) == Sent(1)
        return
    with pytest.raises(LakeloomError) as caught:
        sink.send(target.spark, frame, target.shipment())
    assert caught.value.code == "LL-SINK-006" and "no primary or unique key of (id)" in caught.value.message
