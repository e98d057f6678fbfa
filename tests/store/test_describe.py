"""A table says in its own log what it is: from its first commit on, and again when the words change."""

import json
import os
import time

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import functions as F

from lakeloom.core.names import TableName
from lakeloom.core.secrets import Secret
from lakeloom.session.spark import step_session
from lakeloom.store.commit import RETENTION, Mark, commit
from lakeloom.store.describe import describe, described, quoted
from lakeloom.store.manner import Manner

TABLE = TableName("silver", "orders")
WORDS = {"comment": 'it\'s an \\ "order"', "lakeloom.owner": "shop", "lakeloom.unit.amount": "euro"}


@pytest.fixture
def write(spark, lake):
    def call(epoch, properties, mode="append", comments=None):
        with step_session(spark) as session:
            frame = session.range(epoch).selectExpr("id", "id as amount")
            for name, comment in (comments or {}).items():
                frame = frame.withColumn(name, F.col(name).alias(name, metadata={"comment": comment}))
            mark = Mark("silver.orders", epoch, {})
            return commit(session, lake, TABLE, frame, mark, Manner(mode, keys=("id",)), properties=properties).version

    return call


def test_the_first_commit_holds_rows_and_words(write, lake):
    assert write(1, WORDS) == 0
    assert described(lake, TABLE) == WORDS
    metadata = lake.delta(TABLE).metadata()
    assert metadata.description == WORDS["comment"]
    assert metadata.configuration["delta.deletedFileRetentionDuration"] == "interval 3650 days"
    assert lake.epoch(TABLE, "silver.orders") == 1


@pytest.mark.parametrize(("days", "kept"), [(None, True), (365, False)])
def test_versions_outlast_a_cleaning_of_the_log_by_years(tmp_path, days, kept):
    """What lies before a checkpoint that is older than the table says is what every engine may delete."""
    told = RETENTION if days is None else RETENTION | {"delta.logRetentionDuration": f"interval {days} days"}
    for number in range(4):
        write_deltalake(tmp_path, pa.table({"id": [number]}), mode="append", configuration=told if not number else None)
        if number == 2:
            DeltaTable(tmp_path).create_checkpoint()
            old = time.time() - 3 * 365 * 86400
            for file in (tmp_path / "_delta_log").iterdir():
                os.utime(file, (old, old))
    DeltaTable(tmp_path).cleanup_metadata()
    assert (tmp_path / "_delta_log" / f"{0:020d}.json").exists() is kept
    assert DeltaTable(tmp_path).to_pyarrow_table().num_rows == 4
    if kept:
        assert DeltaTable(tmp_path, version=0).to_pyarrow_table().num_rows == 1


@pytest.mark.parametrize("mode", ["append", "overwrite", "merge"])
def test_words_that_stay_cost_no_commit_and_are_kept(write, lake, mode):
    write(1, WORDS, mode)
    assert write(2, WORDS, mode) == 1
    assert described(lake, TABLE) == WORDS


def test_words_that_change_get_a_commit_of_their_own_that_is_nobodys_write(write, lake):
    write(1, WORDS)
    changed = {"comment": "orders", "lakeloom.owner": "shop"}
    version = write(2, changed)
    assert described(lake, TABLE) == changed
    assert lake.epoch(TABLE, "silver.orders", version - 1) == 1
    assert all(entry["manifest"] == {} for entry in lake.history(TABLE)[1:-1])
    assert lake.history(TABLE, 1)[0]["manifest"]["epoch"] == 2
    write(3, {})
    assert described(lake, TABLE) == {}


@pytest.mark.parametrize("mode", ["append", "overwrite", "merge"])
def test_a_columns_comment_that_changes_is_told_and_one_that_stays_costs_no_commit(write, lake, mode):
    def comments():
        fields = json.loads(lake.delta(TABLE).schema().to_json())["fields"]
        return {field["name"]: field["metadata"].get("comment") for field in fields}

    assert write(1, WORDS, mode, {"amount": "in euro"}) == 0
    assert write(2, WORDS, mode, {"amount": "in euro"}) == 1
    write(3, WORDS, mode, {"amount": "what's \\ in euro", "id": "the order"})
    assert comments() == {"id": "the order", "amount": "what's \\ in euro"}
    assert lake.epoch(TABLE, "silver.orders") == 3
    assert lake.arrow(TABLE).num_rows == {"append": 6, "overwrite": 3, "merge": 3}[mode]


def test_what_is_said_by_others_is_left_alone(write, lake, spark):
    write(1, WORDS)
    with step_session(spark) as session:
        session.sql(f"ALTER TABLE delta.`{lake.path(TABLE)}` SET TBLPROPERTIES ('team.note' = 'mine')")
        assert not describe(session, lake, TABLE, WORDS)
        assert describe(session, lake, TABLE, {})
    assert lake.delta(TABLE).metadata().configuration["team.note"] == "mine"


def test_a_secret_in_a_description_is_masked(write, lake):
    word = Secret("osprey-flint-91").reveal()
    write(1, {"comment": f"see {word}"})
    assert word not in described(lake, TABLE)["comment"]


def test_a_text_is_quoted_for_spark(spark):
    text = 'it\'s \\ a `b` "c"; drop'
    assert spark.sql(f"select {quoted(text)} as t").first().t == text
