"""``lakeloom quarantine``: its rows are listed, fixed by expression and by file, replayed and given up."""

import json

import pytest
from typer.testing import CliRunner

from lakeloom.cli.app import app
from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.t:
    from: {bronze.changes: new}
    sql: select id, try_cast(n as int) as n, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    columns: {id: string, n: int}
    rules: [{column: n, expect: values_between, min: 0, max: 9}]
"""


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    made = Stream(tmp_path, {"id": "string", "n": "string"}, TABLES)
    made.drop(*({"id": each, "n": n} for each, n in (("a", "1"), ("b", "12"), ("c", "50"), ("d", "99"))))
    made.done()
    return made


def call(*words):
    return CliRunner().invoke(app, ["quarantine", *words])


def told(*words):
    done = call(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_rows_are_listed_fixed_replayed_and_given_up(stream, tmp_path):
    assert told() == [{"table": "silver.t", "rule": "n:values_between", "rows": 3}]
    listed = {json.loads(row["raw"])["id"]: row for row in told("silver.t")}
    assert set(listed) == {"b", "c", "d"} and {row["state"] for row in listed.values()} == {"open"}
    # By an expression over the row as it came; one that still breaks the rule is told before it is replayed.
    assert told("silver.t", "fix", "--set", "n=20", "--where", "id = 'b'")["breaking"] == {"n:values_between": 1}
    fixed = told("silver.t", "fix", "--set", "n=n - 10", "--where", "id = 'b'", "--why", "counted in tens")
    assert (fixed["rows"], fixed["passing"], fixed["breaking"]) == (1, 1, {})
    assert stream.table("silver.t", "id", "n") == [("a", 1)]
    replayed = told("silver.t", "replay")
    assert (replayed["rows"], replayed["written"]) == (1, 1)
    assert stream.table("silver.t", "id", "n") == [("a", 1), ("b", 2)]
    # By a corrected file, and replayed at once.
    (tmp_path / "fixes.csv").write_text(f"_id,n\n{listed['c']['id']},5\n")
    both = told("silver.t", "fix", "--file", str(tmp_path / "fixes.csv"), "--replay")
    assert (both["rows"], both["replayed"]["written"]) == (1, 1)
    assert told("silver.t", "drop", "--where", "id = 'd'", "--why", "a test parcel") == {"table": "silver.t", "rows": 1}
    assert stream.table("silver.t", "id", "n") == [("a", 1), ("b", 2), ("c", 5)]
    assert told("silver.t") == [] and told() == []
    states = {json.loads(row["raw"])["id"]: (row["state"], row["why"]) for row in told("silver.t", "--all")}
    assert states["b"] == ("replayed", "counted in tens") and states["d"] == ("dropped", "a test parcel")
    assert states["c"][0] == "replayed"
    # Once more writes nothing.
    again = call("silver.t", "replay")
    assert again.exit_code == 0 or "LL-FIX" in again.output
    assert stream.table("silver.t", "id", "n") == [("a", 1), ("b", 2), ("c", 5)]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("silver.t", "burn"), "list, fix, replay, drop"),
        (("silver.t", "drop"), "--why"),
        (("silver.t", "fix"), "--set, --file"),
        (("silver.t", "replay", "--set", "n=1"), "--set"),
        (("silver.t", "fix", "--set", "n=1", "--on", "both"), "raw nor row"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_is_read(tmp_path, monkeypatch, words, hint):
    monkeypatch.chdir(tmp_path)
    done = call(*words)
    assert done.exit_code == 2 and hint in done.output
