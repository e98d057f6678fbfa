"""The merge by our own transaction: the same table as Delta's MERGE makes, whatever rows, columns and files."""

import json
import random
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from py4j.protocol import Py4JJavaError
from pyspark.sql import functions as F

from lakeloom.core.names import TableName
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Mark, commit
from lakeloom.store.encodings import undictionaried
from lakeloom.store.layout import Layout
from lakeloom.store.log import snapshot
from lakeloom.store.manner import DELETED, Manner
from lakeloom.store.transaction import Transaction
from lakeloom.store.upsert import upsert

OWN, PLAIN = TableName("silver", "own"), TableName("silver", "plain")
VECTORS = {"delta.enableDeletionVectors": "true"}


class Both:
    """The same commits into two tables: by our transaction into one, by Delta's MERGE into the other."""

    def __init__(self, spark, lake, monkeypatch, properties):
        self.spark, self.lake, self.properties, self.epoch = spark, lake, properties, 0
        self.answers = []

        def noted(*args, **words):
            self.answers.append(upsert(*args, **words))
            return self.answers[-1]

        monkeypatch.setattr("lakeloom.store.merge.upsert", noted)

    def __call__(self, rows, how, layout=Layout()):  # noqa: B008 - frozen
        self.epoch += 1
        return [self._commit(table, rows, how, layout) for table in (OWN, PLAIN)]

    def _commit(self, table, rows, how, layout):
        with step_session(self.spark) as session:
            session.conf.set("spark.lakeloom.merge", "own" if table == OWN else "delta")
            mark = Mark(str(table), self.epoch, {})
            return commit(
                session, self.lake, table, rows(session), mark, how, properties=self.properties, layout=layout
            )

    def rows(self, table=OWN):
        frame = self.spark.read.format("delta").load(self.lake.path(table))
        return sorted((tuple(row) for row in frame.collect()), key=repr)

    def same(self, *, merges):
        """Compare the tables, and require that so many merges went our way in the one and none in the other."""
        assert self.rows() == self.rows(PLAIN)
        assert self.answers.count(True) == merges
        counted = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")
        own, plain = (self.lake.history(table, 1)[0]["metrics"] for table in (OWN, PLAIN))
        assert [int(own[name]) for name in counted] == [int(plain[name]) for name in counted]
        return self.rows()


@pytest.fixture(params=[False, True], ids=["files", "vectors"])
def both(request, spark, lake, monkeypatch):
    return Both(spark, lake, monkeypatch, VECTORS if request.param else {})


def made(data, schema):
    return lambda session: session.createDataFrame(data, schema)


SCHEMA = "k int, part string, seq int, v string, first string"


def _random(chance, size):
    keys = chance.sample(range(60), size)
    return [
        (key, chance.choice(["a", "b", None]), chance.randint(0, 9), chance.choice("xyz"), chance.choice("pq"))
        for key in keys
    ]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "how",
    [
        Manner("merge", ("k",), "seq"),
        Manner("merge", ("k", "part"), "seq"),
        pytest.param(Manner("merge", ("k",)), marks=pytest.mark.long),
    ],
    ids=["order", "parts of keys", "no order"],
)
def test_random_rows_and_deletions_make_the_table_that_deltas_merge_makes(both, how, seed):
    """Late rows, rows of keys with NULL parts, deletions, rows that update some columns: again and again."""
    chance = random.Random(seed)
    there = [(99, None, 1, None, None), *((key, "a", 5, "m", "p") for key in range(60))]
    # Files that hold ranges, so that some are out of reach.
    both(lambda session: session.createDataFrame(there, SCHEMA).repartitionByRange(4, "k"), Manner("append"))
    for size in (25, 1):
        data = [(*row, chance.random() < 0.3) for row in _random(chance, size)]
        both(made(data, f"{SCHEMA}, {DELETED} boolean"), how)
    both(made(_random(chance, 8), SCHEMA), how)
    assert both.same(merges=3)


def test_columns_that_the_rows_lack_stay_and_names_may_be_odd(both):
    odd = "`the ``k``.1` int, seq int, `select` string, Other string"
    both(made([(1, 1, "a", "keep"), (2, 5, "late", "keep")], odd), Manner("append"))
    how = Manner("merge", ("the `k`.1",), "seq")
    both(made([(1, 2, "b"), (2, 4, "no"), (3, 1, "n")], "`the ``k``.1` int, seq int, `select` string"), how)
    assert both.same(merges=1) == [(1, 2, "b", "keep"), (2, 5, "late", "keep"), (3, 1, "n", None)]


def test_rows_marked_before_stay_marked_and_a_file_of_marked_rows_alone_goes(both, lake):
    how = Manner("merge", ("k",))
    both(lambda session: session.range(0, 10, 1, 1).selectExpr("id as k", "id as v"), Manner("append"))
    for keys in ([0, 1], [2], [3, 4, 5, 6, 7, 8, 9]):
        both(made([(key, -key - 1) for key in keys], "k bigint, v bigint"), how)
    assert both.same(merges=3) == sorted([(key, -key - 1) for key in range(10)], key=repr)
    assert len(snapshot(lake, OWN, lake.version(OWN)).adds) == (3 if both.properties else 1)


def test_a_partitioned_table_is_read_where_the_rows_are_and_gets_a_file_a_partition(both, lake):
    layout = Layout(partition_by=("day",))
    days = [date(2026, 1, day) for day in range(1, 9)]
    data = [(day, number, "old") for day in days for number in range(3)]
    both(made(data, "day date, k int, v string"), Manner("append"), layout)
    before = set(snapshot(lake, OWN, lake.version(OWN)).adds)
    news = [(days[3], 1, "new"), (days[4], 7, "new")]
    found = both(made(news, "day date, k int, v string"), Manner("merge", ("day", "k")), layout)
    assert len([row for row in both.same(merges=1) if row[2] == "new"]) == 2
    now = snapshot(lake, OWN, lake.version(OWN)).adds
    assert {now[key]["partitionValues"]["day"] for key in set(now) - before} == {"2026-01-04", "2026-01-05"}
    assert int(found[0].metrics["numTargetFilesAdded"]) <= 3


def test_statistics_of_a_file_with_marks_are_no_longer_called_exact(spark, lake, monkeypatch):
    both = Both(spark, lake, monkeypatch, VECTORS)
    schema = "k bigint, v string, s struct<a:int>"
    both(
        lambda session: session.createDataFrame([(1, None, None), (2, None, None)], schema).coalesce(1),
        Manner("append"),
    )
    both(made([(1, "x", (1,))], schema), Manner("merge", ("k",)))
    own, plain = (
        [
            json.loads(add["stats"])
            for add in snapshot(lake, table, lake.version(table)).adds.values()
            if add.get("deletionVector")
        ]
        for table in (OWN, PLAIN)
    )
    assert own == plain and own[0]["tightBounds"] is False
    assert own[0]["nullCount"] == {"k": 0, "v": 2, "s": {"a": 2}}


def test_the_session_of_the_step_is_not_left_behind_in_its_thread(spark, lake, monkeypatch):
    """Whoever asks for the active session next would write under the step's transaction id: in vain."""
    both = Both(spark, lake, monkeypatch, {})

    def one(value):  # `createDataFrame` would leave its own session there
        return lambda session: session.sql(f"SELECT 1 AS k, '{value}' AS v")

    both(one("a"), Manner("append"))
    sessions = spark._jvm.org.apache.spark.sql.SparkSession
    sessions.clearActiveSession()
    both(one("b"), Manner("merge", ("k",)))
    assert not sessions.getActiveSession().isDefined()
    sessions.setActiveSession(spark._jsparkSession)
    both(one("c"), Manner("merge", ("k",)))
    assert sessions.getActiveSession().get().equals(spark._jsparkSession)
    assert both.same(merges=2) == [(1, "c")]


def test_a_broken_constraint_is_refused_and_nothing_is_committed(spark, lake, monkeypatch):
    both = Both(spark, lake, monkeypatch, {})
    both(made([(1, 1)], "k int, v int"), Manner("append"))
    spark.sql(f"ALTER TABLE delta.`{lake.path(OWN)}` ADD CONSTRAINT positive CHECK (v > 0)")
    before = lake.version(OWN)
    with pytest.raises(Py4JJavaError, match="positive"):
        both(made([(1, -1)], "k int, v int"), Manner("merge", ("k",)))
    assert lake.version(OWN) == before and both.rows() == [(1, 1)]


def test_rows_of_others_that_come_while_it_works_are_looked_for_again(spark, lake, monkeypatch):
    """Delta lets a mere addition pass: the key would be there twice."""
    import pyarrow as pa

    both = Both(spark, lake, monkeypatch, {})
    both(made([(1, "a")], "k bigint, v string"), Manner("append"))
    real, tries = Transaction.write, []

    def disturbed(self, frame):
        if not tries:
            theirs = pa.table({"k": pa.array([2], pa.int64()), "v": ["theirs"]})
            write_deltalake(lake.path(OWN), theirs, mode="append")
        tries.append(self.version)
        return real(self, frame)

    monkeypatch.setattr(Transaction, "write", disturbed)
    both(made([(2, "ours"), (3, "new")], "k bigint, v string"), Manner("merge", ("k",)))
    assert both.rows() == [(1, "a"), (2, "ours"), (3, "new")] and tries[0] < tries[1]


@pytest.mark.parametrize(
    ("there", "given", "properties"),
    [
        ("int", "int", {"delta.enableChangeDataFeed": "true"}),
        ("double", "double", {}),
        ("bigint", "int", {}),
    ],
    ids=["changes are told", "keys whose equal values differ", "other types"],
)
def test_what_it_does_not_know_is_left_to_deltas_merge(spark, lake, monkeypatch, there, given, properties):
    def keyed(data, kind):
        return lambda session: session.createDataFrame(data, "k int, v int").withColumn("k", F.col("k").cast(kind))

    both = Both(spark, lake, monkeypatch, properties)
    both(keyed([(1, 1), (2, 2)], there), Manner("append"))
    both(keyed([(2, 7), (3, 7)], given), Manner("merge", ("k",)))
    assert both.same(merges=0) == [(1, 1), (2, 7), (3, 7)]


def test_where_delta_is_not_the_one_that_is_known_its_own_merge_does_it(spark, lake, monkeypatch):
    both = Both(spark, lake, monkeypatch, {})
    monkeypatch.setattr("lakeloom.store.transaction._DELTA", "com.databricks.sql.transaction.tahoe")
    both(made([(1, "a")], "k int, v string"), Manner("append"))
    both(made([(1, "b")], "k int, v string"), Manner("merge", ("k",)))
    assert both.same(merges=0) == [(1, "b")]


def test_a_delta_whose_classes_take_other_arguments_leaves_it_to_the_merge(spark, lake, monkeypatch):
    both = Both(spark, lake, monkeypatch, {})
    both(made([(1, "a")], "k int, v string"), Manner("append"))
    monkeypatch.setattr(
        Transaction, "write", lambda self, frame: self._txn.writeFiles(frame._jdf, "other", "arguments")
    )
    both(made([(1, "b")], "k int, v string"), Manner("merge", ("k",)))
    assert both.same(merges=0) == [(1, "b")]


def test_a_column_that_has_no_dictionary_gets_none_when_its_file_is_rewritten(spark, lake, monkeypatch):
    """A dictionary that is given up midway costs a quarter of the writing."""
    both = Both(spark, lake, monkeypatch, {})
    both(
        lambda session: session.range(0, 60_000, 1, 1).selectExpr(
            "id as k", "sha2(cast(id as string), 256) as h", "id % 3 as m"
        ),
        Manner("append"),
    )
    files = [Path(lake.path(OWN)) / key[0] for key in snapshot(lake, OWN, lake.version(OWN)).adds]
    assert "h" in undictionaried(files[0]) and "m" not in undictionaried(files[0])
    both(made([(5, "x", 1)], "k bigint, h string, m bigint"), Manner("merge", ("k",)))
    now = [Path(lake.path(OWN)) / key[0] for key in snapshot(lake, OWN, lake.version(OWN)).adds]
    largest = pq.ParquetFile(max(now, key=lambda file: file.stat().st_size)).metadata.row_group(0)
    encodings = {largest.column(at).path_in_schema: set(largest.column(at).encodings) for at in range(3)}
    assert not any("DICTIONARY" in each for each in encodings["h"])
    assert any("DICTIONARY" in each for each in encodings["m"])
    assert len(both.same(merges=1)) == 60_000
