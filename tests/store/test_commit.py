"""The one function that writes: exactly once for a step and epoch, whatever is repeated."""

import pytest

from lakeloom.core.errors import StoreError, TableError
from lakeloom.core.names import TableName
from lakeloom.core.secrets import Secret
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Mark, commit, find, restore
from lakeloom.store.manner import Manner

TABLE = TableName("silver", "orders")
SCHEMA = "k int, part string, value string, seq bigint"


class Writer:
    """Commits rows, each time in a session of its own, as a step does."""

    def __init__(self, spark, lake):
        self.spark, self.lake = spark, lake

    def __call__(self, epoch, rows, mode="append", step="silver.orders", schema=SCHEMA, **options):
        with step_session(self.spark) as session:
            frame = session.createDataFrame(rows, schema)
            return commit(session, self.lake, TABLE, frame, Mark(step, epoch, {"run": "r"}), Manner(mode, **options))

    def rows(self, version=None):
        return sorted((tuple(row.values()) for row in self.lake.arrow(TABLE, version).to_pylist()), key=str)


@pytest.fixture
def write(spark, lake):
    return Writer(spark, lake)


def test_the_same_step_and_epoch_write_once_and_another_step_or_epoch_writes(write):
    assert not write(1, [(1, "a", "x", 1)]).already
    again = write(1, [(1, "a", "x", 1)])
    assert again.already and again.version == 0
    assert len(write.rows()) == 1
    assert write(1, [(2, "a", "x", 1)], step="silver.other").version == 1
    assert write(2, [(3, "a", "x", 1)]).version == 2
    assert write(1, [(9, "a", "late", 1)]).already  # an epoch that is over
    assert [row[0] for row in write.rows()] == [1, 2, 3]


def test_delta_itself_drops_a_second_write_that_did_not_see_the_first(write, lake, monkeypatch):
    write(1, [(1, "a", "x", 1)])
    monkeypatch.setattr(type(lake), "epoch", lambda *_: 0)
    assert write(1, [(1, "a", "x", 1)]).version == 0
    assert len(write.rows()) == 1


def test_a_merge_matches_null_keys_and_keeps_the_newer_row(write):
    how = {"mode": "merge", "keys": ("k", "part"), "sequence": "seq"}
    write(1, [(1, None, "old", 5), (None, None, "old", 5), (2, "b", "old", 5)], **how)
    write(2, [(1, None, "new", 6), (None, None, "stale", 4), (3, None, "first", 1)], **how)
    assert write.rows() == sorted(
        [(1, None, "new", 6), (None, None, "old", 5), (2, "b", "old", 5), (3, None, "first", 1)], key=str
    )
    assert write(2, [(1, None, "twice", 9)], **how).already


def test_a_merge_without_keys_is_refused(write):
    with pytest.raises(TableError) as caught:
        write(1, [(1, "a", "x", 1)], mode="merge")
    assert caught.value.code == "LL-TABLE-006"


def test_a_restore_is_not_taken_for_the_steps_commit(write, lake, spark):
    write(1, [(1, "a", "x", 1)])
    write(2, [(2, "a", "y", 1)])
    mark = Mark("silver.orders", 2, {"run": "r"})
    with step_session(spark) as session:
        assert restore(session, lake, TABLE, 0, mark) == 2
    assert [row[0] for row in write.rows()] == [1]
    assert find(lake, TABLE, "silver.orders", 2).version == 1
    assert lake.history(TABLE, 1)[0]["manifest"]["restored"] == 0
    assert write(3, [(3, "a", "z", 1)]).version == 3
    assert [row[0] for row in write.rows()] == [1, 3]


def test_columns_are_added_only_where_the_table_may_evolve(write):
    write(1, [(1, "a", "x", 1)])
    wider = SCHEMA + ", extra string"
    with pytest.raises(TableError, match="extra is not a column") as caught:
        write(2, [(2, "a", "y", 1, "e")], schema=wider)
    assert caught.value.code == "LL-TABLE-004"
    write(2, [(2, "a", "y", 1, "e")], schema=wider, evolve="add")
    assert write.rows() == [(1, "a", "x", 1, None), (2, "a", "y", 1, "e")]


def test_a_commit_that_is_not_there_is_named_and_a_secret_reaches_no_log(write, lake, spark):
    word = Secret("heron-marble-47").reveal()
    with step_session(spark) as session:
        frame = session.createDataFrame([(1, "a", "x", 1)], SCHEMA)
        commit(session, lake, TABLE, frame, Mark("silver.orders", 1, {"note": word}), Manner("append"))
    with pytest.raises(StoreError) as caught:
        find(lake, TABLE, "silver.orders", 7)
    assert caught.value.code == "LL-STORE-005"
    log = (lake.root / "tables" / "silver" / "orders" / "_delta_log" / "00000000000000000000.json").read_text()
    assert word not in log and "***" in log
