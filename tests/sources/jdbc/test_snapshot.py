"""Rows that move between parts while they are read: under one state none is lost or doubled."""

import threading
import time
from pathlib import Path

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.jdbc import Jdbc
from tests.sources.jdbc.bronze import Bronze

HALVES = {"column": "part", "number": 2}


@pytest.fixture
def moving(spark, databases):
    """Give a database with 20 rows in two parts, and the words that move half of each into the other."""
    database = databases("postgresql")
    database.run(
        "DROP TABLE IF EXISTS moving", "CREATE TABLE moving (id int PRIMARY KEY, part int)",
        "INSERT INTO moving SELECT g, (g % 2) * 10 FROM generate_series(1, 20) g",
    )  # fmt: skip
    return database, "UPDATE moving SET part = 10 - part WHERE id <= 10"


def ids(spark, bronze, batch, database, words):
    """Read the parts one after the other; what moves rows runs after the first row of the first."""
    landing = Jdbc.read(spark.newSession(), bronze.config, batch, None, Path())
    with landing.around:
        rows = landing.good.toLocalIterator(prefetchPartitions=False)
        found = [next(rows)["id"]]
        database.run(words)
        return sorted(found + [row["id"] for row in rows])


def test_under_one_state_rows_that_move_are_read_once_and_without_it_they_are_lost_and_doubled(spark, moving):
    database, words = moving
    bronze = Bronze(spark, database, table="moving", partitions=HALVES)
    batch = bronze.poll()
    assert batch["snapshot"] and len(batch["partitions"]) == 2
    assert ids(spark, bronze, batch, database, words) == list(range(1, 21))
    control = ids(spark, bronze, batch | {"snapshot": False}, database, words)
    assert len(set(control)) < 20 and len(control) > len(set(control))


def test_a_replay_takes_a_new_state_and_reads_all_that_is_there(spark, moving):
    database, words = moving
    bronze = Bronze(spark, database, table="moving", partitions=HALVES)
    batch = bronze.poll()
    first = Jdbc.read(spark.newSession(), bronze.config, batch, None, Path())
    with pytest.raises(SourceError) as caught, first.around:
        # The crash: the connection that holds the state goes, and the state with it.
        holder = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_export_snapshot%' AND state LIKE 'idle in%'"
        database.run(f"SELECT pg_terminate_backend(pid) FROM ({holder}) held")
        first.good.collect()
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)
    database.run(words)
    assert ids(spark, bronze, batch, database, words) == list(range(1, 21))


def test_a_part_whose_connection_is_lost_is_read_again_alone(spark, databases):
    database = databases("postgresql")
    database.run(
        "CREATE TABLE gated AS SELECT g AS id FROM generate_series(1, 1000) g",
        "CREATE FUNCTION gate(id int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
        " IF id = 900 THEN PERFORM pg_advisory_xact_lock_shared(7); END IF; RETURN id; END $$",
    )
    bronze = Bronze(
        spark, database, query="SELECT id, gate(id) AS open FROM gated", fetch_rows=10, keys=["id"],
        partitions={"column": "id", "number": 2},
    )  # fmt: skip
    batch = bronze.poll()
    landing = Jdbc.read(spark.newSession(), bronze.config, batch, None, Path())
    found, context = [], spark.sparkContext

    def read():
        context.setJobGroup("gated", "a part whose connection is lost")
        with landing.around:
            found.extend(row["id"] for row in landing.good.collect())

    with database.connected() as holder:
        holder.createStatement().execute("SELECT pg_advisory_lock(7)")
        reader = threading.Thread(target=read)
        reader.start()
        stuck, until = [], time.monotonic() + 60
        while not stuck and time.monotonic() < until:
            stuck = database.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        database.run(f"SELECT pg_terminate_backend({stuck[0][0]})")
    reader.join(120)
    assert sorted(found) == list(range(1, 1001))
    tracker = context.statusTracker()
    stages = [stage for job in tracker.getJobIdsForGroup("gated") for stage in tracker.getJobInfo(job).stageIds]
    told = [tracker.getStageInfo(stage) for stage in stages]
    assert [(stage.numTasks, stage.numCompletedTasks, stage.numFailedTasks) for stage in told] == [(2, 2, 1)]
