"""A poll of a watermark with nothing new reads no table as a whole, and what would be new is found all the same."""

import pytest

from tests.servers.fixtures import WHO
from tests.sources.jdbc.bronze import Bronze

MARKED = {"keys": ["id"], "incremental": {"by": "at", "overlap": "1 minute"}}


def scans(spark, database, table):
    """How often the whole table was read."""
    query = f"(SELECT seq_scan FROM pg_stat_user_tables WHERE relname = '{table}') s"
    return spark.read.jdbc(database.url, query, properties={**WHO, "driver": database.driver}).first()[0]


def test_a_poll_with_nothing_new_reads_by_the_index_alone(spark, databases):
    database = databases("postgresql")
    database.run(
        "DROP TABLE IF EXISTS large", "CREATE TABLE large (id int PRIMARY KEY, at timestamptz)",
        "INSERT INTO large SELECT n, timestamptz '2026-01-01' + n * interval '1 second' FROM generate_series(1, 50000) n",
        "CREATE INDEX ON large (at)", "VACUUM ANALYZE large",
    )  # fmt: skip
    bronze = Bronze(spark, database, table="large", **MARKED)
    assert len(bronze.land()) == 50000
    before = scans(spark, database, "large")
    assert bronze.land() is None
    assert scans(spark, database, "large") == before
    # A row within the overlap, behind the last one: the count of the overlap tells.
    database.run("INSERT INTO large VALUES (50001, timestamptz '2026-01-01' + 49990 * interval '1 second')")
    assert [row["id"] for row in bronze.land()] == [50001]
    assert bronze.land() is None


@pytest.mark.parametrize(
    ("kind", "column"), [("postgresql", "timestamptz"), ("mariadb", "datetime(6)"), ("postgresql", "bigint")]
)
def test_changes_of_every_kind_end_the_quiet(spark, databases, kind, column):
    database = databases(kind)
    timed = column != "bigint"

    def at(second):
        return f"'2026-01-01 10:00:{second:02d}'" if timed else str(second)

    database.run(
        "DROP TABLE IF EXISTS quiet",
        f"CREATE TABLE quiet (id int, v int, at {column} NULL)",
        *(f"INSERT INTO quiet VALUES ({n}, 0, {at(n)})" for n in (1, 2, 3)),
    )
    bronze = Bronze(
        spark, database, table="quiet", keys=["id"], incremental={"by": "at", "overlap": "1 minute" if timed else 30}
    )
    assert len(bronze.land()) == 3 and bronze.land() is None
    changes = {
        f"INSERT INTO quiet VALUES (4, 0, {at(4)})": [4],
        f"INSERT INTO quiet VALUES (5, 0, {at(2)})": [5],
        "INSERT INTO quiet VALUES (6, 0, NULL)": [6],
        "UPDATE quiet SET v = 1 WHERE id = 6": [6],
        f"UPDATE quiet SET v = 1, at = {at(5)} WHERE id = 1": [1],
        "DELETE FROM quiet WHERE id = 6": [],
    }
    for change, ids in changes.items():
        database.run(change)
        landed = bronze.land()
        assert sorted(row["id"] for row in landed or ()) == ids, change
        assert bronze.land() is None, change
