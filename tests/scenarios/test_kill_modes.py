"""SIGKILL between data files and commit and between any two commits, in every way of writing: the tables equal a model.

Real processes die, again and again on one root, also while they make good what an earlier one left.
"""

import json
import random
from collections import Counter

import pytest

from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, fix
from lakeloom.flow.replaying import replay
from tests.flow.stream import Stream, versions
from tests.scenarios.killing import assert_no_row_is_quarantined_twice, unfinished
from tests.scenarios.stopping import kill_at_seam, kill_while_writing
from tests.tables.test_history import model

COLUMNS = {"id": "string", "seq": "bigint", "op": "string", "a": "string", "b": "bigint", "day": "string",
           "before": "string", "after": "string", "source": "string"}  # fmt: skip
SOME = """\
tables:
  silver.both: &table
    from: {bronze.changes: new}
    sql: select id, seq, a, b, op as _op, _position from bronze.changes
    keys: [id]
    write: {mode: scd4, sequence_by: seq, delete_when: _op = 'd', history: silver.both_history}
    columns: {id: string, seq: bigint, a: string, b: bigint}
    rules: [{column: a, expect: in_set, values: [x, y, z]}]
  silver.all:
    <<: *table
    keys: []
    write: {mode: append}
"""
MORE = """\
  silver.whole:
    <<: *table
    keys: []
    write: {mode: overwrite}
  silver.days:
    from: {bronze.changes: new}
    sql: select id, seq, a, b, day, _position from bronze.changes
    write: {mode: replace, by: [day], partition_by: [day]}
  silver.latest:
    <<: *table
    write: {mode: merge, sequence_by: seq, delete_when: _op = 'd', change_feed: true}
  silver.versions:
    <<: *table
    write: {mode: scd2, sequence_by: seq, delete_when: _op = 'd'}
  silver.followed:
    from: {bronze.changes: new}
    changes: {format: debezium, sequence: source.lsn}
    keys: [id]
    write: {mode: scd2, sequence_by: _sequence}
    columns: {id: string, a: string, b: bigint}
    rules: [{column: a, expect: in_set, values: [x, y, z]}]
  silver.states:
    from: {bronze.changes: new}
    sql: select distinct day, id, first_value(b) over (partition by day, id order by seq, op, a) as b from bronze.changes
    keys: [id]
    write: {mode: scd2, snapshot_by: day}
    columns: {id: string, b: bigint, day: string}
  gold.agreed:
    from: {silver.latest: whole, silver.both: whole}
    resolve:
      sources: {silver.latest: {name: latest, newer_by: seq}, silver.both: {name: both, newer_by: seq}}
      columns: {b: {expression: "coalesce(both.b, latest.b) + 1"}}
      losers: gold.agreed_losers
    keys: [id]
    columns: {id: string, a: string, b: bigint}
"""
FIXES = {"silver.both": "a = replace(a, '?', '')", "silver.followed": "after = replace(after, '?', '')",
         "silver.latest": "a = replace(a, '?', '')"}  # fmt: skip


class Changes(Stream):
    """A stream whose changes feed every table, and what each should hold."""

    def __init__(self, home, tables, seed):
        super().__init__(home, COLUMNS, tables)
        self.chance, self.changes, self.batches, self.mended = random.Random(seed), [], [], set()

    def tell(self, count=40):
        rows, day = [], f"2026-01-{len(self.batches) + 1:02d}"
        for _ in range(count):
            row = {"id": f"k{self.chance.randrange(12)}", "seq": self.chance.randint(1, 60),
                   "gone": self.chance.random() < 0.2, "b": self.chance.randint(0, 1), "day": day}  # fmt: skip
            if any((row["id"], row["seq"]) == (each["id"], each["seq"]) for each in (*self.changes, *rows)):
                continue
            row["a"] = None if row["gone"] else self.chance.choice("xyz")
            row["broken"] = not row["gone"] and self.chance.random() < 0.15
            rows.append(row)
        self.changes += rows
        self.batches.append(rows)
        self.drop(*[self._as_told(row) for row in rows])

    @staticmethod
    def _as_told(row):
        a = f"?{row['a']}" if row["broken"] else row["a"]
        image = json.dumps({"id": row["id"], "a": a, "b": row["b"]})
        return {"id": row["id"], "seq": row["seq"], "op": "d" if row["gone"] else "u", "a": a, "b": row["b"],
                "day": row["day"], "before": image if row["gone"] else None,
                "after": None if row["gone"] else image, "source": json.dumps({"lsn": row["seq"]})}  # fmt: skip

    def right(self, table, rows=None):
        """Return the changes that are in a table: those that came right, and those that were mended."""
        every = self.changes if rows is None else rows
        return [row for row in every if not row["broken"] or table in self.mended]

    def chains(self, table):
        by_key = {}
        for row in self.right(table):
            change = (0, row["id"], row["seq"], row["a"], row["b"], row["gone"])
            by_key.setdefault(row["id"], []).append(change)
        return {key: found for key, changes in by_key.items() if (found := model(changes))}

    def latest(self, table):
        newest = {}
        for row in sorted(self.right(table), key=lambda row: row["seq"]):
            newest[row["id"]] = row
        return {key: (row["a"], row["b"]) for key, row in newest.items() if not row["gone"]}

    def states(self):
        """Return the versions that whole states come to: each batch is one, of those of its keys that it has."""
        chains, held = {}, {}
        for rows in self.batches:
            day, now = rows[0]["day"], {}
            for row in sorted(rows, key=lambda row: row["seq"]):
                now.setdefault(row["id"], row["b"])
            for key in held.keys() | now.keys():
                if held.get(key) == now.get(key):
                    continue
                if key in held:
                    chains[key][-1] = (*chains[key][-1][:1], day, chains[key][-1][2])
                if key in now:
                    chains.setdefault(key, []).append((day, None, now[key]))
            held = now
        return chains

    def compare(self):
        """Every table of the project equals its model."""
        there = self.project().tables
        lasting, last = Counter(), self.batches[-1]
        for row in self.right("silver.all"):
            lasting[(row["id"], row["seq"], row["a"], row["b"])] += 1
        assert Counter(self.table("silver.all", "id", "seq", "a", "b")) == lasting
        assert len(self.table("bronze.changes", "id")) == len(self.changes)
        assert {row[0]: row[1:] for row in self.table("silver.both", "id", "a", "b")} == self.latest("silver.both")
        assert versions(self, "silver.both_history") == self.chains("silver.both")
        if "silver.whole" not in there:
            return
        whole = Counter((row["id"], row["seq"], row["a"], row["b"]) for row in self.right("silver.whole", last))
        assert Counter(self.table("silver.whole", "id", "seq", "a", "b")) == whole
        days = Counter((row["id"], row["seq"], row["b"], row["day"]) for row in self.changes)
        assert Counter(self.table("silver.days", "id", "seq", "b", "day")) == days
        assert {row[0]: row[1:] for row in self.table("silver.latest", "id", "a", "b")} == self.latest("silver.latest")
        assert versions(self, "silver.versions") == self.chains("silver.versions")
        assert versions(self, "silver.followed") == self.chains("silver.followed")
        states = {}
        for key, *version in self.table("silver.states", "id", "valid_from", "valid_to", "b"):
            states.setdefault(key, []).append(tuple(version))
        assert {key: sorted(rows) for key, rows in states.items()} == self.states()
        both, latest = self.latest("silver.both"), self.latest("silver.latest")
        agreed = {key: both.get(key, latest.get(key)) for key in both.keys() | latest.keys()}
        assert {row[0]: row[1] for row in self.table("gold.agreed", "id", "b")} == {
            key: b + 1 for key, (_, b) in agreed.items()
        }
        lost = sum((key in both) + (key in latest) for key in agreed)
        lost += sum(key in both and key in latest and both[key][0] != latest[key][0] for key in agreed)
        assert len(self.table("gold.agreed_losers", "id")) == lost


def test_killed_between_two_commits_of_one_execution(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Changes(tmp_path, SOME, seed=5)
    stream.tell()
    # What is kept aside stands there, the history does not; nothing of it is published.
    where = kill_at_seam(stream.home / "conf", 14, "+silver.both")
    assert where.startswith(("before the commit of silver.both", "after the commit of")), where
    assert unfinished(stream.lake.root) == {"silver.both"}
    stream.done()
    stream.compare()
    assert_no_row_is_quarantined_twice(stream.lake.root)


@pytest.mark.long
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_anywhere_again_and_again_in_every_way_of_writing(tmp_path, spark, monkeypatch, seed):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream, stood = Changes(tmp_path, SOME + MORE, seed), Counter()
    conf, chance = stream.home / "conf", random.Random(seed)
    for _ in range(3):
        stream.tell()
        for _kill in range(2):  # each tries to make good what the one before has left, and dies
            where = kill_at_seam(conf, chance.randint(1, 40))
            stood[where.partition(" of ")[0]] += 1
        tables = stream.lake.root / "tables"
        kill_while_writing(conf, tables / chance.choice(["silver/versions", "aside/silver__both", "silver/days"]))
        stream.done()
        stream.compare()
        assert {step.status for step in stream.run().steps} == {"skipped"}
    assert stood.total() - stood["ended done"] >= 4, stood
    for table, change in FIXES.items():
        fix(stream.project(), table, Choice(), Change(sets=(change,)))
        kill_at_seam(conf, chance.randint(2, 7), "replay", table)
        if stream.lake.epoch(table, table) and unfinished(stream.lake.root):
            kill_at_seam(conf, chance.randint(1, 5), "replay", table)
        assert replay(stream.project(), table, Choice()).exit_code == 0
        stream.mended.add(table)
    stream.done()
    stream.compare()
    assert_no_row_is_quarantined_twice(stream.lake.root)
