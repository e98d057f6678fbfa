"""Streaming tables equal a model in memory, for random rows that come late, twice or without a time, also with a kill
at any point between two executions; what a query remembers may be lost, rows may not.
"""

import os
import random
import shutil
import signal
from datetime import UTC, datetime, timedelta

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.config.load import read
from lakeloom.core.errors import RunError, TableError
from lakeloom.core.steps import Window
from lakeloom.flow import stream as streaming
from lakeloom.flow import write as writing
from lakeloom.flow.cases import run_cases
from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, fix
from lakeloom.flow.replaying import replay
from lakeloom.flow.runner import run
from lakeloom.project.cases import read as read_cases
from lakeloom.store import refs
from lakeloom.store.checkpoints import Workplace
from lakeloom.store.intents import Intents
from tests.flow import streams_model as model
from tests.flow.stream import Stream
from tests.flow.test_watch import Clock

HEAD = "tables:\n"
WINDOWS = """\
  silver.windows:
    from: {bronze.changes: new}
    sql: >
      select k, window.start as began, sum(v) as v, count(*) as n
      from bronze.changes group by k, window(at, '10 minutes')
    stream: {watermarks: {bronze.changes: {column: at, delay: 613 seconds}}}
    write: {mode: append}
    keys: [k, began]
    columns: {k: string, began: timestamp, v: bigint, n: bigint}
"""
PAIRS = """\
  silver.pairs:
    from: {bronze.changes: new, bronze.others: new}
    sql: >
      select c.id, o.id as other from bronze.changes c left join bronze.others o
      on c.k = o.k and o.at >= c.at and o.at <= c.at + interval 10 minutes
    stream:
      watermarks:
        bronze.changes: {column: at, delay: 613 seconds}
        bronze.others: {column: at, delay: 613 seconds}
    write: {mode: append}
    columns: {id: string, other: string}
"""
TOTALS = """\
  silver.totals:
    from: {bronze.changes: new}
    sql: select k, sum(v) as v from bronze.changes group by k
    stream: {output: update}
    write: {mode: merge}
    keys: [k]
    columns: {k: string, v: bigint}
"""
SESSIONS = """\
  silver.sessions:
    from: {bronze.changes: new}
    sql: >
      select k, session_window.start as began, session_window.end as ended, count(*) as n
      from bronze.changes group by k, session_window(at, '270 seconds')
    stream: {watermarks: {bronze.changes: {column: at, delay: 613 seconds}}}
    write: {mode: append}
    columns: {k: string, began: timestamp, ended: timestamp, n: bigint}
"""
FIRSTS = """\
  silver.firsts:
    from: {bronze.changes: new}
    function: tests.flow.streaming_functions:firsts
    stream: {watermarks: {bronze.changes: {column: at, delay: 613 seconds}}}
    write: {mode: append}
    columns: {k: string, v: bigint, at: timestamp}
"""
NAMED = """\
  silver.named:
    from: {bronze.changes: new, bronze.others: whole}
    sql: select c.id, o.id as name from bronze.changes c join bronze.others o on c.k = o.k
    stream: {static: forward}
    write: {mode: append}
    columns: {id: string, name: string}
"""
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class KilledError(BaseException):
    """Ends a run as SIGKILL would: nobody catches it, nothing is put in order."""


class Streams(Stream):
    """Two sources, and what came with each execution so far."""

    def __init__(self, home, tables, seed=1):
        super().__init__(home, {"id": "string", "k": "string", "at": "string", "v": "bigint"}, HEAD + tables)
        text = (self.folder / "sources.yml").read_text()
        other = text.partition("sources:\n")[2].replace("changes:", "others:").replace("in/", "beside/")
        (self.folder / "sources.yml").write_text(text + other)
        self.chance, self.executions, self.ids = random.Random(seed), [], 0

    def lay(self, changes, others=()):
        """Lay out a file of each source that has rows."""
        self.executions.append({"changes": list(changes), "others": list(others)})
        for folder, rows in (("in", changes), ("beside", others)):
            if rows:
                self.drop(*[row | {"at": row["at"] and f"{row['at']:%Y-%m-%d %H:%M:%S}"} for row in rows])
                if folder != "in":
                    (self.home / folder).mkdir(exist_ok=True)
                    file = f"{self.files:03d}.jsonl"
                    (self.home / "in" / file).rename(self.home / folder / file)

    def row(self, minute, k=None, v=None, second=0):
        self.ids += 1
        at = None if minute is None else NOON + timedelta(minutes=minute, seconds=second)
        v = self.chance.randrange(3) if v is None else v
        return {"id": f"r{self.ids:03d}", "k": k or f"k{self.chance.randrange(4)}", "at": at, "v": v}

    def tell(self, number):
        """Lay out the next rows: new ones, late ones, one without a time, and one that comes twice."""
        changes = [self.row(12 * number + self.chance.randint(-20, 12)) for _ in range(30)]
        changes += [self.row(12 * number + 13 + n, f"once{number}", 7) for n in range(2)] + [self.row(None)]
        # Rows of one batch that are the same to the query differ in nothing that it keeps.
        seen = {}
        changes = [
            seen.setdefault((row["k"], row["v"], row["at"] and row["k"]), row) | {"id": row["id"]} for row in changes
        ]
        others = [self.row(12 * number + self.chance.randint(-20, 14), second=20) for _ in range(20)]
        self.lay(changes, others if number != 1 else ())  # one input may stand still

    def equal(self, *tables, executions=None):
        """Compare tables with the model of all executions so far."""
        executions = executions or self.executions
        one, two = model.Watched(executions, "changes"), model.Watched(executions, "changes", "others")
        if "windows" in tables:
            found = {row[:2]: row[2:] for row in self.table("silver.windows", "k", "began", "v", "n")}
            assert found == model.windows(one, "changes")
        if "pairs" in tables:
            assert self.table("silver.pairs", "id", "other") == model.pairs(two, "changes", "others")
        if "sessions" in tables:
            assert sorted(self.table("silver.sessions", "k", "began", "ended", "n")) == model.sessions(one, "changes")
        if "firsts" in tables:
            assert sorted(self.table("silver.firsts", "k", "v", "at")) == model.firsts(one, "changes")
        if "totals" in tables:
            assert dict(self.table("silver.totals", "k", "v")) == model.totals(executions, "changes")
        for name, watched in (("windows", one), ("pairs", two)):
            if name in tables:
                side = f"quarantine.silver__{name}"
                reasons = [row[0][0] for row in self.table(side, "reasons")] if side in refs.good(self.lake) else []
                assert (reasons.count("late"), reasons.count("no event time")) == (watched.late, watched.timeless)

    def told(self, table="silver.windows"):
        return Intents(self.project().root).published(table).facts["stream"]


def killed(stream, monkeypatch, point, after):
    """Run until the execution has passed a point so many times, and no further."""
    left = after

    def dies(real, first):
        def done(*args, **words):
            nonlocal left
            made = None if first else real(*args, **words)
            left -= 1
            if left <= 0:
                raise KilledError
            return real(*args, **words) if first else made

        return done

    with monkeypatch.context() as patch:
        if point == "commit":
            patch.setattr(writing, "_commit", dies(writing._commit, first=False))
        elif point == "before it is kept":
            patch.setattr(Workplace, "end", dies(Workplace.end, first=True))
        else:
            patch.setattr(Workplace, "end", dies(Workplace.end, first=False))
        with pytest.raises(KilledError):
            run(stream.project())


POINTS = (("before it is kept", 1), ("kept", 1), ("commit", 3), ("commit", 4), ("kept", 2), ("commit", 5))


def follow(stream, monkeypatch, rounds, tables):
    for number in range(rounds):
        stream.tell(number)
        killed(stream, monkeypatch, *POINTS[number])
        stream.done()
        stream.equal(*tables)
    assert {step.status for step in stream.run().steps} == {"skipped"}
    stream.done("silver.*", full_refresh=True)
    whole = {name: [row for each in stream.executions for row in each[name]] for name in ("changes", "others")}
    # Of rows that are the same to `firsts` but lie far apart, which is the first in one batch is Spark's choice.
    stream.equal(*(name for name in tables if name != "firsts"), executions=[whole])
    if "firsts" in tables:
        wanted = {row[:2] for row in model.firsts(model.Watched([whole], "changes"), "changes")}
        assert stream.table("silver.firsts", "k", "v") == sorted(wanted, key=str)


@pytest.fixture
def home(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return tmp_path


@pytest.mark.long
def test_windows_and_a_join_of_two_streams_with_a_kill_in_every_execution(home, monkeypatch):
    follow(Streams(home, WINDOWS + PAIRS), monkeypatch, 2, ("windows", "pairs"))


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3])
def test_every_kind_of_query_with_a_kill_in_every_execution(seed, home, monkeypatch):
    stream = Streams(home, WINDOWS + PAIRS + TOTALS + SESSIONS + FIRSTS, seed)
    follow(stream, monkeypatch, 4, ("windows", "pairs", "totals", "sessions", "firsts"))


def test_the_life_of_a_stream(home, monkeypatch):
    stream = Streams(home, WINDOWS + NAMED)
    root = stream.project().root
    stream.lay([stream.row(0, "a", 1), stream.row(40, "a", 1)], [stream.row(0, "a") | {"id": "Ann"}])
    stream.done()
    stream.equal("windows")
    assert stream.told()["watermark"] == "2026-01-01T12:29:47+00:00"

    # An execution that fails after its query has ended takes its rows again, once.
    stream.lay(
        [stream.row(5, "a", 1), stream.row(60, "a", 1), stream.row(61, "b", 1)], [stream.row(0, "b") | {"id": "Bob"}]
    )

    def broken(*_, **__):
        raise TableError("LL-TABLE-004", "it does not fit")

    with monkeypatch.context() as patch:
        patch.setattr(streaming, "publish", broken)
        assert {step.name for step in stream.run().steps if step.status == "failed"} == {
            "silver.windows",
            "silver.named",
        }
    steps = stream.done()
    stream.equal("windows")
    assert steps["silver.windows"].stream["late"] == 1 and steps["silver.windows"].quarantined == 1
    assert steps["silver.windows"].stream["since"] == 1
    # A static side holds as it was when the rows came; by itself it is no reason to run.
    assert stream.table("silver.named", "id", "name") == [("r001", "Ann"), ("r002", "Ann"), ("r004", "Ann"),
                                                          ("r005", "Ann"), ("r006", "Bob")]  # fmt: skip

    # What the query remembers is lost: the table is built anew, the late row in time now.
    shutil.rmtree(root / "streams" / "silver.windows")
    (next((root / "streams" / "silver.named").glob("*/checkpoint/offsets")) / "0").unlink()
    steps = stream.done()
    assert steps["silver.windows"].reason == "what its stream remembered after epoch 3 is gone"
    assert steps["silver.named"].reason == "what its stream remembers is not what epoch 3 left"
    whole = [row for each in stream.executions for row in each["changes"]]
    again = [{"changes": whole, "others": []}]
    stream.equal("windows", executions=again)
    assert stream.told()["since"] == 4

    # A row without a time gets one by a fix: it is taken by a build from scratch.
    stream.lay([stream.row(None, "c", 5), stream.row(90, "a", 1)])
    stream.done()
    found = fix(
        stream.project(), "silver.windows", Choice(rule="no event time"), Change(("at = '2026-01-01 12:01:00'",))
    )
    assert (found.on, found.passing, found.breaking) == ("raw", 1, {})
    ran = replay(stream.project(), "silver.windows", Choice())
    assert ran.run.status == "done", ran.run
    assert ("c", 5) in stream.table("silver.windows", "k", "v")
    assert [row[0] for row in stream.table("quarantine.silver__windows", "state")] == ["replayed"]

    with pytest.raises(RunError) as caught:
        stream.run("silver.windows", window=Window(NOON, None))
    assert caught.value.code == "LL-RUN-007"


def test_a_watch_goes_on_between_the_schedules_runs_until_it_is_stopped(home, monkeypatch):
    stream = Streams(home, WINDOWS.replace("stream: {", "stream: {every: 10 seconds, "))
    stream.lay([stream.row(0), stream.row(40)], [stream.row(0)])
    watch = open_lakehouse(home / "conf").watch(clock=Clock(NOON))
    first = next(watch)
    assert (first.due, first.status, first.next) == (NOON, "done", NOON + timedelta(seconds=10))
    assert {step.name for step in first.result.steps} == {"bronze.changes", "silver.windows"}
    stream.equal("windows")
    runs = sorted(each.name for each in (stream.project().root / "runs").iterdir())
    idle = next(watch).as_dict()
    assert (idle["run_id"], idle["status"], idle["steps"]) == (None, "done", {"skipped": 2})
    assert sorted(each.name for each in (stream.project().root / "runs").iterdir()) == runs

    stream.lay([stream.row(50), stream.row(80)])
    real = Workplace.end

    def stopped(workplace):
        os.kill(os.getpid(), signal.SIGINT)
        real(workplace)

    with monkeypatch.context() as patch:
        patch.setattr(Workplace, "end", stopped)
        last = next(watch)
    assert (last.status, last.result.exit_code) == ("stopped", 130)
    assert list(watch) == []
    stream.done("silver.windows")
    stream.equal("windows")

    # Damage inside the state, which no size tells: Spark's checksums do.
    states = (stream.project().root / "streams" / "silver.windows").rglob("*.delta")
    for file in states:
        content = file.read_bytes()
        file.write_bytes(bytes(byte ^ 255 for byte in content))
    stream.lay([stream.row(110)])
    (error,) = [step.error for step in stream.run("+silver.windows").steps if step.error]
    assert error["code"] == "LL-STREAM-004" and "--full-refresh" in error["fix"]
    stream.done("silver.windows", full_refresh=True)
    assert stream.told()["since"] == 4


def test_what_can_not_stream_says_why(home, monkeypatch):
    never = FIRSTS.replace("firsts:", "never:", 1).replace(":firsts", ":rewound")
    open_ = TOTALS.replace("{output: update}", "{output: append}").replace("silver.totals", "silver.open")
    clock = FIRSTS.replace("firsts:", "clock:", 1).replace(":firsts", ":by_the_clock")
    stream = Streams(home, WINDOWS + never + open_ + clock)
    stream.lay([stream.row(0), stream.row(40)], [stream.row(0)])
    monkeypatch.setattr("lakeloom.flow.streaming.taken", lambda *_: set())
    errors = {step.name: step.error for step in stream.run().steps if step.error}
    assert {name: error["code"] for name, error in errors.items()} == {
        "silver.windows": "LL-STREAM-003", "silver.never": "LL-STREAM-002", "silver.open": "LL-STREAM-002",
        "silver.clock": "LL-STREAM-001",
    }  # fmt: skip
    monkeypatch.setattr(streaming, "is_connect", lambda _: True)
    (step,) = stream.run("silver.open").steps
    assert step.error["code"] == "LL-STREAM-005"


def test_a_test_of_the_project_sees_its_windows_closed(home, spark):
    stream = Streams(home, WINDOWS)
    (stream.folder / "tests").mkdir()
    (stream.folder / "tests" / "windows.yml").write_text(
        "tests:\n  both:\n    table: silver.windows\n    given:\n      bronze.changes:\n"
        "        - {id: a, k: x, at: '2026-01-01 12:01:00', v: 1}\n        - {id: b, k: x, at: '2026-01-01 12:09:00', v: 2}\n"
        "    expect:\n      - {k: x, began: '2026-01-01 12:00:00', v: 3, n: 2}\n"
    )
    cases, findings = read_cases(read(home / "conf"), stream.project())
    assert not findings
    assert [each.passed for each in run_cases(stream.project(), cases, spark)] == [True]
