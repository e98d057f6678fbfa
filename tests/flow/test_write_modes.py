"""Changes that come late, twice, in any order and with crashes between any two commits: the tables equal a model in memory.

One stream of changes feeds a merged table, a table of versions and one of each (SCD types 1, 2 and 4), and two that
follow it as CDC, Debezium's and a generic one. Every batch holds changes of many keys, so that a few runs try many
sequences; hypothesis draws and shrinks them. `tests/scenarios/test_kill_modes.py` does the same with SIGKILL.
"""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    write: {mode: merge, sequence_by: seq, delete_when: _op = 'd'}
    columns: {id: string, seq: bigint, a: {type: string, nullable: false}, b: bigint}
  silver.versions:
    <<: *table
    write: {mode: scd2, sequence_by: seq, delete_when: _op = 'd'}
  silver.both:
    <<: *table
    write: {mode: scd4, sequence_by: seq, delete_when: _op = 'd', history: silver.both_history}
  silver.followed: &cdc
    from: {bronze.changes: new}
    changes: {format: debezium, sequence: source.lsn}
    keys: [id]
    write: {mode: merge, sequence_by: _sequence}
    columns: {id: string, a: {type: string, nullable: false}, b: bigint}
  silver.told:
    <<: *cdc
    changes: {format: generic, operation: op, insert: [i], update: [u], delete: [d], sequence: seq}
    write: {mode: scd2, sequence_by: _sequence, track: [a, b]}
    columns:
      {id: string, a: {type: string, nullable: false}, b: bigint, seq: bigint, before: string, after: string,
       source: string}
"""
COLUMNS = {"id": "string", "seq": "bigint", "op": "string", "a": "string", "b": "bigint",
           "before": "string", "after": "string", "source": "string"}  # fmt: skip
KEYS = 40


class KilledError(BaseException):
    """Ends a run as SIGKILL would: nobody catches it, nothing is put in order."""


class Changes(Stream):
    """The stream, and what the tables should hold after what it has told so far."""

    def __init__(self, home, chance):
        super().__init__(home, COLUMNS, TABLES)
        self.chance, self.changes = chance, []

    def tell(self):
        """Lay out one more file of changes: new ones, late ones, some that came before, and two that are broken."""
        rows = []
        for _ in range(90):
            deleted = self.chance.random() < 0.2
            rows.append(
                {"id": f"k{self.chance.randrange(KEYS)}", "seq": self.chance.randint(1, 12), "op": "d" if deleted else "u",
                 "a": None if deleted else self.chance.choice("xyz"), "b": self.chance.randint(0, 1)}
            )  # fmt: skip
        rows += self.chance.sample(self.changes, min(len(self.changes), 15))
        self.changes += rows
        # One says which file it is of: files of the same content are one, and landed once.
        broken = ({"id": "k1", "seq": 13, "op": "u", "a": None, "b": self.files}, {"id": None, "seq": 1, "op": "d"})
        self.drop(*[self._as_told(row) for row in (*rows, *broken)])

    @staticmethod
    def _as_told(row):
        image = json.dumps({name: row.get(name) for name in ("id", "a", "b")})
        gone = row["op"] == "d"
        return row | {"before": image if gone else None, "after": None if gone else image,
                      "source": json.dumps({"lsn": row["seq"]})}  # fmt: skip

    def models(self):
        """Return what the tables should hold: rows by key, and versions by key."""
        by_key = {}
        for row in self.changes:
            change = (0, row["id"], row["seq"], row["a"], row["b"], row["op"] == "d")
            by_key.setdefault(row["id"], []).append(change)
        versions = {key: found for key, changes in by_key.items() if (found := model(changes))}
        latest = {key: (max(change[2] for change in changes), *found[-1][2:])
                  for key, changes in by_key.items()
                  if (found := versions.get(key)) and found[-1][1] is None}  # fmt: skip
        return latest, versions


def compare(stream):
    latest, versions = stream.models()
    assert {row[0]: row[1:] for row in stream.table("silver.latest", "id", "seq", "a", "b")} == latest
    for name in ("silver.versions", "silver.both_history", "silver.told"):
        found = {}
        for key, *version in stream.table(name, "id", "valid_from", "valid_to", "a", "b"):
            found.setdefault(key, []).append(tuple(version))
        assert {key: sorted(rows, key=lambda row: row[0]) for key, rows in found.items()} == versions, name
    for name in ("silver.both", "silver.followed"):
        found = {row[0]: row[1:] for row in stream.table(name, "id", "a", "b")}
        assert found == {key: row[1:] for key, row in latest.items()}, name


@pytest.mark.parametrize(("rounds", "examples"), [(1, 2), pytest.param(3, 6, marks=pytest.mark.long)])
def test_late_repeated_and_deleted_with_a_crash_after_any_commit(spark, monkeypatch, rounds, examples):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=checks, database=None)
    @given(st.randoms(use_true_random=False, note_method_calls=False))
    def told(chance):
        with tempfile.TemporaryDirectory() as home:
            play(Changes(Path(home), chance), monkeypatch, rounds)

    told()


def play(stream, monkeypatch, rounds):
    real = writing._commit
    for _ in range(rounds):
        stream.tell()
        left = stream.chance.randint(1, 12)

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
