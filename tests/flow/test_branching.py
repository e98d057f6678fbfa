"""A change tried on a branch and promoted: main sees nothing of it before, and makes the same rows of the same inputs."""

import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.errors import LakeloomError
from lakeloom.core.names import TableName
from lakeloom.core.steps import Input
from lakeloom.flow import cloning, decision, execute, promoting
from lakeloom.flow.branching import Branched, moved
from lakeloom.flow.cloning import clone_table
from lakeloom.flow.promoting import _done, _executions, _pins, _refuse_anew, _refuse_changed
from lakeloom.project.graph import steps
from lakeloom.store import branches, refs
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.lake import Lake
from lakeloom.store.lock import locked
from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.items:
    from: {{bronze.changes: new}}
    sql: select k, {value} as v, _position from bronze.changes
    keys: [k]
    write: {{mode: merge, sequence_by: _position}}
  gold.sums:
    from: {{silver.items: whole}}
    sql: select sum(v) as v from silver.items
"""
AT = datetime(2026, 1, 5, 9, 12, tzinfo=UTC)


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def refused(call, *words, **options):
    with pytest.raises(LakeloomError) as caught:
        call(*words, **options)
    return caught.value


@pytest.fixture
def stream(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    monkeypatch.delenv("LAKELOOM_BRANCH", raising=False)
    return Stream(tmp_path, {"k": "string", "v": "bigint"}, TABLES.format(value="v"))


def opened(stream, **options):
    return open_lakehouse(stream.home / "conf", **options)


def test_a_fix_is_tried_on_a_branch_and_promoted_at_the_same_inputs(stream, spark, monkeypatch):
    stream.drop({"k": "a", "v": 1}, {"k": "b", "v": 2})
    stream.done()
    stream.declare(TABLES.format(value="v * 10"))
    work = opened(stream).branch("work")
    assert {each.step.name: each.action for each in work.plan()}["bronze.changes"] == "skip"
    stream.drop({"k": "c", "v": 3})  # comes while the branch is worked on
    done = {step.name: step for step in work.run().steps}
    assert [done[name].status for name in ("bronze.changes", "silver.items", "gold.sums")] == [
        "skipped",
        "done",
        "done",
    ]
    assert stream.table("gold.sums", "v") == [(3,)]
    found = opened(stream, branch="work").changes(examples=1)
    assert (found["silver.items"].changed, found["silver.items"].columns) == (2, {"v": 2})
    assert found["gold.sums"].examples["removed"] == [{"v": 3}] and set(found) == {"silver.items", "gold.sums"}
    stream.done("bronze.*")

    def stop(*words, **options):
        raise Killed

    # Before the first publication; when both runs have ended; when the audit tells it, and the branch does not.
    for owner, name in ((execute.refs, "publish"), (promoting, "noted"), (promoting, "promoted")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, stop)
            with pytest.raises(Killed):
                opened(stream).promote("work")
        assert not branches.read(stream.lake.root, "work").promoted
    assert [row["action"] for row in opened(stream).audit()].count("promote") == 1
    promoted = opened(stream).promote("work")
    assert (promoted.exit_code, promoted.steps) == (0, ("silver.items", "gold.sums"))
    records = {step: Intents(stream.lake.root).history(step) for step in promoted.steps}
    pinned = [each.intent for each in records["silver.items"] if each.intent.batch.get("branch") == "work"]
    base = branches.read(stream.lake.root, "work").base
    assert [each.reads for each in pinned] == [{"bronze.changes": base["bronze.changes"]}] and pinned[0].full
    # Of the branch's inputs main has made the branch's rows, then taken up what has come since.
    ours = Lake(branches.place(stream.lake.root, "work")).arrow("silver.items").select(["k", "v"]).to_pylist()
    made = next(each for each in stream.lake.history("silver.items") if each["manifest"]["epoch"] == pinned[0].epoch)
    assert [each["manifest"].get("promoted") for each in stream.lake.history("silver.items")[:3]] == [
        None,
        "work",
        None,
    ]
    theirs = stream.lake.arrow("silver.items", made["version"]).select(["k", "v"]).to_pylist()
    assert sorted(map(str, theirs)) == sorted(map(str, ours))
    assert stream.table("silver.items", "k", "v") == [("a", 10), ("b", 20), ("c", 30)]
    assert stream.table("gold.sums", "v") == [(60,)]
    assert branches.read(stream.lake.root, "work").promoted
    assert opened(stream).promote("work").exit_code == 0
    assert [step.status for step in opened(stream).run().steps] == ["skipped"] * 3


def rows(**columns):
    count = len(next(iter(columns.values())))
    return pa.table(columns | {"_position": [{"epoch": 1, "file": 0, "record": 0}] * count})


@pytest.fixture
def branched(stream):
    """Give a project on main with a branch that has rebuilt a table, all of it written without Spark."""
    project, lake = stream.project(), stream.lake
    code = {step.name: step.code for step in steps(project)}
    write_deltalake(lake.path("bronze.changes"), rows(k=["a"], v=[1]))
    write_deltalake(lake.path("silver.items"), rows(k=["a"], v=[1]))
    ran(lake, "bronze.changes", 1, {}, "land", {"bronze.changes": 0})
    ran(lake, "silver.items", 1, {"bronze.changes": 0}, "old", {"silver.items": 0})
    opened(stream).branch("work")
    other = Lake(branches.place(lake.root, "work"))
    write_deltalake(other.path("silver.items"), rows(k=["a"], v=[2]), mode="overwrite")
    ran(other, "silver.items", 2, {"bronze.changes": 0}, code["silver.items"], {"silver.items": 1})
    return stream


def ran(lake, step, epoch, reads, code, versions, **more):
    ids = {table: identity(lake, table) for table in reads}
    intent = Intent(step, epoch, "r", AT.isoformat(), 7, code, full=True, reads=reads, ids=ids, **more)
    Intents(lake.root).begin(intent)
    Intents(lake.root).finish(intent, {"versions": versions})
    refs.publish(lake, versions, step=step, epoch=epoch, run="r", at=AT)


def test_what_a_branch_has_written_is_told_and_what_main_takes_over(branched):
    found = Branched.of(branched.lake, "work")
    assert [(each.table, each.before, each.after) for each in moved(found)] == [("silver.items", 0, 1)]
    records = _executions(steps(branched.project()), found)
    assert {name: pin.reads for name, pin in _pins(found, records).items()} == {"silver.items": {"bronze.changes": 0}}
    told = opened(branched, branch="work").changes()
    assert told["silver.items"].changed == 1
    assert opened(branched).branches()[0].base == {"bronze.changes": 0, "silver.items": 0}
    assert opened(branched, branch="work").changes("gold.sums") == {}


def test_a_change_on_main_that_the_branch_does_not_know_is_not_taken_back(branched):
    everything, found = steps(branched.project()), Branched.of(branched.lake, "work")
    records, main = _executions(everything, found), Intents(branched.lake.root)
    _refuse_changed(everything, found, main, records)
    # The same code on newer rows is no change of the code; other code is, as another branch's promote brings it.
    ran(branched.lake, "silver.items", 2, {"bronze.changes": 0}, "old", {"silver.items": 0})
    _refuse_changed(everything, found, main, records)
    ran(branched.lake, "silver.items", 3, {"bronze.changes": 0}, "another branch's", {"silver.items": 0})
    wrong = refused(_refuse_changed, everything, found, main, records)
    assert wrong.code == "LL-BRANCH-004" and "silver.items" in wrong.message
    assert refused(opened(branched).promote, "work").code == "LL-BRANCH-004"
    assert main.latest("silver.items").intent.epoch == 3


def test_what_was_promoted_is_not_built_at_the_branch_s_inputs_again(branched, monkeypatch):
    everything, found = steps(branched.project()), Branched.of(branched.lake, "work")
    pin, main = _pins(found, _executions(everything, found))["silver.items"], Intents(branched.lake.root)
    code = {step.name: step.code for step in everything}["silver.items"]
    assert not _done(main, "silver.items", pin.promote, found)
    ran(
        branched.lake,
        "silver.items",
        2,
        {"bronze.changes": 0},
        code,
        {"silver.items": 0},
        batch={"promote": pin.promote},
    )
    ran(branched.lake, "silver.items", 3, {"bronze.changes": 0}, code, {"silver.items": 0})
    assert _done(main, "silver.items", pin.promote, found) and not _done(main, "silver.items", "another", found)
    called = []

    def run(project, patterns, **options):
        called.append((patterns, options.get("pins")))
        return SimpleNamespace(exit_code=0, run_id="r")

    with monkeypatch.context() as patched:
        patched.setattr(promoting, "run", run)
        assert opened(branched).promote("work").steps == ("silver.items",)
    assert called == [(["silver.items+"], None)]
    # Main is free between a promote's two runs: what another one has brought by then is not taken back downstream.
    ran(branched.lake, "gold.sums", 1, {"silver.items": 0}, "another branch's", {"silver.items": 0})
    assert refused(opened(branched).promote, "work").code == "LL-BRANCH-004"
    with locked(branched.lake.root):
        assert refused(opened(branched).promote, "work").code == "LL-RUN-002"


def test_a_branch_that_was_deleted_meanwhile_stays_so(branched):
    root, was = branched.lake.root, Branched.of(branched.lake, "work").branch
    opened(branched).drop_branch("work")
    branches.promoted(root, was, AT)
    assert branches.branches(root) == [] and not branches.place(root, "work").exists()
    opened(branched).branch("work")
    branches.promoted(root, was, AT)
    assert branches.read(root, "work").promoted == ""
    assert branches.promoted(root, branches.read(root, "work"), AT).promoted == AT.isoformat()


def test_an_input_that_was_made_anew_on_main_is_another_one(branched):
    found = Branched.of(branched.lake, "work")
    records = _executions(steps(branched.project()), found)
    _refuse_anew(found, branched.lake, records)
    shutil.rmtree(branched.lake.path("bronze.changes"))
    write_deltalake(branched.lake.path("bronze.changes"), rows(k=["z"], v=[9]))
    assert refused(_refuse_anew, found, branched.lake, records).code == "LL-BRANCH-004"


def test_a_branch_that_has_not_finished_or_run_this_code_is_not_promoted(branched):
    other = Lake(branches.place(branched.lake.root, "work"))
    branched.declare(TABLES.format(value="v * 2"))
    assert refused(opened(branched).promote, "work").code == "LL-BRANCH-003"
    branched.declare(TABLES.format(value="v"))
    Intents(other.root).begin(Intent("silver.items", 3, "r", AT.isoformat(), 7, "code"))
    assert "not finished" in refused(opened(branched).promote, "work").message
    assert refused(opened(branched).promote, "wrok").code == "LL-BRANCH-001"


def test_names_locks_and_settings(branched, monkeypatch):
    assert refused(opened(branched).branch, "a/b").code == "LL-BRANCH-002"
    assert refused(opened, branched, branch="none").code == "LL-BRANCH-001"
    monkeypatch.setenv("LAKELOOM_BRANCH", "work")
    assert opened(branched).root == branched.lake.root / "branches" / "work"
    monkeypatch.delenv("LAKELOOM_BRANCH")
    with locked(branched.lake.root):
        assert refused(opened(branched).branch, "other").code == "LL-RUN-002"
        assert refused(opened(branched).drop_branch, "work").code == "LL-RUN-002"
    base = branched.home / "conf" / "base.yml"
    base.write_text(base.read_text() + "mlflow: http://127.0.0.1:9\nbranch: work\n")
    lake = opened(branched)
    # A branch speaks to nobody.
    assert (lake.on, lake.project.settings.mlflow, lake.tracking.startswith("sqlite")) == ("work", "", True)
    # Main's runs are told to all that main speaks to, also where a promote is called from the branch.
    told = []
    monkeypatch.setattr(promoting, "promote", lambda project, name, **_: told.append(project))
    lake.promote("work")
    assert (told[0].settings.branch, told[0].settings.mlflow) == (None, "http://127.0.0.1:9")
    base.write_text(base.read_text().replace("branch: work", "branch: a/b"))
    assert {finding.code for finding in opened(branched).check()} == {"LL-CONF-004"}


def test_a_branch_lands_what_main_never_had_and_nothing_else(branched):
    project = opened(branched, branch="work").project
    context = decision.Context.of(project, "look")
    by = {step.name: step for step in steps(project)}
    assert decision.apart(context, by["bronze.changes"], {"bronze.changes": 0}).action == "skip"
    assert decision.apart(context, by["bronze.changes"], {}) is None
    assert decision.apart(context, by["silver.items"], {}) is None
    assert decision.apart(decision.Context.of(branched.project(), "look"), by["bronze.changes"], {}) is None
    assert Input("bronze.changes", "new") in by["silver.items"].reads


def test_a_clone_is_published_once_and_its_name_is_nobody_s(branched, monkeypatch):
    project = branched.project()
    source, target = TableName("silver", "items"), TableName("silver", "kept")

    def stop(*words, **options):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(cloning.refs, "publish", stop)
        with pytest.raises(Killed):
            clone_table(project, source, 0, target)
    assert "silver.kept" not in refs.good(branched.lake)
    made = clone_table(project, source, 0, target)
    assert (made.version, made.full) == (0, False) and refs.good(branched.lake)["silver.kept"] == 0
    assert branched.lake.arrow("silver.kept").num_rows == 1
    assert clone_table(project, source, 0, target) == made and branched.lake.version(target) == 0
    assert refused(clone_table, project, source, 0, target, full=True).code == "LL-STORE-018"
    assert refused(clone_table, project, source, 0, TableName("gold", "sums")).code == "LL-STORE-018"
    lake = opened(branched)
    assert lake.clone("silver.items@0", "silver.third", full=True).full
    assert lake.table("silver.third").size.rows == 1
