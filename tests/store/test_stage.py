"""Rows that wait in files: committed they are what a plain write makes, forgotten they are nowhere."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, Transaction, write_deltalake
from py4j.protocol import Py4JJavaError

from lakeloom.core.names import TableName
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Mark, commit
from lakeloom.store.layout import Layout
from lakeloom.store.manner import Manner
from lakeloom.store.stage import Stage

STAGED, PLAIN = TableName("silver", "staged"), TableName("silver", "plain")
SCHEMA = "k int, part string, `a text` string"
FIRST = [(1, "a", "x"), (2, "b", None)]
NEXT = [(3, "b", "y"), (4, "c", None), (5, "c", "z")]
SAYS = {"comment": "of a test"}


class Twins:
    """The same rows by a stage into one table and by a plain write into the other."""

    def __init__(self, spark, lake):
        self.spark, self.lake, self.staged = spark, lake, []

    def __call__(self, epoch, rows, mode="append", layout=Layout(), schema=SCHEMA):  # noqa: B008 - frozen
        return [self.commit(table, epoch, rows, mode, layout, schema) for table in (STAGED, PLAIN)]

    def commit(self, table, epoch, rows, mode, layout, schema):
        with step_session(self.spark) as session:
            frame, how = session.createDataFrame(rows, schema), Manner(mode)
            stage = self.begin(session, frame, how, epoch, layout) if table == STAGED else None
            if table == STAGED:
                self.staged.append(stage is not None)
            if stage is not None:
                assert stage.write(frame) == len(rows)
            mark = Mark(str(table), epoch, {"run": "r"})
            return commit(session, self.lake, table, frame, mark, how, properties=SAYS, layout=layout, stage=stage)

    def begin(self, session, frame, how, epoch, layout=Layout()):  # noqa: B008 - frozen
        return Stage.begin(
            session, self.lake, STAGED, frame, how, str(STAGED), epoch, properties=SAYS, layout=layout
        )  # fmt: skip

    def rows(self, table=STAGED):
        return sorted((tuple(row.values()) for row in self.lake.arrow(table).to_pylist()), key=repr)

    def files(self):
        return sorted(Path(self.lake.path(STAGED)).rglob("*.parquet"))

    def newest(self, table):
        """Return what the newest commit says, without names and times that can't be the same."""
        path = Path(self.lake.path(table), "_delta_log", f"{self.lake.version(table):020d}.json")
        told = [next(iter(json.loads(line).items())) for line in path.read_text().splitlines()]
        info = next(action for name, action in told if name == "commitInfo")
        metrics = {name: value for name, value in info["operationMetrics"].items() if "Bytes" not in name}
        kept = ("operation", "operationParameters", "isBlindAppend", "isolationLevel", "userMetadata")
        told_of = {name: info.get(name) for name in kept}
        # A plain overwrite may bring other columns; staged rows never do.
        told_of["operationParameters"].pop("canOverwriteSchema", None)
        told_of["userMetadata"] = told_of["userMetadata"].replace(str(table), "table")
        return told_of, metrics, sorted(name for name, _ in told)


@pytest.fixture
def twins(spark, lake):
    return Twins(spark, lake)


@pytest.mark.parametrize(
    "layout",
    [Layout(), Layout(partition_by=("part",), features=("delta.enableDeletionVectors",), never_null=("k",))],
    ids=["plain", "laid out"],
)
def test_appended_and_in_place_of_all_it_is_the_commit_of_a_plain_write(twins, layout):
    twins(1, FIRST, layout=layout)
    for epoch, mode in ((2, "append"), (3, "overwrite"), (4, "append")):
        made = twins(epoch, NEXT, mode, layout)
        assert twins.rows() == twins.rows(PLAIN)
        assert [int(each.metrics["numOutputRows"]) for each in made] == [len(NEXT)] * 2
        assert made[0].version == made[1].version
        ours, theirs = twins.newest(STAGED), twins.newest(PLAIN)
        assert ours[0] == theirs[0]
        assert ours[1].items() >= {"numFiles": theirs[1]["numFiles"], "numOutputRows": "3"}.items()
        # A plain overwrite says the table's metadata again, though it has not changed.
        assert [name for name in theirs[2] if name != "metaData"] == ours[2]
        assert twins.lake.epoch(STAGED, str(STAGED)) == epoch
    assert twins.staged == [False, True, True, True]
    assert twins.commit(STAGED, 4, NEXT, "append", layout, SCHEMA).already  # and not once more


def test_forgotten_rows_are_nowhere_and_committed_ones_stay(twins):
    twins(1, FIRST)
    before, version = twins.files(), twins.lake.version(STAGED)
    with step_session(twins.spark) as session:
        frame = session.createDataFrame(NEXT, SCHEMA)
        stage = twins.begin(session, frame, Manner("append"), 2)
        stage.write(frame)
        assert len(twins.files()) > len(before)
        stage.forget()
        assert (twins.files(), twins.lake.version(STAGED)) == (before, version)
        stage = twins.begin(session, frame, Manner("append"), 2)
        stage.write(frame)
        commit(session, twins.lake, STAGED, frame, Mark(str(STAGED), 2, {}), Manner("append"), stage=stage)
        stage.forget()
    assert len(twins.rows()) == len(FIRST + NEXT)


@pytest.mark.parametrize(
    ("mode", "schema", "layout"),
    [
        ("append", "k bigint, part string, `a text` string", Layout()),
        ("append", "k int, part string, other string", Layout()),
        ("append", "part string, k int, `a text` string", Layout()),
        ("overwrite", "k int, part string, `a text` string COMMENT 'new'", Layout()),
        ("overwrite", SCHEMA, Layout(partition_by=("part",))),
        ("overwrite", SCHEMA, Layout(cluster_by=("k",))),
        ("overwrite", SCHEMA, Layout(features=("delta.enableChangeDataFeed",))),
        ("overwrite", SCHEMA, Layout(never_null=("k",))),
        ("merge", SCHEMA, Layout()),
    ],
)
def test_what_changes_more_than_rows_is_not_staged(twins, mode, schema, layout):
    twins.commit(PLAIN, 1, FIRST, "append", Layout(), SCHEMA)
    assert twins.commit(STAGED, 1, FIRST, "append", Layout(), SCHEMA).version == 0
    with step_session(twins.spark) as session:
        frame = session.createDataFrame([], schema)
        assert twins.begin(session, frame, Manner(mode, keys=("k",)), 2, layout) is None
        as_it_is = session.createDataFrame([], SCHEMA)
        assert twins.begin(session, as_it_is, Manner("append"), 2) is not None
        assert twins.begin(session, as_it_is, Manner("append"), 1) is None


def test_rows_that_the_table_refuses_are_not_written(twins):
    layout = Layout(never_null=("k",))
    twins(1, FIRST, layout=layout)
    with step_session(twins.spark) as session:
        frame = session.createDataFrame([(None, "a", "x")], SCHEMA)
        stage = twins.begin(session, frame, Manner("append"), 2, layout)
        with pytest.raises(Py4JJavaError, match="CHECK constraint"):
            stage.write(frame)
    assert twins.rows() == sorted(FIRST, key=repr)


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_another_writer_between_loses_no_row_and_a_second_of_ours_doubles_none(twins, mode):
    from delta.exceptions import ConcurrentDeleteDeleteException, ConcurrentTransactionException

    twins(1, FIRST)
    rows = pa.table({"k": pa.array([9], pa.int32()), "part": ["z"], "a text": ["theirs"]})
    with step_session(twins.spark) as session:
        frame = session.createDataFrame(NEXT, SCHEMA)

        def ready(epoch):
            stage = twins.begin(session, frame, Manner(mode), epoch)
            stage.write(frame)
            return stage

        def finish(stage, epoch):
            mark = Mark(str(STAGED), epoch, {})
            return commit(session, twins.lake, STAGED, frame, mark, Manner(mode), stage=stage)

        stage = ready(2)
        twins.lake.delta(STAGED).delete("k = 1")
        if mode == "append":
            finish(stage, 2)
            assert {row[0] for row in twins.rows()} == {2, 3, 4, 5}
        else:
            with pytest.raises(ConcurrentDeleteDeleteException):
                finish(stage, 2)
            assert {row[0] for row in twins.rows()} == {2}
        stage, mark = ready(3), CommitProperties(app_transactions=[Transaction(str(STAGED), 3)])
        before = {row[0] for row in twins.rows()}
        write_deltalake(twins.lake.path(STAGED), rows, mode="append", commit_properties=mark)
        with pytest.raises(ConcurrentTransactionException):
            stage.commit(str(STAGED), 3)
        assert {row[0] for row in twins.rows()} == before | {9}
