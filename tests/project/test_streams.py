"""What check says of streaming tables, without Spark; and what of a declaration starts a table anew."""

import pytest

from lakeloom.core.steps import Input, Step
from lakeloom.project.graph import steps
from lakeloom.project.plan import Last, decide
from lakeloom.tables.streaming import StreamSpec
from tests.flow.stream import Stream

TABLE = """\
tables:
  silver.names:
    from: {bronze.changes: whole}
    sql: select k from bronze.changes
    columns: {k: string}
  silver.stats:
    from: {bronze.changes: new}
    sql: select k, window.start as began, sum(v) as v from bronze.changes group by k, window(at, '10 minutes')
    stream: {watermarks: {bronze.changes: {column: at, delay: 10 minutes}}}
    write: {mode: append}
    keys: [k, began]
    columns: {k: string, began: timestamp, v: bigint}
"""


def findings(home, *swaps):
    text = TABLE
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    stream = Stream(home, {"k": "string", "at": "string", "v": "bigint"}, text)
    schemas = {"bronze.changes": ["k", "at", "v"]}
    from lakeloom.config.load import read
    from lakeloom.project.check import check

    found = check(read(stream.home / "conf"), schemas)[1]
    return [(each.code, each.path.removeprefix("tables.silver.stats").lstrip("."), each.message) for each in found]


def test_a_sound_one_has_no_finding(tmp_path):
    assert findings(tmp_path) == []


NEW, APPEND = "from: {bronze.changes: new}", "write: {mode: append}"
MARK = "{watermarks: {bronze.changes: {column: at, delay: 10 minutes}}}"
CASES = {
    "nothing new": ([(NEW, "from: {bronze.changes: whole}")], "LL-STREAM-001", "no input is read as new"),
    "mark on whole": ([(NEW, "from: {bronze.changes: whole}")], "LL-STREAM-001", "read whole: it has no watermark"),
    "mark elsewhere": ([(MARK, MARK.replace("bronze.changes", "bronze.change"))], "LL-STREAM-001", "is not under 'from'"),
    "mark column": ([(MARK, MARK.replace("column: at", "column: att"))], "LL-TABLE-003", "column 'att' is not in"),
    "default mode": ([(APPEND, "description: x")], "LL-STREAM-001", "can't be written by mode overwrite"),
    "replace": ([(APPEND, "write: {mode: replace, by: [k]}")], "LL-STREAM-001", "can't be written by mode replace"),
    "snapshots": ([(APPEND, "write: {mode: merge, snapshot_by: began}")], "LL-STREAM-001", "by snapshot_by"),
    "update": ([("stream: {", "stream: {output: update, ")], "LL-STREAM-001", "output update can't be written by mode append"),
    "update keys": (
        [("stream: {", "stream: {output: update, "), (APPEND, "write: {mode: merge}"), ("    keys: [k, began]\n", "")],
        "LL-TABLE-006", "needs keys",
    ),
    "complete": ([("stream: {", "stream: {output: complete, ")], "LL-CONF-004", "'append' or 'update'"),
    "forward": ([(APPEND, APPEND + "\n    on_change: forward")], "LL-STREAM-001", "on_change: forward can't hold"),
    "static": ([("stream: {", "stream: {static: forward, ")], "LL-STREAM-001", "no input is read whole"),
    "clock": ([("sum(v)", "max(current_timestamp())")], "LL-CONF-013", "current_timestamp"),
    "delay": ([(MARK, MARK.replace("10 minutes", "1 month"))], "LL-CONF-004", "is not a duration"),
    "resolve": (
        [(NEW, "from: {bronze.changes: new, silver.names: changes}")], "LL-STREAM-001", "which do not stream",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_go_together_is_found(name, tmp_path):
    swaps, code, words = CASES[name]
    assert any(each[0] == code and words in each[2] for each in findings(tmp_path, *swaps)), findings


def test_timers_by_the_clock_are_found_in_a_function(tmp_path, monkeypatch):
    (tmp_path / "timers_of_ours.py").write_text("MODE = GroupStateTimeout.ProcessingTimeTimeout\ndef f(inputs): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    line = next(line for line in TABLE.splitlines() if "window.start" in line)
    found = findings(tmp_path / "home", (line, "    function: timers_of_ours:f"))
    assert ("LL-STREAM-001", "function", "a timer by the machine's clock would go off differently in a replay") in found


def test_when_it_goes_on_acts_on_no_rows(tmp_path):
    def code(index, text):
        stream = Stream(tmp_path / str(index), {"k": "string", "at": "string", "v": "bigint"}, text)
        return {step.name: step.code for step in steps(stream.project())}["silver.stats"]

    plain = code(0, TABLE)
    assert code(1, TABLE.replace("stream: {", "stream: {every: 10 seconds, ")) == plain
    assert code(2, TABLE.replace("delay: 10", "delay: 11")) != plain


@pytest.mark.parametrize("static", ["rebuild", "forward"])
def test_a_new_version_of_the_static_side(static):
    class Spec:
        stream, on_change = StreamSpec(static=static), "rebuild"

    reads = (Input("bronze.a", "new"), Input("silver.b", "whole"))
    step = Step("silver.c", "transform", reads, ("silver.c",), Spec(), "x")
    last = Last(1, "x", {"bronze.a": 1, "silver.b": 1})
    moved = decide(step, last, {"bronze.a": 1, "silver.b": 2})
    both = decide(step, last, {"bronze.a": 2, "silver.b": 2})
    if static == "forward":
        assert moved.action == "skip" and (both.action, both.full) == ("run", False)
    else:
        assert moved.full and both.full


def test_what_is_lost_builds_the_table_anew_and_is_the_reason():
    step = Step("silver.c", "transform", (Input("bronze.a", "new"),), ("silver.c",), None, "x")
    last = Last(1, "x", {"bronze.a": 1})
    found = decide(step, last, {"bronze.a": 1}, lost="it is gone")
    assert (found.action, found.full, found.reasons) == ("run", True, ("it is gone",))
    assert decide(step, last, {"bronze.a": 1}).action == "skip"
