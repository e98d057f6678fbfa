"""Why a row is there, of tables with a history of their own: SCD 4, change feeds, streams, replays."""

import pytest

from lakeloom.api.lakehouse import Lakehouse
from lakeloom.config.load import read
from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, fix
from lakeloom.flow.replaying import replay
from tests.flow.stream import Stream

pytestmark = pytest.mark.long

COLUMNS = {"id": "string", "seq": "bigint", "op": "string", "a": "string", "v": "bigint", "at": "string"}
TABLES = """\
tables:
  silver.both:
    from: {bronze.changes: new}
    sql: select id, seq, a, op as _op, _position from bronze.changes
    keys: [id]
    write: {mode: scd4, sequence_by: seq, delete_when: _op = 'D', history: silver.both_history}
  silver.now:
    from: {bronze.changes: new}
    sql: select id, a, v, op as _op, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: _position, delete_when: _op = 'D', change_feed: true}
    rules: [{column: v, expect: values_between, min: 0}]
  silver.followed:
    from: {silver.now: changes}
    changes: delta
    keys: [id]
    write: {mode: scd2, sequence_by: _sequence}
    columns: {id: string, a: string, v: bigint}
"""


def row(key, seq, a, v=1, op="U", at=None):
    return {"id": key, "seq": seq, "op": op, "a": a, "v": v, "at": at}


@pytest.fixture(scope="module")
def ran(tmp_path_factory, spark):
    stream = Stream(tmp_path_factory.mktemp("why"), COLUMNS, TABLES)
    stream.drop(row("x", 1, "one"), row("y", 1, "one"), row("z", 1, "bad", v=-1))
    stream.done()
    stream.drop(row("x", 3, "three"), row("y", 2, None, op="D"))
    stream.done()
    stream.drop(row("x", 2, "two"), row("y", 5, "back"), row("w", 1, "new"))
    stream.done()
    return stream


def lake_of(stream):
    return Lakehouse(read(stream.home / "conf"))


def told(stream, table, **key):
    """Return of each row: a value, level, whether it was made again, the execution, and its bronze rows."""
    found = []
    for reason in lake_of(stream).why(table, key).rows:
        places = [tuple(each.place["position"].values())[::2] for each in reason.all() if each.place]
        found.append((reason.values["a"], reason.level, reason.reproduced, reason.made.epoch, places))
    return sorted(found)


def test_current_rows_and_the_history_beside_them_are_told_by_the_change_that_made_each(ran):
    # The change to two came after that to three, and before it in the sequence.
    assert told(ran, "silver.both", id="x") == [("three", "rows", True, 2, [(2, 0)])]
    assert told(ran, "silver.both", id="y") == [("back", "rows", True, 3, [(3, 1)])]
    assert told(ran, "silver.both_history", id="x") == [
        ("one", "rows", True, 1, [(1, 0)]), ("three", "rows", True, 2, [(2, 0)]), ("two", "rows", True, 3, [(3, 0)]),
    ]  # fmt: skip
    assert told(ran, "silver.both_history", id="y") == [
        ("back", "rows", True, 3, [(3, 1)]), ("one", "rows", True, 1, [(1, 1)]),
    ]  # fmt: skip


def test_a_change_is_told_by_the_row_as_it_stood_then_and_not_as_it_stands_now(ran):
    assert told(ran, "silver.followed", id="x") == [
        ("one", "rows", True, 1, [(1, 0)]), ("three", "rows", True, 2, [(2, 0)]), ("two", "rows", True, 3, [(3, 0)]),
    ]  # fmt: skip
    rows = lake_of(ran).why("silver.followed", {"id": "x"}).rows
    assert {row.values["a"]: (row.sources[0].version, row.sources[0].values["a"]) for row in rows} == {
        "one": (0, "one"), "three": (1, "three"), "two": (2, "two"),
    }  # fmt: skip


def test_several_changes_that_were_read_at_once_each_keep_their_own_version(ran):
    ran.drop(row("x", 7, "seven"))
    ran.done("+silver.now")
    ran.drop(row("x", 8, "eight"))
    ran.done()
    rows = lake_of(ran).why("silver.followed", {"id": "x"}).rows
    found = {row.values["a"]: (row.made.epoch, row.reproduced, row.sources) for row in rows}
    for value, version in (("seven", 3), ("eight", 4)):
        epoch, reproduced, (source,) = found[value]
        assert (epoch, reproduced, source.version, source.values["a"]) == (4, True, version, value)


def test_a_row_that_was_fixed_and_replayed_comes_from_the_replay_and_the_others_do_not(ran):
    last = told(ran, "silver.now", id="w")
    fix(ran.project(), "silver.now", Choice(), Change(sets=("v = abs(v)",)))
    assert replay(ran.project(), "silver.now", Choice()).written == 1
    (reason,) = lake_of(ran).why("silver.now", {"id": "z"}).rows
    assert (reason.level, reason.reproduced, reason.made.epoch) == ("rows", True, 6)
    (landed,) = reason.sources
    # The row as it came, before the fix.
    assert (landed.values["v"], landed.place["position"]["record"]) == (-1, 2)
    assert "fixes of its quarantine" in reason.notes[0]
    assert told(ran, "silver.now", id="w") == last == [("new", "rows", True, 3, [(3, 2)])]
