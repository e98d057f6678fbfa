"""Column names with reserved words, blanks, dots, back quotes and other scripts, through every way of writing and mending."""

import json

import pytest

from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, fix
from lakeloom.flow.replaying import replay
from tests.flow.stream import Stream

KEY, SEQ, VALUE, DAY = "the key.1", "select", "größe `€`", "日 付"
TABLES = """\
tables:
  silver.newest: &table
    from: {bronze.changes: new}
    sql: &sql select k as `the key.1`, cast(s as int) as `select`, v as `größe ``€```, d as `日 付`, _position from bronze.changes
    clean:
      - trim: {columns: ["größe `€`"]}
      - {map: {column: "größe `€`", values: {old: new}, otherwise: keep}}
    keys: ["the key.1"]
    write: {mode: merge, sequence_by: select, keep: ["日 付"]}
    columns: &columns
      "the key.1": string
      select: int
      "größe `€`": {type: string, description: "it's `odd`", nullable: false}
      "日 付": string
    rules:
      - {column: "größe `€`", expect: in_set, values: [a, b, c, new]}
      - {columns: ["the key.1", select], expect: unique_together, otherwise: warn}
      - {sql: "`größe ``€``` <> `the key.1`", name: "it's `odd`.1"}
  silver.versions:
    <<: *table
    write: {mode: scd2, sequence_by: select, track: ["größe `€`"], delete_when: "`größe ``€``` = 'c'"}
  silver.both:
    <<: *table
    write: {mode: scd4, sequence_by: select, history: silver.both_history, cluster_by: ["the key.1"]}
  silver.days:
    <<: *table
    keys: []
    write: {mode: replace, by: ["日 付"], partition_by: ["日 付"]}
  silver.all:
    <<: *table
    write: {mode: append}
    keys: []
  gold.agreed:
    from: {silver.newest: whole, silver.both: whole}
    resolve:
      sources: {silver.newest: {name: a, newer_by: select}, silver.both: {name: b, newer_by: select}}
      columns: {"größe `€`": newest}
      losers: gold.losers
    keys: ["the key.1"]
    columns: {"the key.1": string, "größe `€`": string, "日 付": string}
"""


def row(key, place, value, day="mon"):
    return {"k": key, "s": str(place), "v": value, "d": day}


FEW = TABLES[: TABLES.index("  silver.versions:")]


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return Stream(tmp_path, {"k": "string", "s": "string", "v": "string", "d": "string"}, TABLES)


def test_odd_names_are_only_names_in_a_merge_its_rules_and_its_quarantine(stream):
    stream.declare(FEW)
    assert stream.findings() == []
    stream.drop(row("1", 1, " a "), row("3", 1, "wrong"))
    stream.done()
    stream.drop(row("1", 3, "old", "tue"), row("1", 2, "b"))
    stream.done()
    assert stream.table("silver.newest", KEY, SEQ, VALUE, DAY) == [("1", 3, "new", "mon")]
    (entry,) = stream.table("quarantine.silver__newest", "row", "reasons")
    assert json.loads(entry[0])[VALUE] == "wrong" and entry[1] == [f"{VALUE}:in_set"]


@pytest.mark.long
def test_odd_names_are_only_names(stream):
    assert stream.findings() == []
    stream.drop(row("1", 1, " a "), row("2", 1, "b", "tue"), row("3", 1, "wrong"), row("4", 1, "b"))
    stream.done()
    stream.drop(row("1", 3, "old", "tue"), row("1", 2, "b"), row("4", 2, "c"))
    done = stream.done()
    assert done["silver.newest"].changed
    assert stream.table("silver.newest", KEY, SEQ, VALUE, DAY) == [
        ("1", 3, "new", "mon"), ("2", 1, "b", "tue"), ("4", 2, "c", "mon"),
    ]  # fmt: skip
    spans = [("1", "a", 1, 2), ("1", "b", 2, 3), ("1", "new", 3, None), ("2", "b", 1, None)]
    assert stream.table("silver.versions", KEY, VALUE, "valid_from", "valid_to") == [*spans, ("4", "b", 1, 2)]
    assert stream.table("silver.both_history", KEY, VALUE, "valid_from", "valid_to") == [
        *spans, ("4", "b", 1, 2), ("4", "c", 2, None),
    ]  # fmt: skip
    assert stream.table("silver.days", KEY, VALUE, DAY) == [("1", "b", "mon"), ("1", "new", "tue"), ("4", "c", "mon")]
    assert len(stream.table("silver.all", KEY)) == 6
    assert stream.table("gold.agreed", KEY, VALUE) == [("1", "new"), ("2", "b"), ("4", "c")]
    assert stream.table("gold.losers", "column", "losing") == [("日 付", "tue")]
    (entry,) = stream.table("quarantine.silver__versions", "row", "reasons")
    assert json.loads(entry[0])[VALUE] == "wrong" and entry[1] == [f"{VALUE}:in_set"]
    for table, fixed, on in (
        ("silver.newest", "v = 'a'", "raw"), ("silver.versions", "`größe ``€``` = concat(`the key.1`, '')", "row"),
    ):  # fmt: skip
        where = Choice(where="v = 'wrong'") if on == "raw" else Choice(rule=f"{VALUE}:in_set")
        told = fix(stream.project(), table, where, Change(sets=(fixed,), on=on))
        assert told.rows == 1, told
        if on == "row":
            assert set(told.breaking) == {f"{VALUE}:in_set", "it's `odd`.1"}
            fix(stream.project(), table, where, Change(sets=("`größe ``€``` = 'a'",), on=on))
        assert replay(stream.project(), table, Choice()).exit_code == 0
    assert ("3", 1, "a", "mon") in stream.table("silver.newest", KEY, SEQ, VALUE, DAY)
    assert ("3", "a", 1, None) in stream.table("silver.versions", KEY, VALUE, "valid_from", "valid_to")
    stream.done("silver.*", full_refresh=True)
    assert stream.table("silver.versions", KEY, VALUE, "valid_from", "valid_to") == [
        *spans, ("3", "a", 1, None), ("4", "b", 1, 2),
    ]  # fmt: skip


def test_a_source_may_call_its_columns_as_it_likes(tmp_path, spark, monkeypatch):
    import lakeloom

    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Stream(tmp_path, {}, TABLES.partition("  silver.newest")[0] + """\
  silver.t:
    from: {bronze.changes: new}
    clean: [{trim: {columns: "*"}}]
    keys: ["a.b"]
    write: {mode: merge, sequence_by: _position}
""")  # fmt: skip
    source = stream.folder / "sources.yml"
    source.write_text("sources:\n  changes: {kind: files, path: in/*.jsonl, format: json}\n")
    stream.drop({"a.b": "1", "select": " x ", "größe `€`": "y", "wide, {name} (=;)": "z", "_mine": "w"})
    stream.drop({"a.b": "1", "select": "x2", "größe `€`": None, "late.one": "v"})
    stream.done()
    named = {"a.b", "select", "größe_`€`", "wide___name______", "raw_mine", "late.one"}
    assert {name for name in stream.lake.columns("bronze.changes") if not name.startswith("_")} == named
    lake = lakeloom.open(tmp_path / "conf")
    assert lake.sql('select "select" as s, "größe_`€`" as g, "late.one" as l from silver.t').to_pylist() == [
        {"s": "x2", "g": None, "l": "v"}
    ]
    assert lake.table("silver.t").head(5).num_rows == 1
