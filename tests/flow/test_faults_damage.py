"""Broken files of a table and of its log under a run: coded, named, and once they are mended all goes on."""

from pathlib import Path

import pytest

from tests.flow.stream import Stream
from tests.flow.test_write_modes import KilledError

TABLES = """\
tables:
  silver.t:
    from: {bronze.changes: new}
    sql: select id, v, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    columns: {id: string, v: string}
  silver.over_time:
    from: {bronze.changes: new}
    sql: select id, v, cast(at as int) as at, _position from bronze.changes
    keys: [id]
    write: {mode: scd2, sequence_by: at}
    columns: {id: string, v: string, at: int}
  gold.all:
    from: {silver.t: whole}
    sql: select v, count(*) as n from silver.t group by v
"""


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    made = Stream(tmp_path, {"id": "string", "v": "string", "at": "string"}, TABLES)
    made.drop({"id": "1", "v": "a", "at": "1"}, {"id": "2", "v": "a", "at": "1"})
    made.done()
    return made


def error(result, step):
    return next(each for each in result.steps if each.name == step).error


def files(stream, table):
    place = Path(stream.lake.path(table))
    uris = stream.lake.delta(table).get_add_actions(flatten=True).column("path").to_pylist()
    return [place / name for name in uris]


def spoil(file):
    """Break a file for every reader: Spark keeps what it has read, and looks at checksums where there are any."""
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
    file.write_bytes(file.read_bytes()[:-8] + b"\0" * 8)


def test_a_broken_data_file_stops_the_steps_that_read_it_and_building_anew_mends_it(stream, spark):
    broken = files(stream, "silver.t")[0]
    spoil(broken)
    stream.drop({"id": "1", "v": "b", "at": "2"})
    result = stream.run()
    found = error(result, "silver.t")
    assert found["code"] == "LL-STORE-005" and broken.name in found["message"] and "silver.t" in found["message"]
    assert "lakeloom run silver.t --full-refresh" in found["fix"]
    assert {step.name: step.status for step in result.steps} == {
        "bronze.changes": "done", "silver.t": "failed", "silver.over_time": "done", "gold.all": "blocked",
    }  # fmt: skip
    stream.done("silver.t", full_refresh=True)
    stream.done()
    assert stream.table("silver.t", "id", "v") == [("1", "b"), ("2", "a")]
    assert stream.table("gold.all", "v", "n") == [("a", 1), ("b", 1)]


@pytest.mark.long
def test_a_broken_file_of_a_history_and_of_a_log_are_named_and_mended_from_a_copy(stream):
    broken = files(stream, "silver.over_time")[0]
    commit = stream.home / ".lakeloom/tables/silver/t/_delta_log/00000000000000000000.json"
    copies = {file: file.read_bytes() for file in (broken, commit)}
    spoil(broken)
    commit.write_bytes(b"")
    stream.drop({"id": "1", "v": "b", "at": "2"})
    result = stream.run()
    assert error(result, "silver.over_time")["code"] == error(result, "silver.t")["code"] == "LL-STORE-005"
    assert broken.name in error(result, "silver.over_time")["message"]
    assert f"{commit.name} is empty" in error(result, "silver.t")["message"]
    for file, data in copies.items():
        file.write_bytes(data)
    stream.done()
    assert stream.table("silver.t", "id", "v") == [("1", "b"), ("2", "a")]
    assert stream.table("silver.over_time", "id", "v", "is_current") == [
        ("1", "a", False), ("1", "b", True), ("2", "a", True),
    ]  # fmt: skip


@pytest.mark.long
def test_a_commit_that_was_cut_off_while_it_was_written_loses_no_row(stream, monkeypatch):
    """A machine that loses its power may leave a commit empty: its execution is told of, and repeated once it is gone."""
    from lakeloom.flow import write as writing

    real = writing._commit

    def commit_then_die(context, session, intent, part, lineage):
        made = real(context, session, intent, part, lineage)
        if part.table == "silver.t":
            raise KilledError
        return made

    stream.drop({"id": "3", "v": "c", "at": "1"})
    with monkeypatch.context() as patch:
        patch.setattr(writing, "_commit", commit_then_die)
        with pytest.raises(KilledError):
            stream.run()
    log = stream.home / ".lakeloom/tables/silver/t/_delta_log"
    last = sorted(log.glob("*.json"))[-1]
    last.write_bytes(b"")
    (log / f".{last.name}.crc").unlink(missing_ok=True)
    assert last.name in error(stream.run(), "silver.t")["message"]
    last.unlink()
    for name in (last.with_suffix(".crc"), log / f".{last.stem}.crc.crc"):
        name.unlink(missing_ok=True)
    stream.done()
    assert stream.table("silver.t", "id", "v") == [("1", "a"), ("2", "a"), ("3", "c")]
