"""Plain files go into the table as Arrow has them: the same rows, columns, words and guarantees as by Spark."""

import json
from contextlib import contextmanager

import pytest
from pyarrow import parquet

from lakeloom.flow import filing
from lakeloom.flow import land as landing
from lakeloom.sources import plain
from lakeloom.store.lake import Lake
from lakeloom.store.log import snapshot
from lakeloom.store.stage import Stage
from tests.scenarios.dying import Moment, dies
from tests.shop import ORDERS_1, drop

ROWS = ("order_id", "customer", "amount", "ordered_on", "_position", "_source", "_file")


@pytest.fixture
def orders(shop, monkeypatch):
    """Give a shop of plain orders, all of which are to be filed."""
    (shop.home / "in" / "orders" / "2026-01.csv.gz").unlink()
    drop(shop.home, "orders/a.csv", ORDERS_1)
    drop(shop.home, "orders/b.csv", "order_id,customer,amount,ordered_on\n9,b,,2026-01-02\n")
    monkeypatch.setattr(plain, "FROM_BYTES", 1)
    return shop


@pytest.fixture
def tasks(monkeypatch):
    """Give the jobs that were run, and those that Spark took back."""
    seen = {"stages": 0, "writes": 0}
    real = Stage.take, Stage.write

    def take(self, written):
        seen["stages"] += 1
        return real[0](self, written)

    def write(self, frame):
        seen["writes"] += 1
        return real[1](self, frame)

    monkeypatch.setattr(Stage, "take", take)
    monkeypatch.setattr(Stage, "write", write)
    return seen


def lake(shop):
    return Lake(shop.home / ".lakeloom")


def land(shop):
    (step,) = shop.run("bronze.orders").steps
    assert step.status == "done", step.error
    return step


def log(shop, version):
    file = lake(shop).folder("bronze.orders") / "_delta_log" / f"{version:020}.json"
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_first_landing_makes_the_table_in_one_commit_as_spark_would(orders, tasks, monkeypatch, tmp_path_factory):
    step = land(orders)
    assert (step.rows_out, tasks) == (4, {"stages": 1, "writes": 0})
    filed = orders.rows("bronze.orders", *ROWS)
    place = {"epoch": 1, "file": 0, "record": 1}
    assert filed[0] == ("1", "a", "10.5", "2026-01-01", place, "orders", "in/orders/a.csv")
    assert filed[3][:3] == ("9", "b", None)
    now = snapshot(lake(orders), "bronze.orders", 0)
    other = type(orders)(tmp_path_factory.mktemp("other"))
    (other.home / "in" / "orders" / "2026-01.csv.gz").unlink()
    for file in (orders.home / "in" / "orders").iterdir():
        drop(other.home, f"orders/{file.name}", file.read_text())
    monkeypatch.setattr(plain, "FROM_BYTES", 1 << 30)
    assert land(other).rows_out == 4
    by_spark = snapshot(lake(other), "bronze.orders", 0)
    assert filed == other.rows("bronze.orders", *ROWS)
    for word in ("schemaString", "partitionColumns", "configuration", "format"):
        assert now.metadata[word] == by_spark.metadata[word], word
    assert now.protocol == by_spark.protocol
    (one,) = lake(orders).history("bronze.orders", 1)
    (two,) = lake(other).history("bronze.orders", 1)
    assert set(one["manifest"]) == set(two["manifest"]) and one["manifest"]["lineage"] == two["manifest"]["lineage"]
    assert one["metrics"]["numOutputRows"] == two["metrics"]["numOutputRows"]


def test_the_log_has_bounds_that_hold_and_every_reader_finds_the_rows(orders, spark):
    land(orders)
    adds = list(snapshot(lake(orders), "bronze.orders", 0).adds.values())
    stats = [json.loads(add["stats"]) for add in adds]
    assert sum(each["numRecords"] for each in stats) == 4
    for each in stats:
        assert set(each["minValues"]["_position"]) == {"epoch", "file", "record"}
        assert each["minValues"]["_ingested_at"] <= each["maxValues"]["_ingested_at"]
    assert sum(each["nullCount"]["amount"] for each in stats) == 1
    path = lake(orders).path("bronze.orders")
    assert spark.read.format("delta").load(path).where("order_id = '9' and _position.record = 1").count() == 1
    from deltalake import DeltaTable

    assert DeltaTable(path).to_pyarrow_table().num_rows == 4
    at = spark.read.format("delta").load(path).select("_ingested_at").distinct().collect()
    assert [row[0].isoformat()[:19] for row in at] == [adds and stats[0]["minValues"]["_ingested_at"][:19]]


def test_later_landings_add_columns_and_lack_some(orders, tasks):
    land(orders)
    drop(orders.home, "orders/c.csv", "ORDER_ID,note,customer\n10,late,c\n")
    assert land(orders).rows_out == 1
    drop(orders.home, "orders/d.csv", "order_id,customer,amount,ordered_on\n11,a,1,2026-01-09\n")
    land(orders)
    assert tasks == {"stages": 3, "writes": 0}
    rows = orders.rows("bronze.orders", "order_id", "customer", "amount", "note")
    assert ("10", "c", None, "late") in rows and ("11", "a", "1", None) in rows and len(rows) == 6


def test_files_that_need_the_parser_go_into_the_same_commit(orders, tasks):
    drop(orders.home, "orders/q.csv", 'order_id,customer,amount,ordered_on\n"12","a, b",1,2026-01-09\nbroken\n')
    step = land(orders)
    assert (step.rows_out, step.quarantined, tasks) == (5, 1, {"stages": 1, "writes": 1})
    assert ("12", "a, b") in orders.rows("bronze.orders", "order_id", "customer")
    assert lake(orders).version("bronze.orders") == 0


@pytest.mark.parametrize(
    "bound",
    [
        "ADD CONSTRAINT some CHECK (order_id <> '77')",
        "SET TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'order_id')",
        "SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
    ],
)
def test_a_table_that_asks_for_spark_gets_all_rows_by_it(orders, tasks, spark, bound):
    land(orders)
    spark.sql(f"ALTER TABLE delta.`{lake(orders).path('bronze.orders')}` {bound}")
    drop(orders.home, "orders/c.csv", ORDERS_1.replace("\n1,", "\n31,"))
    assert land(orders).rows_out == 3
    assert tasks == {"stages": 1, "writes": 0}
    assert len(orders.rows("bronze.orders", "order_id")) == 7


def test_a_file_that_is_rewritten_before_it_is_read_is_left_to_the_next_run(orders, monkeypatch):
    file, real = orders.home / "in" / "orders" / "a.csv", filing.begin

    def begin(*words):
        found = real(*words)
        if "40" not in file.read_text():
            file.write_text(ORDERS_1.replace("\n1,", "\n40,") + "41\n")
        return found

    monkeypatch.setattr(filing, "begin", begin)
    assert land(orders).rows_out == 1
    assert land(orders).rows_out == 3
    assert sorted(row[0] for row in orders.rows("bronze.orders", "order_id")) == ["2", "3", "40", "9"]
    folder = lake(orders).folder("bronze.orders")
    named = {path for path, _ in snapshot(lake(orders), "bronze.orders", 1).adds}
    assert {file.name for file in folder.glob("*.parquet")} >= named


def test_what_a_landing_that_fails_has_filed_is_taken_away(orders, monkeypatch):
    def commit(self, step, epoch):
        raise OSError("the disk is full")

    monkeypatch.setattr(Stage, "commit", commit)
    (step,) = orders.run("bronze.orders").steps
    assert step.status == "failed"
    assert not list(lake(orders).folder("bronze.orders").rglob("*.parquet"))


@pytest.mark.parametrize(("codec", "by_spark"), [("uncompressed", 0), ("zstd", 0), ("lz4_raw", 0), ("lz4", 1)])
def test_files_are_compressed_as_spark_is_told(orders, tasks, monkeypatch, codec, by_spark):
    opened = landing.step_session

    @contextmanager
    def told(session):
        with opened(session) as own:
            own.conf.set("spark.sql.parquet.compression.codec", codec)
            yield own

    monkeypatch.setattr(landing, "step_session", told)
    land(orders)
    assert tasks["stages"] == 1 - by_spark
    assert [row[0] for row in orders.rows("bronze.orders", "order_id")] == ["1", "2", "3", "9"]
    file = next(lake(orders).folder("bronze.orders").glob("*.parquet"))
    group = parquet.ParquetFile(file).metadata.row_group(0)
    used = {group.column(at).compression for at in range(group.num_columns)}
    # The last is Hadoop's own.
    names = {"uncompressed": "UNCOMPRESSED", "zstd": "ZSTD", "lz4_raw": "LZ4", "lz4": "UNKNOWN"}
    assert names[codec] in used and used <= {names[codec], "UNCOMPRESSED"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_its_commit_it_lands_once(orders, when):
    at = Moment(when, "lakeloom.store.stage:Stage.commit")
    dies(orders.conf, at, "run", "bronze.orders", constants={"lakeloom.sources.plain:FROM_BYTES": 1})
    drop(orders.home, "orders/c.csv", "order_id,customer,amount,ordered_on\n50,b,,2026-01-02\n")
    orders.run("bronze.orders")
    orders.run("bronze.orders")
    assert sorted(row[0] for row in orders.rows("bronze.orders", "order_id")) == ["1", "2", "3", "50", "9"]
