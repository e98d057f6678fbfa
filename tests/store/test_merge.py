"""The MERGE: late rows lose, deletions delete, and what can't match is not read."""

import random
from itertools import pairwise

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeloom.core.names import TableName
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Mark, commit
from lakeloom.store.layout import Layout
from lakeloom.store.manner import Manner
from lakeloom.store.pruning import Reach, depth, never_null, reach, together

TABLE = TableName("silver", "orders")


class Writer:
    def __init__(self, spark, lake):
        self.spark, self.lake, self.epoch = spark, lake, 0

    def __call__(self, frame, how, layout=Layout()):  # noqa: B008 - frozen
        self.epoch += 1
        with step_session(self.spark) as session:
            rows = (
                session.createDataFrame(frame.collect(), frame.schema) if hasattr(frame, "collect") else frame(session)
            )
            return commit(session, self.lake, TABLE, rows, Mark("silver.orders", self.epoch, {}), how, layout=layout)

    def rows(self):
        return sorted((tuple(row.values()) for row in self.lake.arrow(TABLE).to_pylist()), key=str)


@pytest.fixture
def write(spark, lake):
    return Writer(spark, lake)


def files_of(lake):
    return lake.delta(TABLE).get_add_actions(flatten=True)


def rows(data, schema):
    return lambda session: session.createDataFrame(data, schema)


def test_rows_that_say_so_delete_unless_the_table_is_later(write):
    how = Manner("merge", ("k",), "seq")
    write(rows([(1, 5, "a"), (2, 5, "b"), (3, 5, "c")], "k int, seq int, v string"), how)
    change = [(1, 6, None, True), (2, 4, None, True), (4, 1, None, True), (5, 1, "e", False), (3, 9, "z", False)]
    made = write(rows(change, "k int, seq int, v string, _deleted boolean"), how)
    assert write.rows() == [(2, 5, "b"), (3, 9, "z"), (5, 1, "e")]
    assert made.metrics["numTargetRowsDeleted"] in (1, "1")


def test_at_one_place_the_later_arrival_wins_whichever_is_written_first(write):
    schema = "k int, seq int, v string, _position struct<epoch:bigint,file:int,record:bigint>"
    how = Manner("merge", ("k",), "seq")
    write(rows([(1, 5, "late", (2, 0, 0)), (2, 5, "early", (1, 0, 0))], schema), how)
    write(rows([(1, 5, "early", (1, 0, 0)), (2, 5, "late", (2, 0, 0))], schema), how)
    assert [row[2] for row in write.rows()] == ["late", "late"]


def test_columns_that_the_rows_lack_keep_their_values_and_odd_names_are_only_names(write):
    how = Manner("merge", ("the `k`.1",), "seq", evolve="add")
    write(rows([(1, 1, "a", "keep")], "`the ``k``.1` int, seq int, `select` string, other string"), how)
    write(rows([(1, 2, "b", 7), (2, 1, "n", 8)], "`the ``k``.1` int, seq int, `select` string, `ü;--` int"), how)
    assert write.rows() == [(1, 2, "b", "keep", 7), (2, 1, "n", None, 8)]


@pytest.mark.parametrize("by", [("day",), ("day", "shop")])
def test_rows_take_the_place_of_those_that_share_their_values(write, by):
    schema = "day string, shop string, v int"
    write(rows([("d'1", "a", 1), ("d'1", "b", 1), ("d2", "a", 1), (None, "a", 1)], schema), Manner("append"))
    write(rows([("d'1", "a", 2), (None, "a", 2)], schema), Manner("replace", by=by))
    others = [("d'1", "b", 1)] if len(by) == 2 else []
    assert write.rows() == sorted([("d'1", "a", 2), ("d2", "a", 1), (None, "a", 2), *others], key=str)
    write(rows([], schema), Manner("replace", by=by))
    assert len(write.rows()) == 3 + len(others)


@pytest.mark.parametrize("kind", ["bigint", "date", "timestamp", "string"])
def test_only_files_that_can_hold_the_keys_are_in_reach_and_every_key_is(spark, lake, write, kind):
    cast = {
        "bigint": "id",
        "date": "date_from_unix_date(cast(id as int))",
        "timestamp": "timestamp_micros(id * 777 + 1)",
        "string": "concat('ü-', lpad(id, 6, '0'), '\\'')",
    }[kind]
    data = spark.range(0, 20_000).selectExpr(f"{cast} as k", "id as v")
    for start in range(0, 20_000, 2_500):
        span = (start, start + 2_500, 1, 1)
        write(lambda session, span=span: session.range(*span).selectExpr(f"{cast} as k", "id as v"), Manner("append"))
    chance = random.Random(1)
    wanted = [*range(3_000, 3_050), *chance.sample(range(12_500, 14_999), 20), 0, 19_999, 30_000]

    def change(session):
        return session.createDataFrame([(each,) for each in wanted], "id bigint").selectExpr(f"{cast} as k", "-id as v")

    changed = change(spark)
    reached = reach(files_of(lake), changed, ["k"])
    condition = reached.condition
    assert condition and len(reached.missed) == 4
    old = data.alias("old").where(condition)
    assert old.count() < 6_000
    assert old.join(changed, "k").count() == len(wanted) - 1  # one of them is new
    made = write(change, Manner("merge", ("k",)))
    assert made.metrics["numTargetRowsUpdated"] in (len(wanted) - 1, str(len(wanted) - 1))
    assert int(made.metrics["numTargetFilesRemoved"]) == 4
    assert sum(row[1] <= 0 for row in write.rows()) == len(wanted)


def test_a_row_that_another_writer_commits_after_the_look_is_matched(lake, write, monkeypatch):
    for start in range(0, 400, 100):
        span = (start, start + 100, 1, 1)
        write(lambda session, span=span: session.range(*span).selectExpr("id as k", "id as v"), Manner("append"))

    def looked(*args):
        reached = reach(*args)
        theirs = pa.table({"k": pa.array([500], pa.int64()), "v": pa.array([0], pa.int64())})
        write_deltalake(lake.path(TABLE), theirs, mode="append")
        return reached

    monkeypatch.setattr("lakeloom.store.merge.reach", looked)
    write(rows([(7, -7), (500, -500)], "k bigint, v bigint"), Manner("merge", ("k",)))
    assert [row for row in write.rows() if row[1] < 0 or row[0] == 500] == [(500, -500), (7, -7)]


def test_keys_are_compared_plainly_only_where_the_table_has_no_null_in_them(lake, write):
    """With NULL = NULL a row whose key has a NULL part would be there twice."""
    how, schema = Manner("merge", ("id", "part")), "id int, part string, v int"
    write(rows([(1, "a", 1), (2, None, 2)], schema), how)
    assert never_null(files_of(lake), ("id", "part", "no such")) == ("id",)
    write(rows([(2, None, 3), (None, "b", 4)], schema), how)
    assert write.rows() == [(1, "a", 1), (2, None, 3), (None, "b", 4)]
    assert never_null(files_of(lake), ("id", "part")) == ()
    write(rows([(None, "b", 5)], schema), how)
    assert write.rows() == [(1, "a", 1), (2, None, 3), (None, "b", 5)]


def test_keys_at_both_ends_of_what_a_number_can_be_are_merged(lake, write):
    """The difference of two such is no BIGINT."""
    for start in (-(2**63), -10, 10, 2**63 - 2):
        write(rows([(start, 1), (start + 1, 1)], "k bigint, v int"), Manner("append"))
    write(rows([(-(2**63), 2), (2**63 - 1, 2), (0, 2)], "k bigint, v int"), Manner("merge", ("k",)))
    assert sorted(k for k, v in write.rows() if v == 2) == [-(2**63), 0, 2**63 - 1]
    assert len(write.rows()) == 9


def test_where_every_file_holds_every_range_nothing_is_asked(spark, lake, write, monkeypatch):
    for part in range(5):
        write(lambda session, part=part: session.range(part, 1_000, 5, 1).selectExpr("id as k"), Manner("append"))
    monkeypatch.setattr("lakeloom.store.pruning._ranges", lambda *_: pytest.fail("the rows were asked"))
    assert reach(files_of(lake), spark.range(10).selectExpr("id as k"), ["k"]) == Reach()


def test_depth_and_runs():
    assert depth([(0, 9), (10, 19), (20, 29), (30, 39)]) == 0.25
    assert depth([(0, 9)] * 4) > 0.6
    assert together([1, 2, 3, 7, 8, 20], ranges=2) == [(1, 8), (20, 20)]
    assert together([5]) == [(5, 5)] and together([]) == []
    chance = random.Random(2)
    for _ in range(50):
        buckets = chance.sample(range(500), chance.randint(1, 60))
        runs = together(buckets, ranges=7)
        assert len(runs) <= 7 and all(any(low <= each <= high for low, high in runs) for each in buckets)
        assert all(high < low for (_, high), (low, _) in pairwise(runs))
