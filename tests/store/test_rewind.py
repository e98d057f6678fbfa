"""A table brought back by its log alone: Spark and deltalake read what the version had, and go on from there."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from lakeloom.core.errors import LakeloomError
from lakeloom.core.names import TableName
from lakeloom.store import rewind as module
from lakeloom.store.commit import Mark
from lakeloom.store.lake import Lake
from lakeloom.store.log import Snapshot, snapshot
from lakeloom.store.rewind import can_rewind, rewind

T = TableName("silver", "t")
MARK = Mark("restore.silver.t", 1, {"run": "r", "at": datetime(2026, 1, 1, tzinfo=UTC).isoformat()})


def put(lake, rows, **options):
    write_deltalake(lake.path(T), pa.table({"k": pa.array(rows, pa.int64())}), **options)


def keys(lake, version=None):
    return sorted(row["k"] for row in lake.arrow(T, version).to_pylist())


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["append", "overwrite", "compact", "checkpoint"]), st.integers(0, 9)),
                min_size=1, max_size=6), st.data())  # fmt: skip
def test_any_version_comes_back_whatever_was_done_since(tmp_path_factory, done, data):
    lake = Lake(tmp_path_factory.mktemp("rewound"))
    put(lake, [100])
    for what, number in done:
        table = DeltaTable(lake.path(T))
        if what == "compact":
            table.optimize.compact()
        elif what == "checkpoint":
            table.create_checkpoint()
        else:
            put(lake, [number], mode=what)
    head = lake.version(T)
    target = data.draw(st.integers(0, head))
    before = {version: keys(lake, version) for version in range(head + 1)}
    assert rewind(lake, T, target, MARK) == head + 1
    assert keys(lake) == before[target]
    assert {version: keys(lake, version) for version in range(head + 1)} == before
    put(lake, [7], mode="append")
    assert keys(lake) == sorted([*before[target], 7])


def test_it_carries_the_mark_and_no_rows_are_a_version_too(lake):
    put(lake, [1])
    put(lake, [2], mode="append")
    assert rewind(lake, T, None, MARK) == 2
    assert keys(lake) == []
    assert lake.epoch(T, "restore.silver.t") == 1
    entry = lake.history(T, 1)[0]
    assert entry["operation"] == "DELETE" and entry["manifest"]["restored"] is None and entry["manifest"]["run"] == "r"


def test_another_writer_at_the_same_time_is_met_by_a_code_and_loses_nothing(lake, monkeypatch):
    put(lake, [1])
    put(lake, [2], mode="append")
    right = module.snapshot

    def late(*words):
        if words[2] == 1:
            put(lake, [3], mode="append")
        return right(*words)

    monkeypatch.setattr(module, "snapshot", late)
    with pytest.raises(LakeloomError) as caught:
        rewind(lake, T, 0, MARK)
    assert caught.value.code == "LL-STORE-006" and keys(lake) == [1, 2, 3]


@pytest.mark.parametrize(
    ("protocol", "configuration", "able"),
    [
        ({"minWriterVersion": 2}, {}, True),
        ({"minWriterVersion": 6}, {}, False),
        ({"minWriterVersion": 7, "writerFeatures": ["deletionVectors", "invariants"]}, {}, True),
        ({"minWriterVersion": 7, "writerFeatures": ["rowTracking"]}, {}, False),
        ({"minWriterVersion": 7, "writerFeatures": ["somethingNew"]}, {}, False),
        ({"minWriterVersion": 7, "writerFeatures": ["inCommitTimestamp"]}, {}, False),
        ({"minWriterVersion": 2}, {"delta.appendOnly": "true"}, False),
        ({"minWriterVersion": 5}, {"delta.columnMapping.mode": "name"}, False),
    ],
)
def test_what_asks_more_of_a_writer_is_left_to_spark(protocol, configuration, able):
    then = Snapshot(metadata={"configuration": {}})
    assert can_rewind(Snapshot(protocol, {"configuration": configuration}), then) is able


def test_of_what_spark_has_written_spark_reads_it_and_goes_on(lake, spark):
    """Deletion vectors, partitions, columns that were renamed and added, a change feed, and a checkpoint of Spark's."""
    place = f"delta.`{lake.path(T)}`"
    spark.sql(
        f"CREATE TABLE {place} (k BIGINT, v STRING, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES"
        " ('delta.enableDeletionVectors' = true, 'delta.columnMapping.mode' = 'name',"
        " 'delta.enableChangeDataFeed' = true, 'delta.checkpointInterval' = 3)"
    )
    spark.sql(f"INSERT INTO {place} SELECT id, 'a', if(id < 5, 'x y', null) FROM range(0, 10, 1, 1)")  # 1
    spark.sql(f"DELETE FROM {place} WHERE k IN (1, 7)")  # 2
    spark.sql(f"DELETE FROM {place} WHERE k = 8")  # 3
    spark.sql(f"ALTER TABLE {place} RENAME COLUMN v TO w")  # 4
    spark.sql(f"ALTER TABLE {place} ADD COLUMNS (z INT)")  # 5
    assert rewind(lake, T, 2, MARK) == 6
    wanted = [0, 2, 3, 4, 5, 6, 8, 9]
    assert sorted(row.k for row in spark.table(place).where("v = 'a'").collect()) == wanted == keys(lake)
    spark.sql(f"UPDATE {place} SET v = 'b' WHERE k = 9")  # 7
    spark.sql(f"ALTER TABLE {place} ADD COLUMNS (y INT)")  # 8
    ids = [field["metadata"]["delta.columnMapping.id"] for field in
           json.loads(snapshot(lake, T, 8).metadata["schemaString"])["fields"]]  # fmt: skip
    assert len(set(ids)) == 4 and max(ids) == 5  # z's own id is not given again
    feed = spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 6)
    changed = {(row._change_type, row.k) for row in feed.load(lake.path(T)).where("_commit_version = 6").collect()}
    assert ("insert", 8) in changed or ("insert", 9) in changed
    assert {row.k for row in spark.table(place).collect()} == set(wanted)
