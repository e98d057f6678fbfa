"""Rows that stood in quarantine, fixed and replayed into histories and tables fed by changes: as if they had come right."""

import json
import random

import pytest

from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, fix
from lakeloom.flow.replaying import replay
from tests.flow.stream import Stream, versions
from tests.tables.test_history import model

RULE = "a:in_set"
FEW = """\
tables:
  silver.followed:
    from: {bronze.changes: new}
    changes: {format: debezium, sequence: source.lsn}
    keys: [id]
    write: {mode: scd2, sequence_by: _sequence}
    columns: {id: string, a: string, b: bigint}
    rules: [{column: a, expect: in_set, values: [x, y, z]}]
"""
TABLES = (
    FEW
    + """\
  silver.latest: &table
    from: {bronze.changes: new}
    sql: select id, seq, a, b, op as _op, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: seq, delete_when: _op = 'd'}
    columns: {id: string, seq: bigint, a: string, b: bigint}
    rules: [{column: a, expect: in_set, values: [x, y, z]}]
  silver.both:
    <<: *table
    write: {mode: scd4, sequence_by: seq, delete_when: _op = 'd', history: silver.both_history}
"""
)
COLUMNS = {"id": "string", "seq": "bigint", "op": "string", "a": "string", "b": "bigint", "before": "string",
           "after": "string", "source": "string"}  # fmt: skip
# What is broken comes as the right value behind a mark, so that one expression mends every row.
FIXES = {
    "silver.latest": "a = replace(a, '?', '')",
    "silver.both": "a = replace(a, '?', '')",
    "silver.followed": "after = replace(after, '?', '')",
}
KEYS = 25


class Faulty(Stream):
    """A stream of changes of which some are broken: the same change in a plain row and in an envelope."""

    def __init__(self, home, seed, tables):
        super().__init__(home, COLUMNS, tables)
        self.chance, self.changes = random.Random(seed), []

    def tell(self):
        rows = []
        for _ in range(60):
            gone, broken = self.chance.random() < 0.15, self.chance.random() < 0.2
            change = {"id": f"k{self.chance.randrange(KEYS)}", "seq": self.chance.randint(1, 9), "gone": gone,
                      "a": None if gone else self.chance.choice("xyz"), "b": self.chance.randint(0, 1)}  # fmt: skip
            if any((change["id"], change["seq"]) == (each["id"], each["seq"]) for each in self.changes):
                continue  # of two changes at one place the later arrival wins, fixed or not: tried elsewhere
            self.changes.append(change)
            a = f"?{change['a']}" if broken and not gone else change["a"]
            image = {"id": change["id"], "a": a, "b": change["b"]}
            rows.append({"id": change["id"], "seq": change["seq"], "op": "d" if gone else "u", "a": a, "b": change["b"],
                         "before": json.dumps(image) if gone else None, "after": None if gone else json.dumps(image),
                         "source": json.dumps({"lsn": change["seq"]})})  # fmt: skip
        self.drop(*rows)

    def models(self):
        """Return what the tables should hold had nothing ever been broken: rows by key, and versions by key."""
        by_key = {}
        for row in self.changes:
            change = (0, row["id"], row["seq"], row["a"], row["b"], row["gone"])
            by_key.setdefault(row["id"], []).append(change)
        versions = {key: found for key, changes in by_key.items() if (found := model(changes))}
        latest = {}
        for key, changes in by_key.items():
            newest = max(changes, key=lambda change: change[2])
            if not newest[5]:
                latest[key] = newest[2:5]
        return latest, versions


@pytest.mark.long
def test_fixed_rows_take_their_place_in_the_past(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Faulty(tmp_path, 1, FEW)
    for _ in range(2):
        stream.tell()
        stream.done()
    _, chains = stream.models()
    assert versions(stream, "silver.followed") != chains
    mend(stream, "silver.followed", Choice(), FIXES["silver.followed"])
    assert versions(stream, "silver.followed") == chains


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_fixed_rows_take_their_place_in_the_past_whatever_came_meanwhile(tmp_path, spark, monkeypatch, seed):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Faulty(tmp_path, seed, TABLES)
    for _ in range(2 if seed == 1 else 4):
        stream.tell()
        stream.done()
        if stream.chance.random() < 0.5:  # some are mended at once, the others once more has come
            for table, change in FIXES.items():
                picked = [row["id"] for row in entries(stream, table) if row["state"] == "open"][::2]
                if picked:
                    mend(stream, table, Choice(ids=tuple(picked)), change)
    for table, change in FIXES.items():
        if any(row["state"] == "open" for row in entries(stream, table)):
            mend(stream, table, Choice(rule=RULE), change)
    latest, chains = stream.models()
    assert {row[0]: row[1:] for row in stream.table("silver.latest", "id", "seq", "a", "b")} == latest
    assert {row[0]: row[1:] for row in stream.table("silver.both", "id", "a", "b")} == {
        key: row[1:] for key, row in latest.items()
    }
    assert versions(stream, "silver.both_history") == versions(stream, "silver.followed") == chains
    assert all(row["state"] == "replayed" for table in FIXES for row in entries(stream, table))
    # Twice is once.
    for table in FIXES:
        assert replay(stream.project(), table, Choice()).run.steps[0].status == "skipped"


def entries(stream, table):
    return stream.lake.arrow(f"quarantine.{table.replace('.', '__')}").to_pylist()


def mend(stream, table, choice, change):
    told = fix(stream.project(), table, choice, Change(sets=(change,)))
    assert (told.on, told.breaking) == ("raw", {}), told
    done = replay(stream.project(), table, choice)
    assert done.exit_code == 0 and done.rows == told.rows, done


FEED = """\
tables:
  silver.people:
    from: {bronze.changes: new}
    sql: select id, a, seq from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: seq, change_feed: true}
    columns: {id: string, a: string, seq: bigint}
  silver.over_time:
    from: {silver.people: changes}
    changes: delta
    keys: [id]
    write: {mode: scd2, sequence_by: _sequence}
    columns: {id: string, a: string, seq: bigint}
    rules: [{column: a, expect: in_set, values: [x, y, z]}]
"""


@pytest.mark.long
def test_a_row_of_a_tables_changes_is_replayed_at_its_own_place(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Stream(tmp_path, COLUMNS, FEED)
    for seq, one, two in ((1, "x", "x"), (2, "?", "y"), (3, "z", "?")):
        stream.drop({"id": "1", "a": one, "seq": seq}, {"id": "2", "a": two, "seq": seq})
        stream.done()
    assert [row[:2] for row in stream.table("silver.over_time", "id", "a")] == [
        ("1", "x"), ("1", "z"), ("2", "x"), ("2", "y"),
    ]  # fmt: skip
    told = fix(stream.project(), "silver.over_time", Choice(), Change(sets=("a = 'y'",)))
    assert (told.on, told.rows, told.passing) == ("row", 2, 2)
    assert replay(stream.project(), "silver.over_time", Choice()).rows == 2
    rows = stream.table("silver.over_time", "id", "a", "valid_from", "valid_to", "seq")
    by_key = {key: sorted((row[2], row[3], row[1]) for row in rows if row[0] == key) for key in ("1", "2")}
    assert [a for *_, a in by_key["1"]] == ["x", "y", "z"]
    assert [end for _, end, _ in by_key["1"]] == [start for start, *_ in by_key["1"][1:]] + [None]
    assert [a for *_, a in by_key["2"]] == ["x", "y", "y"]
    assert {row["state"] for row in entries(stream, "silver.over_time")} == {"replayed"}
