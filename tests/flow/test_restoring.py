"""A table that is brought back: to the rows that readers saw, exactly once, and who reads it follows."""

import shutil
from copy import copy
from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable, write_deltalake

from lakeloom.core.errors import LakeloomError, RunError
from lakeloom.core.names import TableName
from lakeloom.flow import restoring
from lakeloom.flow.context import Context
from lakeloom.flow.restoring import restore_table, settle
from lakeloom.project.graph import steps
from lakeloom.store import refs
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intents
from lakeloom.store.log import unchanged
from lakeloom.store.pins import pins
from lakeloom.store.vacuumed import Vacuum, note
from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, v, n, gone, _position from bronze.changes
    keys: [k]
    write: {mode: scd2, sequence_by: n, delete_when: gone}
    rules: [{column: v, expect: values_between, min: 0, otherwise: quarantine}]
  gold.sums:
    from: {silver.items: whole}
    sql: select sum(v) as v from silver.items where is_current
"""
COLUMNS = {"k": "string", "v": "bigint", "n": "bigint", "gone": "boolean"}
ITEMS = "silver.items"


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory, spark):
    """Give a project of two runs: the second changes a value, deletes a key and is broken in one row."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("LAKELOOM_HOME", raising=False)
        made = Stream(tmp_path_factory.mktemp("restored"), COLUMNS, TABLES)
        made.drop(*({"k": k, "v": 1, "n": 1, "gone": False} for k in "abc"))
        made.done()
        made.drop({"k": "a", "v": 10, "n": 2, "gone": False}, {"k": "b", "v": 1, "n": 2, "gone": True},
                  {"k": "z", "v": -1, "n": 2, "gone": False})  # fmt: skip
        made.done()
        DeltaTable(made.lake.path(ITEMS)).optimize.compact()
    return made


@pytest.fixture
def stream(grown, tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    copied = copy(grown)
    copied.home = shutil.copytree(grown.home, tmp_path / "home")
    copied.folder = copied.home / "conf" / "stream"
    return copied


def published(stream):
    return [each["version"] for each in refs.entries(stream.lake) if each["table"] == ITEMS]


def current(stream):
    return [row[:2] for row in stream.table(ITEMS, "k", "v", "is_current") if row[2]]


def refused(stream, point, table=ITEMS):
    with pytest.raises(LakeloomError) as caught:
        restore_table(stream.project(), table, point)
    return caught.value


def restores(stream, table=ITEMS):
    return [each for each in stream.lake.history(table) if "restored" in each["manifest"]]


def test_after_an_optimize_the_rows_of_before_come_back_and_readers_follow(stream):
    first, good = published(stream)
    head = stream.lake.version(ITEMS)
    assert head > good > first and unchanged(stream.lake, ITEMS, good, head)
    # The last good version is there, though the newest in the log is another one.
    assert restore_table(stream.project(), ITEMS, "last-good").tables == {}
    done = restore_table(stream.project(), ITEMS, "previous")
    assert (done.to, done.version) == (first, head + 1) and set(done.tables) == {ITEMS, "aside.silver__items"}
    assert refs.good(stream.lake)[ITEMS] == done.version
    assert current(stream) == [("a", 1), ("b", 1), ("c", 1)]
    # What had kept the deletion of b is as it was too: else the next change of b would bring it back.
    assert stream.table("aside.silver__items", "k") == []
    made = restores(stream)[0]["manifest"]
    assert (made["step"], made["epoch"], made["restored"], bool(made["run"])) == (
        "restore.silver.items",
        1,
        first,
        True,
    )
    # Rows in quarantine stay what they are; rows that were consumed are not consumed again, and who reads follows.
    assert stream.table("quarantine.silver__items", "state") == [("open",)]
    ran = stream.done()
    assert (ran[ITEMS].status, ran["gold.sums"].status) == ("skipped", "done")
    assert stream.table("gold.sums", "v") == [(3,)]
    assert restore_table(stream.project(), ITEMS, str(first)).tables == {}
    # And forward again, by number; then what comes next goes on from there.
    again = restore_table(stream.project(), ITEMS, str(good))
    assert again.version == done.version + 1 and current(stream) == [("a", 10), ("c", 1)]
    stream.drop({"k": "b", "v": 7, "n": 3, "gone": False})
    stream.done()
    assert current(stream) == [("a", 10), ("b", 7), ("c", 1)] and stream.table("gold.sums", "v") == [(18,)]


@pytest.mark.parametrize(
    "moment", ["before the commit", "between two commits", "before publication", "before the facts"]
)
def test_killed_at_any_moment_it_is_done_once(stream, monkeypatch, moment):
    first, _ = published(stream)
    right, left = restoring.restore, [0 if moment == "before the commit" else 1]

    def restore(*words):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return right(*words)

    def stop(*words, **options):
        raise Killed

    with monkeypatch.context() as patched:
        if moment.endswith(("commit", "commits")):
            patched.setattr(restoring, "restore", restore)
        elif moment == "before publication":
            patched.setattr(restoring.refs, "publish", stop)
        else:
            patched.setattr(Intents, "finish", stop)
        with pytest.raises(Killed):
            restore_table(stream.project(), ITEMS, "previous")
    # Until it is done no reader meets it, and no vacuum takes what it needs.
    assert (len(published(stream)) == 2) == (moment != "before the facts")
    needed = pins(stream.lake, Intents(stream.lake.root), {step.name: step for step in steps(stream.project())})
    assert (ITEMS, first) in {(pin.table, pin.first) for pin in needed if "not finished" in pin.by}
    context = Context.of(stream.project(), "again")
    assert settle(context) == [ITEMS] and settle(context) == []
    assert len(restores(stream)) == len(restores(stream, "aside.silver__items")) == 1
    assert refs.good(stream.lake)[ITEMS] == stream.lake.version(ITEMS)
    assert current(stream) == [("a", 1), ("b", 1), ("c", 1)]


def test_a_run_brings_an_interrupted_restore_to_its_end_first(stream, monkeypatch):
    def stop(*words, **options):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(restoring.refs, "publish", stop)
        with pytest.raises(Killed):
            restore_table(stream.project(), ITEMS, "previous")
    stream.drop({"k": "c", "v": 5, "n": 3, "gone": False})
    stream.done()
    assert current(stream) == [("a", 1), ("b", 1), ("c", 5)] and stream.table("gold.sums", "v") == [(7,)]
    assert len(restores(stream)) == 1


def test_what_can_t_be_done_is_given_up_and_runs_go_on(stream, monkeypatch):
    def broken(*words):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "restore", broken)
        refused(stream, "previous")
    assert Intents(stream.lake.root).latest("restore.silver.items").failed is not None
    assert settle(Context.of(stream.project(), "next")) == []
    assert restore_table(stream.project(), ITEMS, "previous").tables


def test_a_time_means_what_readers_saw_then(stream):
    first, good = published(stream)
    at = {each["version"]: each["at"] for each in refs.entries(stream.lake) if each["table"] == ITEMS}
    context, name = Context.of(stream.project(), "look"), TableName.parse(ITEMS)
    between = at[good] - timedelta(microseconds=1)
    assert restoring._version(context, name, between.isoformat()) == first
    assert restoring._version(context, name, datetime.now(UTC).isoformat()) == good
    wrong = refused(stream, (at[first] - timedelta(seconds=1)).isoformat())
    assert wrong.code == "LL-STORE-002" and "not published yet" in wrong.message


def test_versions_that_no_reader_may_have_are_refused(stream):
    first, good = published(stream)
    head = stream.lake.version(ITEMS)
    write_deltalake(stream.lake.path(ITEMS), stream.lake.arrow(ITEMS, head).slice(0, 1), mode="append")
    wrong = refused(stream, str(head + 1))
    assert wrong.code == "LL-STORE-017" and wrong.fix == f"take one of {first}, {good}"
    assert refused(stream, "99").code == "LL-STORE-002"
    assert refused(stream, "last goood").code == "LL-TABLE-002"
    assert refused(stream, "release-7").code == "LL-STORE-002"
    assert refused(stream, "1", "silver.none").code == "LL-STORE-001"
    assert refused(stream, "last-good", "aside.silver__items").code == "LL-RUN-010"
    note(stream.lake.root, ITEMS, identity(stream.lake, ITEMS), Vacuum("2026-01-01", ((first, first),)))
    assert refused(stream, str(first)).code == "LL-STORE-012"
    # Of a foreign writer's rows, the last good version is free.
    assert restore_table(stream.project(), ITEMS, "last-good").to == good


def test_a_table_in_the_midst_of_an_execution_is_left_alone(stream, monkeypatch):
    from lakeloom.flow import execute

    def stop(*words, **options):
        raise Killed

    stream.drop({"k": "c", "v": 5, "n": 3, "gone": False})
    with monkeypatch.context() as patched:
        patched.setattr(execute.refs, "publish", stop)
        with pytest.raises(Killed):
            stream.run("bronze.changes")
    assert "interrupted" in refused(stream, "previous", "bronze.changes").message
    with pytest.raises(RunError):
        restoring._require_still(Context.of(stream.project(), "look"), _streaming(), TableName.parse("silver.windows"))


def _streaming():
    from types import SimpleNamespace

    from lakeloom.core.steps import Step

    return Step("silver.windows", "transform", (), ("silver.windows",), SimpleNamespace(stream=object()))
