"""Changes that come late, twice, in any order and with crashes between any two commits: the tables equal a model in memory.

One stream of changes feeds a merged table, a table of versions and one of each (SCD types 1, 2 and 4).
Every batch holds changes of many keys, so that a few runs try many sequences.
"""

import random

import pytest

from lakeloom.flow import write as writing
from lakeloom.flow.runner import run
from tests.flow.stream import Stream
from tests.tables.test_history import model

TABLES = """\
tables:
  silver.latest: &table
    from: {bronze.changes: new}
    sql: select id, seq, a, b, op as _op, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: seq, delete_when: _op = 'D'}
    columns: {id: string, seq: bigint, a: {type: string, nullable: false}, b: bigint}
  silver.versions:
    <<: *table
    write: {mode: scd2, sequence_by: seq, delete_when: _op = 'D'}
  silver.both:
    <<: *table
    write: {mode: scd4, sequence_by: seq, delete_when: _op = 'D', history: silver.both_history}
"""
KEYS = 40


class KilledError(BaseException):
    """Ends a run as SIGKILL would: nobody catches it, nothing is put in order."""


class Changes(Stream):
    """The stream, and what the tables should hold after what it has told so far."""

    def __init__(self, home, seed):
        super().__init__(home, {"id": "string", "seq": "bigint", "op": "string", "a": "string", "b": "bigint"}, TABLES)
        self.chance, self.changes = random.Random(seed), []

    def tell(self):
        """Lay out one more file of changes: new ones, late ones, some that came before, and two that are broken."""
        rows = []
        for _ in range(90):
            deleted = self.chance.random() < 0.2
            rows.append(
                {"id": f"k{self.chance.randrange(KEYS)}", "seq": self.chance.randint(1, 12), "op": "D" if deleted else "U",
                 "a": None if deleted else self.chance.choice("xyz"), "b": self.chance.randint(0, 1)}
            )  # fmt: skip
        rows += self.chance.sample(self.changes, min(len(self.changes), 15))
        self.changes += rows
        self.drop(*rows, {"id": "k1", "seq": 13, "op": "U", "a": None, "b": 1}, {"seq": 1, "op": "D"})

    def models(self):
        """Return what the tables should hold: rows by key, and versions by key."""
        by_key = {}
        for row in self.changes:
            change = (0, row["id"], row["seq"], row["a"], row["b"], row["op"] == "D")
            by_key.setdefault(row["id"], []).append(change)
        versions = {key: found for key, changes in by_key.items() if (found := model(changes))}
        latest = {key: (max(change[2] for change in changes), *found[-1][2:])
                  for key, changes in by_key.items()
                  if (found := versions.get(key)) and found[-1][1] is None}  # fmt: skip
        return latest, versions


def compare(stream):
    latest, versions = stream.models()
    assert {row[0]: row[1:] for row in stream.table("silver.latest", "id", "seq", "a", "b")} == latest
    for name in ("silver.versions", "silver.both_history"):
        found = {}
        for key, *version in stream.table(name, "id", "valid_from", "valid_to", "a", "b"):
            found.setdefault(key, []).append(tuple(version))
        assert {key: sorted(rows, key=lambda row: row[0]) for key, rows in found.items()} == versions, name
    assert {row[0]: row[1:] for row in stream.table("silver.both", "id", "a", "b")} == {
        key: row[1:] for key, row in latest.items()
    }


@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.long)])
def test_late_repeated_and_deleted_with_a_crash_after_any_commit(tmp_path, spark, monkeypatch, rounds):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream, real = Changes(tmp_path, seed=11), writing._commit
    for _ in range(rounds):
        stream.tell()
        left = stream.chance.randint(1, 9)

        def commit_then_die(*args):
            nonlocal left
            made = real(*args)
            left -= 1
            if left == 0:
                raise KilledError
            return made

        with monkeypatch.context() as patch:
            patch.setattr(writing, "_commit", commit_then_die)
            with pytest.raises(KilledError):
                run(stream.project())
        result = run(stream.project())
        assert result.status == "done", [step.error for step in result.steps if step.error]
        assert {step.quarantined for step in result.steps if step.name == "silver.versions"} <= {0, 2}
        compare(stream)
    again = run(stream.project())
    assert {step.status for step in again.steps} == {"skipped"}
    rebuilt = run(stream.project(), ["silver.*"], full_refresh=True)
    assert rebuilt.status == "done"
    compare(stream)
    assert len(stream.table("quarantine.silver__versions", "row")) == 2 * rounds
