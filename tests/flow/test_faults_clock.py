"""A clock that goes back: what came later counts as later, by epochs, positions, versions and runs, never by the time."""

from datetime import UTC, datetime, timedelta

import pytest

import lakeloom
from lakeloom.flow import execute, journal, prepare, runner
from lakeloom.store import refs
from lakeloom.store.intents import Intents
from tests.flow.stream import Stream

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
TABLES = """\
tables:
  silver.t:
    from: {bronze.changes: new}
    sql: select id, v, cast('2026-03-29 11:00:00' as timestamp) as at, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    columns: {id: string, v: string, at: timestamp}
    event_time: at
    freshness: 6 hours
"""


def clock(monkeypatch, time):
    """Set the clock of the runner: it stands still."""

    class Now(datetime):
        @classmethod
        def now(cls, tz=None):
            return time.astimezone(tz)

    for module in (execute, journal, prepare, runner):
        monkeypatch.setattr(module, "datetime", Now)


def test_a_run_after_the_clock_went_back_is_the_newest_and_its_rows_win(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream, ids = Stream(tmp_path, {"id": "string", "v": "string"}, TABLES), []
    for back, value in ((0, "first"), (25, "second"), (25, "third")):
        clock(monkeypatch, NOON - timedelta(hours=back))
        stream.drop({"id": "1", "v": value})
        result = stream.run()
        assert result.status == "done"
        ids.append(result.run_id)
        assert stream.table("silver.t", "v") == [(value,)]
    assert ids == sorted(set(ids))
    assert [record.intent.epoch for record in Intents(stream.lake.root).history("silver.t")] == [1, 2, 3]
    assert refs.good(stream.lake)["silver.t"] == stream.lake.version("silver.t")
    positions = [row[0]["epoch"] for row in stream.table("bronze.changes", "_position")]
    assert sorted(positions) == [1, 2, 3]
    assert {step.status for step in stream.run().steps} == {"skipped"}
    lake = lakeloom.open(tmp_path / "conf")
    assert [run["run_id"] for run in lake.runs()][1:] == ids[::-1]
    monkeypatch.undo()
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    # The newest event lies ahead of a clock that went back: it is not old.
    from lakeloom.flow.freshness import freshness

    (found,) = freshness(stream.project(), stream.lake, refs.good(stream.lake), NOON - timedelta(days=1))
    assert (found.age_s, found.status) == (0.0, "fresh")


@pytest.mark.long
def test_a_killed_execution_is_finished_with_its_own_clock(tmp_path, spark, monkeypatch):
    from lakeloom.flow import write as writing
    from tests.flow.test_write_modes import KilledError

    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream, real = Stream(tmp_path, {"id": "string", "v": "string"}, TABLES), writing._commit

    def die(*args):
        real(*args)
        raise KilledError

    stream.drop({"id": "1", "v": "a"})
    with monkeypatch.context() as patch:
        clock(patch, NOON)
        patch.setattr(writing, "_commit", die)
        with pytest.raises(KilledError):
            stream.run("bronze.changes")
    with monkeypatch.context() as patch:
        clock(patch, NOON - timedelta(days=1))
        assert stream.run("bronze.changes").status == "done"
    assert [row[0] for row in stream.table("bronze.changes", "_ingested_at")] == [NOON]
