"""The kind ``jdbc`` against real Derby: embedded for what it reads, its network server for what fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from lakeloom.core.errors import LakeloomError, SourceError
from lakeloom.core.secrets import Secret
from lakeloom.sources.jdbc import Jdbc, JdbcConfig

CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
DRIVER = "org.apache.derby.iapi.jdbc.AutoloadedDriver"


class Database:
    """An embedded Derby in Spark's JVM, spoken to through its driver."""

    def __init__(self, spark, folder: Path) -> None:
        self.spark, self.url = spark, f"jdbc:derby:{folder}"
        spark._jvm.java.lang.Class.forName(DRIVER)
        self.run(create=True)

    def run(self, *statements: str, create: bool = False) -> None:
        url = self.url + (";create=true" if create else "")
        connection = self.spark._jvm.java.sql.DriverManager.getConnection(url)
        try:
            for statement in statements:
                connection.createStatement().execute(statement)
        finally:
            connection.close()

    def config(self, **more) -> JdbcConfig:
        base = {"kind": "jdbc", "url": self.url, "driver": DRIVER, "table": "planes", "keys": ["tailnum"]}
        return JdbcConfig(**(base | more))


@pytest.fixture
def database(spark, tmp_path):
    found = Database(spark, tmp_path / "fleet")
    found.run(
        "CREATE TABLE planes (tailnum VARCHAR(10), seats INT, updated_at TIMESTAMP)",
        "INSERT INTO planes VALUES ('N1', 1, '2013-01-01 00:00:00'), ('N2', 2, '2013-01-02 00:00:00'),"
        " ('N3', NULL, '2013-01-03 00:00:00.123456789'), ('N0', 9, NULL)",
    )
    return found


class Bronze:
    """What has landed, as the runner would keep it."""

    def __init__(self, spark, config: JdbcConfig) -> None:
        self.spark, self.config, self.batches, self.frame = spark, config, [], None

    def poll(self):
        batch = Jdbc.poll(self.config, self.batches, CLOCK, lambda: self.spark, Path())
        return None if batch is None else json.loads(json.dumps(batch))

    def read(self, batch) -> list[dict]:
        landing = Jdbc.read(self.spark.newSession(), self.config, batch, self.frame, Path())
        with landing.around:
            return [row.asDict() for row in landing.good.collect()]

    def land(self) -> list[str] | None:
        """Poll, read and keep; the new rows as 'tailnum:seats'."""
        from pyspark.sql import functions as F

        batch = self.poll()
        if batch is None:
            return None
        landing = Jdbc.read(self.spark.newSession(), self.config, batch, self.frame, Path())
        self.batches.append(batch)
        position = F.expr(f"named_struct('epoch', {len(self.batches)}L, 'file', _file_no, 'record', _record)")
        rows = landing.good.withColumn("_position", position).drop("_file_no", "_record")
        with landing.around:
            kept = self.spark.createDataFrame(rows.collect(), rows.schema)
        self.frame = kept if self.frame is None else self.frame.unionByName(kept)
        return sorted(f"{row['tailnum']}:{row['seats']}" for row in kept.collect())


def test_incremental_with_overlap_takes_each_change_once(spark, database):
    config = database.config(
        incremental={"by": "updated_at", "overlap": "1 day"}, partitions={"column": "seats", "number": 3}
    )
    bronze = Bronze(spark, config)
    assert bronze.land() == ["N0:9", "N1:1", "N2:2", "N3:None"]
    assert len(bronze.batches[0]["partitions"]) > 1
    assert bronze.frame.columns[:4] == ["tailnum", "seats", "updated_at", "_file"]
    assert bronze.poll() is None
    database.run(
        "INSERT INTO planes VALUES ('N4', 4, '2013-01-02 12:00:00')",  # committed late, within the overlap
        "UPDATE planes SET seats = 11, updated_at = '2013-01-05 00:00:00' WHERE tailnum = 'N1'",
    )
    assert bronze.land() == ["N1:11", "N4:4"]
    assert bronze.poll() is None
    database.run("UPDATE planes SET seats = 10 WHERE tailnum = 'N0'")  # a row without watermark
    assert bronze.land() == ["N0:10"]


def test_a_replay_reads_the_same_window_whatever_came_since(spark, database):
    config = database.config(incremental={"by": "updated_at"})
    bronze = Bronze(spark, config)
    batch = bronze.poll()
    before = sorted(row["_record"] for row in bronze.read(batch))
    database.run("INSERT INTO planes VALUES ('N9', 9, '2014-01-01 00:00:00')")
    assert sorted(row["_record"] for row in bronze.read(batch)) == before
    assert len(set(before)) == 4


def test_without_watermark_the_changed_rows_of_the_whole_table(spark, database):
    bronze = Bronze(spark, database.config())
    assert len(bronze.land()) == 4
    assert bronze.poll() is None
    database.run("UPDATE planes SET seats = 20 WHERE tailnum = 'N2'")
    assert bronze.land() == ["N2:20"]
    database.run("UPDATE planes SET seats = 2 WHERE tailnum = 'N2'")  # back to what it was: that is news too
    assert bronze.land() == ["N2:2"]


def test_equal_rows_without_keys_are_all_kept_and_counted_apart(spark, database):
    config = database.config(keys=[], query="SELECT seats, tailnum FROM planes WHERE tailnum <> 'N0'", table=None)
    database.run("INSERT INTO planes VALUES ('N1', 1, NULL), ('N1', 1, NULL)")
    bronze = Bronze(spark, config)
    assert bronze.land() == ["N1:1", "N1:1", "N1:1", "N2:2", "N3:None"]
    database.run("INSERT INTO planes VALUES ('N1', 1, NULL)")
    assert bronze.land() == ["N1:1"]


def test_an_integer_watermark_and_an_empty_table(spark, database):
    database.run("CREATE TABLE empty_one (tailnum VARCHAR(10), seats INT)")
    config = database.config(table="empty_one", incremental={"by": "seats", "overlap": 2})
    bronze = Bronze(spark, config)
    assert bronze.land() is None
    database.run("INSERT INTO empty_one VALUES ('A', 5), ('B', 7)")
    assert bronze.land() == ["A:5", "B:7"]
    database.run("INSERT INTO empty_one VALUES ('C', 6), ('D', 9)")
    assert bronze.land() == ["C:6", "D:9"]


@pytest.mark.parametrize(
    "more",
    [
        {"incremental": {"by": "updated"}},
        {"keys": ["tail"]},
        {"partitions": {"column": "places", "number": 2}},
        {"partitions": {"column": "tailnum", "number": 2}},
    ],
)
def test_columns_that_are_not_there_or_do_not_serve(spark, database, more):
    with pytest.raises(SourceError) as caught:
        Bronze(spark, database.config(**more)).poll()
    assert caught.value.code == "LL-SOURCE-003"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"table": "planez"}, "LL-SOURCE-004"),
        ({"driver": "com.example.NoDriver"}, "LL-SOURCE-005"),
        ({"url": "jdbc:nosuch://fleet-user:hunter22@localhost/x", "driver": None}, "LL-SOURCE-005"),
        ({"url": "jdbc:derby:/nowhere/at/all", "user": "fleet-user", "password": Secret("hunter22")}, "LL-SOURCE-001"),
    ],
)
def test_errors_are_coded_and_show_neither_url_nor_user(spark, database, more, code):
    with pytest.raises(SourceError) as caught:
        Bronze(spark, database.config(**more)).poll()
    assert caught.value.code == code
    for hidden in ("fleet-user", "hunter22", "/nowhere", "localhost"):
        assert hidden not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "more",
    [
        {"table": "planes; DROP TABLE planes"},
        {"keys": ['a"b']},
        {"incremental": {"by": "x OR 1=1"}},
        {"partitions": {"column": "a)--", "number": 2}},
    ],
)
def test_identifiers_that_carry_sql_are_refused(more):
    with pytest.raises(LakeloomError) as caught:
        JdbcConfig(**({"kind": "jdbc", "url": "jdbc:derby:x", "table": "planes"} | more))
    assert caught.value.code == "LL-CONF-014"


@pytest.mark.parametrize(
    "more", [{"url": "http://x"}, {"query": "SELECT 1"}, {"table": None, "query": "SELECT 1; DROP TABLE x"}]
)
def test_what_a_config_may_not_say(more):
    with pytest.raises(ValidationError):
        JdbcConfig(**({"kind": "jdbc", "url": "jdbc:derby:x", "table": "planes"} | more))
