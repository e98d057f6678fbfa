"""A database that is out of connections, and a table that is dropped or altered while it is read: coded errors."""

import re
from pathlib import Path

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.jdbc import Jdbc
from tests.sources.jdbc.bronze import Bronze

LIMITED = {
    "postgresql": ("CREATE ROLE few LOGIN PASSWORD 'few-secret' CONNECTION LIMIT 0",),
    "mariadb": (
        "CREATE USER 'few'@'127.0.0.1' IDENTIFIED BY 'few-secret' WITH MAX_USER_CONNECTIONS 1",
        "CREATE USER 'few'@'localhost' IDENTIFIED BY 'few-secret' WITH MAX_USER_CONNECTIONS 1",
        "GRANT ALL ON fleet.* TO 'few'@'127.0.0.1'", "GRANT ALL ON fleet.* TO 'few'@'localhost'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LIMITED)
def test_a_database_out_of_connections_is_transient_and_says_so(spark, databases, kind):
    database = databases(kind)
    database.run(*LIMITED[kind])
    few = type(database)(spark, database.url, database.driver, user="few", password="few-secret")

    def refused():
        with pytest.raises(SourceError) as caught:
            Bronze(spark, few, query="SELECT 1 AS one").land()
        assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)
        assert "no connection left" in caught.value.message and "few" not in str(caught.value)

    if kind == "postgresql":
        refused()
    else:
        with few.connected():
            refused()


@pytest.mark.parametrize("kind", LIMITED)
@pytest.mark.parametrize(
    ("words", "told"),
    [("DROP TABLE changing", "does not exist"), ("ALTER TABLE changing DROP COLUMN at", "a column is not there")],
)
def test_a_table_dropped_or_altered_between_poll_and_read(spark, databases, kind, words, told):
    database = databases(kind)
    database.run(
        "DROP TABLE IF EXISTS changing", "CREATE TABLE changing (id int PRIMARY KEY, at date)",
        "INSERT INTO changing VALUES (1, '2026-01-01'), (2, '2026-01-02')",
    )  # fmt: skip
    bronze = Bronze(
        spark, database, table="changing", incremental={"by": "at"}, partitions={"column": "id", "number": 2}
    )
    batch = bronze.poll()
    database.run(words)
    with pytest.raises(SourceError) as caught:
        landing = Jdbc.read(spark.newSession(), bronze.config, batch, None, Path())
        with landing.around:
            landing.good.collect()
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-004", False)
    assert told in caught.value.message
    assert not re.search(r"changing.*relation", str(caught.value))


def test_a_table_can_t_be_emptied_or_dropped_under_a_read(spark, databases):
    """PostgreSQL would show an older state of a table that was emptied or rewritten without its rows."""
    database = databases("postgresql")
    database.run("CREATE TABLE steady AS SELECT g AS id FROM generate_series(1, 40) g")
    bronze = Bronze(spark, database, table="steady", partitions={"column": "id", "number": 2})
    landing = Jdbc.read(spark.newSession(), bronze.config, bronze.poll(), None, Path())
    with landing.around:
        rows = landing.good.toLocalIterator(prefetchPartitions=False)
        found = [next(rows)["id"]]
        for words in ("TRUNCATE steady", "ALTER TABLE steady ALTER id TYPE bigint", "DROP TABLE steady"):
            with pytest.raises(Exception, match="lock timeout"):
                database.run("SET lock_timeout = '100ms'", words)
        found += [row["id"] for row in rows]
    assert sorted(found) == list(range(1, 41))
    database.run("SET lock_timeout = '5s'", "DROP TABLE steady")


def test_columns_and_a_condition_are_the_databases_work(spark, databases):
    database = databases("postgresql")
    database.run(
        "CREATE TABLE wide (id int PRIMARY KEY, name text, secret text)",
        "INSERT INTO wide SELECT g, 'n' || g, 'hidden' FROM generate_series(1, 30) g",
    )
    bronze = Bronze(spark, database, table="wide", columns=["ID", "name"], where="id % 3 = 0", keys=["id"])
    batch = bronze.poll()
    assert batch["rows"] == 10
    landing = Jdbc.read(spark.newSession(), bronze.config, batch, None, Path())
    with landing.around:
        landing.good.collect()
    assert "secret" not in landing.good._jdf.queryExecution().executedPlan().toString().lower().replace(
        "loom-secret", ""
    )
    assert len(bronze.land()) == 10 and bronze.ids() == list(range(3, 31, 3))
    database.run("UPDATE wide SET secret = 'other'", "UPDATE wide SET name = 'new' WHERE id = 1")
    assert bronze.land() is None
    database.run("UPDATE wide SET name = 'new' WHERE id = 3")
    assert [(row["id"], row["name"]) for row in bronze.land()] == [(3, "new")]


def test_a_value_that_no_number_of_spark_holds_is_told_and_a_cast_lets_it_in(spark, databases):
    database = databases("postgresql")
    database.run("CREATE TABLE odd_numbers (id int, c numeric(10,2))", "INSERT INTO odd_numbers VALUES (1, 'NaN')")
    with pytest.raises(SourceError) as caught:
        Bronze(spark, database, table="odd_numbers").land()
    assert (caught.value.code, "cast" in caught.value.fix.lower()) == ("LL-SOURCE-004", True)
    (row,) = Bronze(spark, database, query="SELECT id, c::text AS c FROM odd_numbers").land()
    assert row["c"] == "NaN"
