"""Exports into databases as steps of a project: by key, by changes, skipped, resumed, and lines that break."""

import json

import pytest

from lakeloom.core.findings import FindingsError
from lakeloom.flow.planning import plan
from lakeloom.sinks.jdbc import ledger
from lakeloom.sinks.jdbc.sink import JdbcSink
from lakeloom.sources.jdbc.dialects import adapted
from tests.flow.test_export import FEED, exported, say
from tests.servers import Database
from tests.shop import BASE, ORDERS_2, TABLES, drop


class Fleet:
    """The shop and a table of a database that its orders go to."""

    def __init__(self, shop, database, table):
        self.shop, self.database, self.table = shop, database, table
        (shop.conf / "base.yml").write_text(f"{BASE}retries: 1\n")

    def say(self, words, mode="whole", tables=FEED, source="silver.orders", more=""):
        told = {"kind": "jdbc", "url": self.database.url, "driver": self.database.driver, "table": self.table} | words
        told |= {"user": "loom", "password": "${secret:fleet/password}"} if self.database.more else {}
        columns = "" if "columns" in more else ", columns: [order_id, customer, amount, ordered_on]"
        say(
            self.shop,
            f"  fleet: {{from: {source}, mode: {mode}, to: {json.dumps(told)}{columns}{more}}}\n",
            tables=tables,
        )

    def run(self, **options):
        return exported(self.shop, **options)["exports.fleet"]

    def rows(self, columns="order_id, amount", of=None):
        session = self.database._spark
        found = session.read.jdbc(
            adapted(self.database.url)[0], f"(SELECT {columns} FROM {of or self.table}) q",
            properties={name: str(value) for name, value in self.database.more.items()} | {"driver": self.database.driver},
        )  # fmt: skip
        return sorted(tuple(row) for row in found.collect())


@pytest.fixture
def fleet(ran, databases, table, monkeypatch):
    def make(kind):
        database: Database = databases(kind)
        if "password" in database.more:
            monkeypatch.setenv("LAKELOOM_SECRET_FLEET_PASSWORD", database.more["password"])
        return Fleet(ran, database, table)

    return make


ORDERS = "order_id BIGINT PRIMARY KEY, customer VARCHAR(9), amount DOUBLE PRECISION, ordered_on DATE"


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_database_follows_the_changes_of_a_table(fleet, kind):
    fleet = fleet(kind)
    fleet.database.run(
        f"CREATE TABLE {fleet.table} ({ORDERS})", f"INSERT INTO {fleet.table} (order_id, amount) VALUES (99, 1)"
    )
    fleet.say({"mode": "upsert", "keys": ["order_id"]}, mode="changes", more=", where: amount < 25")
    told = fleet.run()
    assert (told.status, told.rows_out, told.reason) == ("done", 2, "it never ran"), told.error
    assert fleet.rows() == [(1, 10.5), (2, 20.0), (99, 1.0)]
    (planned,) = [each for each in plan(fleet.shop.project()) if each.step.kind == "export"]
    assert (planned.action, planned.reasons) == ("skip", ("nothing changed",))
    drop(fleet.shop.home, "orders/2026-02.csv", ORDERS_2)
    told = fleet.run()
    # Order 2 now costs 25: the export's condition takes it no more.
    assert told.as_dict()["export"] == {
        "table": "silver.orders",
        "version": told.export["version"],
        "objects": 0,
        "removed": 1,
        "deleted": 1,
    }
    assert fleet.rows() == [(1, 10.5), (4, 7.0), (99, 1.0)]
    assert fleet.run().status == "skipped"
    entries = fleet.rows("export_name, target_name, epoch_no, rows_out", "lakeloom_exports")
    assert [(row[0], int(row[2]), int(row[3])) for row in entries if row[1] == fleet.table] == [
        ("fleet", 1, 2),
        ("fleet", 2, 1),
    ]
    if fleet.database.more:
        secret = fleet.database.more["password"].encode()
        assert not [file for file in fleet.shop.home.rglob("*") if file.is_file() and secret in file.read_bytes()]


@pytest.mark.parametrize("kind", ["mariadb", "derby"])
def test_a_whole_table_is_put_into_one_that_is_made(fleet, kind):
    fleet = fleet(kind)
    fleet.say({"mode": "insert", "create": True}, tables=TABLES)
    assert fleet.run().rows_out == 2
    drop(fleet.shop.home, "orders/2026-02.csv", ORDERS_2)
    told = fleet.run()
    assert (told.rows_out, told.export["deleted"]) == (3, 2), told.error
    quote = "`{}`" if kind == "mariadb" else '"{}"'
    assert fleet.rows(f"{quote.format('order_id')}, {quote.format('amount')}") == [(1, 10.5), (2, 25.0), (4, 7.0)]


def test_new_rows_are_added_once_though_lines_break_and_ends_are_not_told(fleet, monkeypatch):
    fleet = fleet("postgresql")
    fleet.database.run(f"CREATE TABLE {fleet.table} (order_id TEXT, amount TEXT)")
    words = {"source": "bronze.orders", "mode": "new", "tables": TABLES, "more": ", columns: [order_id, amount]"}
    fleet.say({"mode": "insert"}, **words)

    def cut():
        fleet.database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'loom'"
        )

    right, cuts = ledger.enter, []

    def entered(*given):
        right(*given)
        if not cuts:
            cuts.append(1)
            cut()  # between the ledger's row and the commit

    monkeypatch.setattr(ledger, "enter", entered)
    told = fleet.run()
    assert (told.status, told.rows_out, cuts) == ("done", 3, [1]), told.error
    assert [row[0] for row in fleet.rows("order_id")] == ["1", "2", "3"]

    # While the rows are staged: the tries fail, and the next run does the same execution again.
    fill = JdbcSink._fill

    def filled(self, place, rows, to):
        fill(self, place, rows, to)
        cut()
        fill(self, place, rows.selectExpr(*[f"`{name}`" for name in rows.columns]), to)

    drop(fleet.shop.home, "orders/2026-02.csv", ORDERS_2)
    monkeypatch.setattr(JdbcSink, "_fill", filled)
    failed = fleet.run()
    assert failed.error["code"] == "LL-SINK-007" and "twice" in failed.error["message"]
    monkeypatch.setattr(JdbcSink, "_fill", fill)

    # It was committed, and nobody was told.
    send = JdbcSink.send

    def told_too_late(self, session, rows, shipment):
        send(self, session, rows, shipment)
        cut()
        raise ConnectionError("the answer never came")

    monkeypatch.setattr(JdbcSink, "send", told_too_late)
    assert fleet.run().status == "failed"
    monkeypatch.setattr(JdbcSink, "send", send)
    told = fleet.run()
    assert told.status == "done" and told.reason.startswith("goes on with epoch") and told.rows_out == 3, told
    assert [row[0] for row in fleet.rows("order_id")] == ["1", "2", "2", "3", "4", "x"]
    assert fleet.run(full_refresh=True).rows_out == 6 and len(fleet.rows("order_id")) == 6


def test_a_refused_row_and_a_table_that_is_not_there_are_told_and_mended_by_the_next_run(fleet):
    fleet = fleet("postgresql")
    fleet.say({"mode": "upsert", "keys": ["order_id"]})
    assert fleet.run().error["code"] == "LL-SINK-006"
    fleet.database.run(f"CREATE TABLE {fleet.table} ({ORDERS}, CHECK (amount < 15))")
    failed = fleet.run()
    assert (
        failed.error["code"] == "LL-SINK-004"
        and "a check does not hold (SQL state 23514); its key columns are order_id" in failed.error["message"]
    )
    assert fleet.rows() == [] and failed.error["where"] == "exports.fleet"
    fleet.database.run(f"ALTER TABLE {fleet.table} DROP CONSTRAINT {fleet.table}_amount_check")
    assert fleet.run().status == "done" and fleet.rows() == [(1, 10.5), (2, 20.0)]


def test_types_of_the_databases_own_and_a_second_unique_key(fleet):
    text = "cast('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' as string) as u, cast('{\"a\": 1}' as string) as j, array(1, 2) as a,"
    tables = TABLES + (
        "  gold.odd:\n    from: {silver.orders: whole}\n"
        f"    sql: \"select order_id, {text.replace(chr(34), chr(92) + chr(34))} timestamp'2026-01-05 10:00:00Z' as t from silver.orders\"\n"
    )
    fleet = fleet("postgresql")
    fleet.database.run(
        f"CREATE TABLE {fleet.table} (order_id INT PRIMARY KEY, u UUID, j JSONB, a INT[], t TIMESTAMPTZ)"
    )
    fleet.say(
        {"mode": "upsert", "keys": ["order_id"]},
        tables=tables,
        source="gold.odd",
        more=", columns: [order_id, u, j, a, t]",
    )
    told = fleet.run()
    assert told.status == "done", told.error
    assert fleet.rows("u::text, j::text, a::text, (t AT TIME ZONE 'UTC')::text")[0] == (
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", '{"a": 1}', "{1,2}", "2026-01-05 10:00:00",
    )  # fmt: skip


def test_another_unique_key_of_mariadb_is_no_reason_to_replace_a_row(fleet):
    fleet = fleet("mariadb")
    fleet.database.run(f"CREATE TABLE {fleet.table} (order_id BIGINT PRIMARY KEY, customer VARCHAR(9) UNIQUE, amount DOUBLE, ordered_on DATE)",
                       f"INSERT INTO {fleet.table} VALUES (9, 'a', 1, NULL)")  # fmt: skip
    fleet.say({"mode": "upsert", "keys": ["order_id"]}, tables=TABLES)
    failed = fleet.run()
    assert failed.error["code"] == "LL-SINK-004" and fleet.rows("order_id, customer") == [(9, "a")]
    fleet.database.run(f"UPDATE {fleet.table} SET customer = 'z'")
    fleet.database.run(f"ALTER TABLE {fleet.table} ENGINE = MyISAM")
    failed = fleet.run()
    assert failed.error["code"] == "LL-SINK-006" and "MyISAM, which has no transactions" in failed.error["message"]
    fleet.database.run(f"ALTER TABLE {fleet.table} ENGINE = InnoDB")
    assert fleet.run().status == "done" and fleet.rows("order_id, customer") == [(1, "a"), (2, "b"), (9, "z")]


@pytest.mark.parametrize(
    ("words", "mode", "code"),
    [
        ({"mode": "upsert"}, "whole", "LL-CONF-004"), ({}, "changes", "LL-CONF-004"), ({"keys": ["id"]}, "whole", "LL-TABLE-003"),
        ({"table": "a;b"}, "whole", "LL-CONF-004"), ({"url": "postgresql://x"}, "whole", "LL-CONF-004"),
        ({"types": {"order_id": "INT"}}, "whole", "LL-CONF-004"), ({"vanished": "delete"}, "whole", "LL-CONF-004"),
    ],
)  # fmt: skip
def test_words_that_do_not_go_together_are_findings(shop, words, mode, code):
    told = {"kind": "jdbc", "url": "jdbc:sqlite:x", "table": "t"} | words
    say(
        shop,
        f"  fleet: {{from: silver.orders, mode: {mode}, to: {json.dumps(told)}, columns: [order_id]}}\n",
        tables=FEED,
    )
    with pytest.raises(FindingsError) as caught:
        shop.project()
    assert [finding.code for finding in caught.value.findings] == [code]
