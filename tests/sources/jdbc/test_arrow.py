"""PostgreSQL's rows as Arrow against the driver's way: the same rows, types and marks; else the driver's way."""

from pathlib import Path

import pyarrow as pa
import pytest

from lakeloom.sources.jdbc import Jdbc, asked
from lakeloom.sources.landing import LeftToSparkError
from tests.sources.jdbc.bronze import Bronze

# Type → values that come as Arrow.
SAME = {
    "boolean": ["true", "false"],
    "smallint": ["-32768", "32767", "0"],
    "int": ["-2147483648", "2147483647", "0"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "0"],
    "real": ["0.1", "-0.0", "'NaN'", "'Infinity'", "'-Infinity'", "1e-40"],
    "double precision": ["0.1", "-0.0", "'NaN'", "'Infinity'", "'-Infinity'", "5e-324"],
    "numeric(18,0)": ["999999999999999999", "-999999999999999999", "0"],
    "numeric(18,18)": ["0.999999999999999999", "-0.000000000000000001"],
    "numeric(12,2)": ["1234567890.12", "-0.01", "7"],
    "numeric(1)": ["9", "-9", "0"],
    "date": ["'1582-10-15'", "'1900-01-01'", "'1969-12-31'", "'2026-02-28'", "'9999-12-31'"],
    "timestamp": ["'1582-10-15 00:00:00'", "'1899-12-31 23:59:59.999999'", "'2026-03-29 02:30:00.000001'", "'9999-12-31 23:59:59.999999'"],
    "timestamptz": ["'1582-10-15 00:00:00+00'", "'1901-01-05 10:00:00.123456+02'", "'2026-10-25 02:30:00+02'", "'9999-12-31 23:59:59.999999+00'"],
    "text": ["''", "'ü''漢😀'", "E'a\\nb\\tc'", "repeat('long ', 1000)"],
    "varchar(10)": ["'x'", "'ü'"], "varchar": ["'y'"],
    "char(5)": ["'ab'", "'ü'"],
    "bytea": [r"'\x00ff'", r"'\x'"],
    "uuid": ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"],
    "json": ["""'{"b":  1, "a": [null]}'"""], "jsonb": ["""'{"b":  1.50, "a": [null, "ü"]}'"""],
}  # fmt: skip


@pytest.fixture(autouse=True)
def any_number(monkeypatch):
    """Let few rows come as Arrow too."""
    monkeypatch.setattr(asked, "FROM_ROWS", 1)


def landing(bronze, batch):
    return Jdbc.read(bronze.spark.newSession(), bronze.config, batch, None, Path())


def both_ways(bronze, batch):
    """Return what both ways give, ordered by the mark: Spark's schema and rows, and those of Arrow."""
    found = landing(bronze, batch)
    assert found.jobs and not found.good.count()
    with found.around:
        rows = pa.concat_tables([table for job in found.jobs for table in job.tables()])
        spark = found.by_spark().good.orderBy("_record").localCheckpoint()
        return spark, rows.sort_by("_record")


def test_values_of_every_type_and_the_marks_of_their_rows_are_the_same_both_ways(spark, databases, table, tmp_path):
    import pyarrow.parquet as pq

    database, rows = databases("postgresql"), max(map(len, SAME.values()))
    columns = ", ".join(f'"C{at}" {kind}' for at, kind in enumerate(SAME))
    values = [", ".join(each[at] if at < len(each) else "NULL" for each in SAME.values()) for at in range(rows)]
    database.run(
        f"CREATE TABLE {table} (id bigserial PRIMARY KEY, {columns}, _own text)",
        *(f"INSERT INTO {table} VALUES (DEFAULT, {each}, 'own')" for each in values),
        f"INSERT INTO {table} (_own) VALUES (NULL)",
    )
    bronze = Bronze(spark, database, table=table, partitions={"column": "id", "number": 3})
    batch = bronze.poll()
    assert batch["snapshot"] and len(batch["partitions"]) == 3
    frame, arrow = both_ways(bronze, batch)
    pq.write_table(arrow, tmp_path / "rows.parquet", store_schema=False)
    read = spark.read.parquet(str(tmp_path / "rows.parquet"))
    assert read.dtypes == frame.dtypes
    texts = [f"CAST(`{name}` AS STRING) AS `{name}`" for name in frame.columns]
    told = [frame.selectExpr(*texts).collect(), read.orderBy("_record").selectExpr(*texts).collect()]
    assert len(told[0]) == rows + 1 and told[0] == told[1]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date", "'infinity'"), ("date", "'-infinity'"), ("timestamp", "'infinity'"), ("timestamptz", "'-infinity'"),
        ("date", "'1582-10-04'"), ("timestamp", "'0044-03-15 BC'"), ("date", "'10000-01-01'"), ("timestamptz", "'99999-01-01'"),
    ],
)  # fmt: skip
def test_days_that_calendars_tell_apart_are_left_to_the_driver(spark, databases, table, kind, value):
    database = databases("postgresql")
    database.run(f"CREATE TABLE {table} (id int PRIMARY KEY, v {kind})", f"INSERT INTO {table} VALUES (1, {value})")
    bronze = Bronze(spark, database, table=table)
    found = landing(bronze, bronze.poll())
    with found.around:
        with pytest.raises(LeftToSparkError):
            [table for job in found.jobs for table in job.tables()]
        assert found.by_spark().good.count() == 1


@pytest.mark.parametrize(
    "kind", ["numeric", "numeric(38,10)", "int[]", "interval", "time", "money", "inet", "point", "bit(3)", "oid"]
)
def test_a_table_with_another_type_comes_through_the_driver(spark, databases, table, kind):
    database = databases("postgresql")
    database.run(f"CREATE TABLE {table} (id int PRIMARY KEY, v {kind})", f"INSERT INTO {table} VALUES (1)")
    bronze = Bronze(spark, database, table=table)
    found = landing(bronze, bronze.poll())
    with found.around:
        assert not found.jobs and found.good.count() == 1


def test_columns_condition_and_query_are_the_same_both_ways(spark, databases, table):
    database = databases("postgresql")
    database.run(
        f'CREATE TABLE {table} (id int PRIMARY KEY, "Two Words" text, at timestamptz)',
        f"INSERT INTO {table} SELECT g, 'v' || g, timestamptz '2026-01-01 00:00+00' + g * interval '1 hour' FROM generate_series(0, 99) g",
    )
    # A day begins at midnight in UTC, however the server's own zone is set.
    database.run("ALTER DATABASE postgres SET TimeZone = 'Asia/Tokyo'")
    try:
        for more in (
            {"table": table, "columns": ["id", "at"], "where": "at::date = '2026-01-02'"},
            {"query": f"SELECT id, \"Two Words\", at::date AS day FROM {table} WHERE at::date = '2026-01-02'"},
        ):
            bronze = Bronze(spark, database, keys=["id"], **more)
            frame, arrow = both_ways(bronze, bronze.poll())
            assert [row["_record"] for row in frame.collect()] == arrow["_record"].to_pylist()
            assert (arrow.num_rows, arrow.column_names) == (24, frame.columns)
    finally:
        database.run("ALTER DATABASE postgres RESET TimeZone")


def test_the_driver_s_way_is_taken_where_it_is_asked_for_and_where_bronze_may_know_rows(spark, databases, table):
    database = databases("postgresql")
    database.run(f"CREATE TABLE {table} (id int)", f"INSERT INTO {table} VALUES (1), (1)")
    for more in ({"by": "jdbc", "keys": ["id"]}, {}, {"keys": ["id"], "properties": {"targetServerType": "primary"}},
                 {"keys": ["id"], "deletes": "op"}):  # fmt: skip
        bronze = Bronze(spark, database, table=table, **more)
        if "deletes" in more:
            database.run(f"DELETE FROM {table}", f"INSERT INTO {table} VALUES (1)")
        found = landing(bronze, bronze.poll())
        with found.around:
            assert not found.jobs and found.good.count()
