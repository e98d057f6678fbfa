"""`lakeloom promote` under SIGKILL, at each moment between two of its durable writes, one after the other on one root.

Each process goes on with what the one before has left, and dies a step further. In between, readers see of every
table one of its whole states, and never gold of rows that silver does not have.
"""

import shutil
from collections import Counter

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.store import refs
from lakeloom.store.branches import place, read
from lakeloom.store.intents import Intents
from lakeloom.store.lake import Lake
from tests.flow.stream import Stream
from tests.scenarios.dying import Moment, dies, finishes
from tests.scenarios.killing import assert_no_row_is_quarantined_twice, lines, unfinished

TABLES = """\
tables:
  silver.items:
    from: {{bronze.changes: new}}
    sql: select k, {value} as v, _position from bronze.changes
    keys: [k]
    write: {{mode: merge, sequence_by: _position}}
    rules: [{{column: v, expect: values_between, min: 0, max: 1000}}]
  gold.sums:
    from: {{silver.items: whole}}
    sql: select count(*) as n, sum(v) as v from silver.items
"""
ITEMS, SUMS = "silver.items", "gold.sums"
# Before the promote, at the branch's inputs, with what has come to main since; gold is what silver adds up to.
STATES = [[("a", 1), ("b", 2)], [("a", 10), ("b", 20)], [("a", 10), ("b", 20), ("c", 30)]]
ADDED = [[(2, 3)], [(2, 30)], [(3, 60)]]
COMMIT, PUBLISH = "lakeloom.flow.write:commit", "lakeloom.store.refs:publish"
BEGIN, FINISH = "lakeloom.store.intents:Intents.begin", "lakeloom.store.intents:Intents.finish"
# What a process reaches that goes on where the one before was killed.
MOMENTS = [
    Moment("before", BEGIN),
    Moment("after", BEGIN),
    Moment("after", COMMIT, "quarantine.silver__items"),
    Moment("writing", "tables/silver/items"),
    Moment("after", COMMIT, ITEMS),
    Moment("before", PUBLISH, ITEMS),
    Moment("after", PUBLISH, ITEMS),
    Moment("after", FINISH),
    Moment("after", COMMIT, SUMS),
    Moment("after", PUBLISH, SUMS),
    Moment("after", "lakeloom.flow.promoting:run"),
    Moment("after", COMMIT, ITEMS),
    Moment("after", PUBLISH, ITEMS),
    Moment("after", COMMIT, SUMS),
    Moment("before", "lakeloom.flow.runner:noted"),
    Moment("before", "lakeloom.flow.promoting:noted"),
    Moment("before", "lakeloom.flow.promoting:promoted"),
    Moment("after", "lakeloom.flow.promoting:promoted"),
]


@pytest.fixture(scope="module")
def worked(tmp_path_factory, spark):
    """Give a project with a branch that holds a change, and rows that have come to main since."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("LAKELOOM_HOME", raising=False)
        patched.delenv("LAKELOOM_BRANCH", raising=False)
        made = Stream(
            tmp_path_factory.mktemp("worked") / "home", {"k": "string", "v": "bigint"}, TABLES.format(value="v")
        )
        made.drop({"k": "a", "v": 1}, {"k": "b", "v": 2}, {"k": "bad", "v": -5})
        made.done()
        lake = open_lakehouse(made.home / "conf")
        lake.tag("before")
        made.declare(TABLES.format(value="v * 10"))
        assert open_lakehouse(made.home / "conf").branch("work").run().exit_code == 0
        made.drop({"k": "c", "v": 3}, {"k": "worse", "v": -7})
        made.done("bronze.*")
    return made


def laid(worked, home):
    """Return the project laid out elsewhere, as it was."""
    shutil.copytree(worked.home, home)
    made = Stream.__new__(Stream)
    made.home, made.folder, made.files = home, home / "conf" / "stream", worked.files
    return made


def executions(stream):
    """Return what main's executions were told to do: of which inputs, from scratch or not, for which promote."""
    intents = Intents(stream.lake.root)
    return {
        step: [(each.intent.epoch, each.intent.full, each.intent.reads, each.intent.batch.get("promote"))
               for each in intents.history(step)]
        for step in (ITEMS, SUMS)
    }  # fmt: skip


def commits(stream, table):
    """Return how often each execution has committed to a table."""
    return Counter((each["manifest"]["step"], each["manifest"]["epoch"]) for each in stream.lake.history(table)
                   if each["manifest"])  # fmt: skip


def look(stream):
    """Read as others do between a kill and the next call; return which states silver and gold are in."""
    silver = STATES.index(stream.table(ITEMS, "k", "v"))
    gold = ADDED.index(stream.table(SUMS, "n", "v"))
    lake = open_lakehouse(stream.home / "conf")
    assert lake.verify_audit().broken == ""
    tag = lake.tags()[0].versions
    assert sorted((row["k"], row["v"]) for row in lake.lake.arrow(ITEMS, tag[ITEMS]).to_pylist()) == STATES[0]
    branch = Lake(place(stream.lake.root, "work"))
    assert (
        sorted((row["k"], row["v"]) for row in branch.arrow(ITEMS, refs.good(branch)[ITEMS]).to_pylist()) == STATES[1]
    )
    return silver, gold


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_killed_between_any_two_writes_a_promote_goes_on_and_does_nothing_twice(worked, tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    right, stream = laid(worked, tmp_path / "right"), laid(worked, tmp_path / "killed")
    finishes(right.home / "conf", "promote", "work")
    conf, seen = stream.home / "conf", [(0, 0)]
    for moment in MOMENTS:
        here = moment if moment.when != "writing" else Moment("writing", str(stream.lake.root / moment.call))
        dies(conf, here, "promote", "work")
        seen.append(look(stream))
    # Table by table and never back: gold is never of rows that silver does not have.
    assert seen == sorted(seen) and set(seen) == {(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)}, seen
    finishes(conf, "promote", "work")
    assert look(stream) == look(right) == (2, 2)
    assert lines(stream.lake.root) == lines(right.lake.root)
    assert executions(stream) == executions(right) and unfinished(stream.lake.root) == set()
    for table in (ITEMS, SUMS, "quarantine.silver__items"):
        assert commits(stream, table) == commits(right, table) and max(commits(stream, table).values()) == 1
    assert_no_row_is_quarantined_twice(stream.lake.root)
    assert read(stream.lake.root, "work").promoted
    lake = open_lakehouse(conf)
    assert (lake.verify_audit().pending, lake.verify_audit().broken) == (0, "")
    assert {row["detail"] for row in lake.audit() if row["action"] == "promote"} == {f"work: {ITEMS}, {SUMS}"}
    # Where it is done, neither a run nor the same promote finds anything to do; and what recover rebuilds holds.
    finishes(conf, "recover")
    before = executions(stream)
    assert {step.status for step in stream.run().steps} == {"skipped"}
    finishes(conf, "promote", "work")
    assert executions(stream) == before and lake.verify_audit().broken == ""
