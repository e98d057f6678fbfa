"""Inputs without a row, and first runs of broken rows alone, in every way of writing."""

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from tests.flow.stream import Stream

FEW = """\
tables:
  silver.all: &table
    from: {bronze.changes: new}
    sql: select id, try_cast(seq as int) as seq, v, day, op as _op, _position from bronze.changes
    write: {mode: append}
    columns: &columns {id: {type: string, nullable: false}, seq: int, v: string, day: string}
    rules: [{column: v, expect: not_null}]
  silver.both:
    <<: *table
    keys: [id]
    write: {mode: scd4, sequence_by: seq, delete_when: _op = 'D', history: silver.both_history}
"""
MORE = """\
  silver.whole:
    <<: *table
    write: {mode: overwrite}
  silver.days:
    <<: *table
    write: {mode: replace, by: [day], partition_by: [day]}
  silver.newest:
    <<: *table
    keys: [id]
    write: {mode: merge, sequence_by: seq, delete_when: _op = 'D', change_feed: true}
  silver.states:
    <<: *table
    keys: [id]
    write: {mode: scd2, snapshot_by: day, cluster_by: [id]}
  silver.feed:
    from: {bronze.changes: new}
    changes: {format: generic, sequence: seq, insert: [U], update: []}
    keys: [id]
    write: {mode: merge, sequence_by: _sequence}
    columns: {id: string, v: string, day: string, seq: string}
  silver.followed:
    from: {silver.newest: changes}
    changes: delta
    keys: [id]
    write: {mode: scd2, sequence_by: _sequence}
    columns: {id: string, v: string, seq: int, day: string}
  gold.agreed:
    from: {silver.newest: whole, silver.both: whole}
    resolve:
      sources: {silver.newest: {name: a, newer_by: seq}, silver.both: {name: b, newer_by: seq}}
      losers: gold.losers
    keys: [id]
    columns: {id: string, v: string}
"""
HEADER = "id,seq,v,day,op\n"


NOTHING = {"no row": [], "broken rows": ["1,x,,mon,?", ",1,,mon,?"]}


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    made = Stream(tmp_path, {}, FEW)
    (made.folder / "sources.yml").write_text("sources:\n  changes: {kind: files, path: in/*.csv, format: csv}\n")
    (tmp_path / "in").mkdir()
    return made


def put(stream, name, *lines):
    (stream.home / "in" / f"{name}.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines))


def sizes(stream):
    """Return how many rows each silver and gold table has."""
    tables = [name for name in stream.lake.tables() if name.layer in ("silver", "gold") and name.name != "losers"]
    return {str(name): len(stream.lake.arrow(name)) for name in tables}


def test_a_first_run_of_broken_rows_alone_makes_empty_tables_and_empty_files_change_nothing(stream):
    put(stream, "1", *NOTHING["broken rows"])
    done = stream.done()
    assert sizes(stream) == {"silver.all": 0, "silver.both": 0, "silver.both_history": 0}
    assert [done[name].quarantined for name in ("silver.all", "silver.both")] == [2, 2]
    put(stream, "2", "1,1,a,mon,U", "2,1,b,mon,U")
    put(stream, "3")
    stream.done()
    assert sizes(stream) == {"silver.all": 2, "silver.both": 2, "silver.both_history": 2}


@pytest.mark.long
@pytest.mark.parametrize("first", NOTHING.values(), ids=NOTHING)
def test_every_way_of_writing_begins_with_nothing_and_goes_on(stream, first):
    stream.declare(FEW + MORE)
    put(stream, "1", *first)
    done = stream.done()
    empty = sizes(stream)
    assert set(empty.values()) == {0} and len(empty) == 10
    assert {done[f"silver.{name}"].quarantined for name in ("all", "newest", "both", "states")} == {len(first)}
    put(stream, "2", "1,1,a,mon,U", "2,1,b,mon,U")
    stream.done()
    after = sizes(stream)
    assert after == dict.fromkeys(empty, 2)
    put(stream, "3")
    stream.done()
    # A file without rows makes nothing run: what is made of the new rows alone keeps the last ones.
    assert sizes(stream) == after
    put(stream, "4", "1,x,,tue,?")  # broken rows are rows: of the new ones none is good
    stream.done()
    assert sizes(stream) == after | {"silver.whole": 0}
    put(stream, "5", "1,2,a,tue,D", "2,2,b,tue,D")
    stream.done("+silver.newest", "+silver.both")
    left = sizes(stream)
    assert (left["silver.newest"], left["silver.both"], left["silver.both_history"]) == (0, 0, 2)


def test_a_first_run_whose_files_are_all_bad_keeps_no_later_one_from_running(stream):
    (stream.home / "in" / "1.csv").write_bytes(b"id,seq,v,day,op\n1,1,\xff\xfe,mon,U\n")
    first = stream.run()
    assert {step.name: step.status for step in first.steps}["bronze.changes"] == "done"
    assert len(stream.lake.arrow("bronze.changes")) == 0
    put(stream, "2", "1,1,a,mon,U")
    # By whoever knows the tables' columns, as the command line does.
    assert open_lakehouse(stream.home / "conf").run().status == "done"
    assert sizes(stream) == {"silver.all": 1, "silver.both": 1, "silver.both_history": 1}


def test_the_declared_columns_are_there_though_the_first_files_are_all_bad(stream):
    (stream.folder / "sources.yml").write_text(
        "sources:\n  changes:\n    kind: files\n    path: in/*.csv\n    format: csv\n"
        "    columns: {id: string, seq: int, v: string, day: string, op: string}\n"
    )
    (stream.home / "in" / "1.csv").write_bytes(b"id,seq,v,day,op\n1,1,\xff\xfe,mon,U\n")
    stream.done()
    assert sizes(stream) == {"silver.all": 0, "silver.both": 0, "silver.both_history": 0}
    put(stream, "2", "1,1,a,mon,U")
    stream.done()
    assert sizes(stream) == {"silver.all": 1, "silver.both": 1, "silver.both_history": 1}
