"""A table that is brought back: to the rows that readers saw, exactly once, and who reads it follows."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakeloom.core.errors import LakeloomError, RunError
from lakeloom.core.names import TableName
from lakeloom.core.steps import Step
from lakeloom.flow import restoring
from lakeloom.flow.context import Context
from lakeloom.flow.restoring import restore_table, settle
from lakeloom.flow.upkeeping import ahead
from lakeloom.project.graph import steps
from lakeloom.store import refs
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.log import unchanged
from lakeloom.store.pins import pins
from lakeloom.store.tags import tag
from lakeloom.store.vacuumed import Vacuum, note
from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, v, n, gone, _position from bronze.changes
    keys: [k]
    write: {mode: scd2, sequence_by: n, delete_when: gone}
"""
PLAIN = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, v, _position from bronze.changes
    keys: [k]
    write: {mode: merge, sequence_by: _position}
  gold.sums:
    from: {silver.items: whole}
    sql: select sum(v) as v from silver.items
"""
COLUMNS = {"k": "string", "v": "bigint", "n": "bigint", "gone": "boolean"}
ITEMS, ASIDE = "silver.items", "aside.silver__items"


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def stop(*words, **options):
    raise Killed


def write(lake, table, rows, mode="append"):
    data = {"k": pa.array(list(rows), pa.string()), "v": pa.array(list(rows.values()), pa.int64())}
    write_deltalake(lake.path(table), pa.table(data), mode=mode)
    return lake.version(table)


def ran(stream, epoch, **versions):
    """Leave what an execution leaves that has published: its intent, its facts, the refs."""
    named = {name.replace("__", ".", 1): version for name, version in versions.items()}
    intent = Intent(ITEMS, epoch, f"run{epoch}", datetime.now(UTC).isoformat(), 7, "code")
    Intents(stream.lake.root).begin(intent)
    refs.publish(stream.lake, named, step=ITEMS, epoch=epoch, run=f"run{epoch}", at=datetime.now(UTC))
    Intents(stream.lake.root).finish(intent, {"versions": named})


@pytest.fixture
def stream(tmp_path, monkeypatch):
    """Give a project whose tables stand as three executions and an OPTIMIZE have left them, written without Spark."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    made = Stream(tmp_path, COLUMNS, TABLES)
    lake = made.lake
    ran(made, 1, silver__items=write(lake, ITEMS, {"a": 1, "b": 1}))
    write(lake, ASIDE, {})
    side = write(lake, ASIDE, {"b": 1})
    ran(made, 2, silver__items=write(lake, ITEMS, {"a": 1}, "overwrite"), aside__silver__items=side)
    write(lake, ITEMS, {"x": 13})  # did not pass its audit
    side = write(lake, ASIDE, {"c": 1})
    ran(made, 3, silver__items=write(lake, ITEMS, {"a": 10, "d": 2}, "overwrite"), aside__silver__items=side)
    write(lake, ITEMS, {"e": 3})
    ran(made, 4, silver__items=lake.version(ITEMS))
    DeltaTable(lake.path(ITEMS)).optimize.compact()
    return made


def published(stream, table=ITEMS):
    return [each["version"] for each in refs.entries(stream.lake) if each["table"] == table]


def rows(stream, table=ITEMS):
    return dict(stream.table(table, "k", "v"))


def refused(stream, point, table=ITEMS):
    with pytest.raises(LakeloomError) as caught:
        restore_table(stream.project(), table, point)
    return caught.value


def restores(stream, table=ITEMS):
    return [each for each in stream.lake.history(table) if "restored" in each["manifest"]]


def test_after_an_optimize_the_rows_of_before_come_back_with_what_lies_beside(stream):
    assert published(stream) == [0, 1, 3, 4] and stream.lake.version(ITEMS) == 5
    assert unchanged(stream.lake, ITEMS, 4, 5)
    # The last good version is there, though the newest in the log is another one.
    assert restore_table(stream.project(), ITEMS, "last-good").tables == {}
    done = restore_table(stream.project(), ITEMS, "1")
    assert (done.to, done.version, done.tables) == (1, 6, {ITEMS: 6, ASIDE: 3})
    assert rows(stream) == {"a": 1} and rows(stream, ASIDE) == {"b": 1}
    assert refs.good(stream.lake) == {ITEMS: 6, ASIDE: 3}
    made = restores(stream)[0]["manifest"]
    assert (made["step"], made["epoch"], made["restored"]) == ("restore.silver.items", 1, 1) and made["run"]
    # Again is nothing; forward again is another one; and to a time when nothing lay beside it, that is empty.
    assert restore_table(stream.project(), ITEMS, "1").tables == {}
    assert restore_table(stream.project(), ITEMS, "4").version == 7
    assert rows(stream) == {"a": 10, "d": 2, "e": 3} and rows(stream, ASIDE) == {"b": 1, "c": 1}
    assert set(restore_table(stream.project(), ITEMS, "0").tables) == {ITEMS, ASIDE}
    assert rows(stream) == {"a": 1, "b": 1} and rows(stream, ASIDE) == {}


def test_previous_is_the_published_version_that_had_other_rows(stream):
    ran(stream, 5, silver__items=5)  # upkeep publishes too, and changes nothing
    assert restore_table(stream.project(), ITEMS, "previous").to == 3
    assert rows(stream) == {"a": 10, "d": 2}
    write_deltalake(stream.lake.path("gold.once"), pa.table({"k": ["a"]}))
    refs.publish(stream.lake, {"gold.once": 0}, step="x", epoch=1, run="r", at=datetime.now(UTC))
    assert refused(stream, "previous", "gold.once").code == "LL-STORE-002"


@pytest.mark.parametrize(
    "moment", ["before the commit", "between two commits", "before publication", "before the facts"]
)
def test_killed_at_any_moment_it_is_done_once(stream, monkeypatch, moment):
    right, left = restoring.bring_back, [0 if moment == "before the commit" else 1]

    def bring_back(*words):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return right(*words)

    with monkeypatch.context() as patched:
        if moment.endswith(("commit", "commits")):
            patched.setattr(restoring, "bring_back", bring_back)
        elif moment == "before publication":
            patched.setattr(restoring.refs, "publish", stop)
        else:
            patched.setattr(Intents, "finish", stop)
        with pytest.raises(Killed):
            restore_table(stream.project(), ITEMS, "1")
    # Until it is done no reader meets it, and no vacuum takes what it needs.
    assert (refs.good(stream.lake)[ITEMS] == 4) == (moment != "before the facts")
    needed = pins(stream.lake, Intents(stream.lake.root), {step.name: step for step in steps(stream.project())})
    assert (ITEMS, 1) in {(pin.table, pin.first) for pin in needed if "not finished" in pin.by}
    context = Context.of(stream.project(), "again")
    assert settle(context) == [ITEMS] and settle(context) == []
    assert len(restores(stream)) == len(restores(stream, ASIDE)) == 1
    assert refs.good(stream.lake) == {ITEMS: 6, ASIDE: 3} and rows(stream) == {"a": 1}


def test_what_can_t_be_done_is_given_up_and_the_next_one_goes_on(stream, monkeypatch):
    def broken(*words):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "bring_back", broken)
        refused(stream, "1")
    assert Intents(stream.lake.root).latest("restore.silver.items").failed is not None
    assert settle(Context.of(stream.project(), "next")) == []
    assert restore_table(stream.project(), ITEMS, "1").version == 6


def test_a_time_means_what_readers_saw_then(stream):
    at = {each["version"]: each["at"] for each in refs.entries(stream.lake) if each["table"] == ITEMS}
    context, name = Context.of(stream.project(), "look"), TableName.parse(ITEMS)

    def meant(time):
        return restoring._version(context, name, time.isoformat())

    # The version in the log that failed its audit in between is nobody's.
    assert meant(at[3] - timedelta(microseconds=1)) == 1
    assert meant(at[3]) == 3 and meant(datetime.now(UTC)) == 4
    wrong = refused(stream, (at[0] - timedelta(seconds=1)).isoformat())
    assert wrong.code == "LL-STORE-002" and "not published yet" in wrong.message


def test_versions_that_no_reader_may_have_are_refused(stream):
    wrong = refused(stream, "2")
    assert wrong.code == "LL-STORE-017" and wrong.fix == "take one of 0, 1, 3, 4"
    assert restore_table(stream.project(), ITEMS, "5").tables == {}  # of upkeep: the rows of a published one
    assert refused(stream, "99").code == "LL-STORE-002"
    assert refused(stream, "last goood").code == "LL-TABLE-002"
    assert refused(stream, "release-7").code == "LL-STORE-002"
    assert refused(stream, "1", "silver.none").code == "LL-STORE-001"
    assert refused(stream, "last-good", ASIDE).code == "LL-RUN-010"
    note(stream.lake.root, ITEMS, identity(stream.lake, ITEMS), Vacuum("2026-01-01", ((0, 0),)))
    assert refused(stream, "0").code == "LL-STORE-012"
    write_deltalake(stream.lake.path("gold.never"), pa.table({"k": ["a"]}))
    assert refused(stream, "0", "gold.never").code == "LL-STORE-017"
    # Of a foreign writer's rows, the last good version is free.
    write(stream.lake, ITEMS, {"z": 26})
    assert restore_table(stream.project(), ITEMS, "last-good").to == 4
    assert rows(stream) == {"a": 10, "d": 2, "e": 3}


def test_a_table_in_the_midst_of_an_execution_or_that_streams_is_left_alone(stream):
    Intents(stream.lake.root).begin(Intent(ITEMS, 9, "run9", datetime.now(UTC).isoformat(), 7, "code"))
    assert "interrupted" in refused(stream, "1").message
    streaming = Step("silver.w", "transform", (), ("silver.w",), SimpleNamespace(stream=object()))
    with pytest.raises(RunError) as caught:
        restoring._require_still(Context.of(stream.project(), "look"), streaming, TableName.parse("silver.w"))
    assert caught.value.code == "LL-RUN-010" and "--full-refresh" in caught.value.fix


def test_vacuum_says_what_it_keeps_for_whom(stream):
    stream.declare(TABLES + "    upkeep: {vacuum: {keep: 1 hour}}\n")
    tag(stream.lake, "first", {ITEMS: 0}, who="ada", at=datetime.now(UTC))
    (entry,) = [each for each in ahead(stream.project(), [ITEMS]).tables if each["table"] == ITEMS]
    assert {"versions": "0", "by": "tag first"} in entry["kept"]


def test_a_run_ends_an_interrupted_restore_first_and_readers_follow(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Stream(tmp_path, COLUMNS, PLAIN)
    for value in (1, 10):
        stream.drop({"k": "a", "v": value}, {"k": str(value), "v": value})
        stream.done("bronze.*", "silver.*")
    stream.done("gold.*")
    with monkeypatch.context() as patched:
        patched.setattr(restoring.refs, "publish", stop)
        with pytest.raises(Killed):
            restore_table(stream.project(), ITEMS, "previous")
    assert rows(stream) == {"a": 10, "1": 1, "10": 10}
    ran = stream.done()
    # Rows that were consumed are not consumed again; who reads the table follows.
    assert (ran[ITEMS].status, ran["gold.sums"].status) == ("skipped", "done")
    assert rows(stream) == {"a": 1, "1": 1} and stream.table("gold.sums", "v") == [(2,)]
    # What comes next goes on from there, by Spark on the commit that no Spark has written.
    stream.drop({"k": "b", "v": 7})
    stream.done("bronze.*", "silver.*")
    assert rows(stream) == {"a": 1, "1": 1, "b": 7} and len(restores(stream)) == 1
