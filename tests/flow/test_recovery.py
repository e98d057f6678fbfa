"""The platform's own tables, deleted and rebuilt: the same rows as before, from logs, or what intents tell of them."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.flow import journal
from lakeloom.flow.journal import Journal, runs
from lakeloom.flow.recovery import recover
from lakeloom.flow.result import RunResult, StepResult
from lakeloom.store import audit, refs
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.lake import Lake
from lakeloom.store.lock import locked
from lakeloom.store.meta import rows

AT = datetime(2026, 1, 5, 9, 12, tzinfo=UTC)
RUNS = ("20260105T091200-000001", "20260105T101200-000001")
RESOURCES = {"jobs": 2, "tasks": 8, "failed_tasks": 0, "task_seconds": 1.5, "cpu_seconds": 1.0, "bytes_read": 10,
             "bytes_written": 20, "shuffle_bytes": 0, "spilled_bytes": 0}  # fmt: skip


@pytest.fixture
def ran(lake):
    """Give a lake on which two runs have ended, with all that a run may tell, and a third one was killed."""
    for number, run in enumerate(RUNS, 1):
        book = Journal(lake, run, lake.root / "runs" / run)
        book.log("run started", steps=["bronze.a"])
        book.log("step started", step="bronze.a", reason="new", epoch=number)
        error = {"code": "LL-RUN-004", "where": "silver.b", "message": "raised", "fix": ""}
        steps = (
            StepResult("bronze.a", "land", "done", "new", 3, 2, 1, number, 1.25, 99, resources=RESOURCES,
                       warnings=("skew",), changed={"1_trim": 2}),
            StepResult("silver.b", "transform", "failed", "raised", seconds=0.5, error=error),
            StepResult("silver.c", "transform", "skipped", "nothing changed", version=4),
            StepResult("models.m", "train", "done", "it never ran", version=1, seconds=2.0),
        )  # fmt: skip
        for step in steps:
            done = step.status == "done"
            book.step(step, number if step.status != "skipped" else None, 2 if step.kind == "train" else 1)
            if step.status != "skipped":
                intent = Intent(step.name, number, run, AT.isoformat(), 7, "code", reads={"bronze.a": 0})
                Intents(lake.root).begin(intent)
                if done:
                    facts = {"versions": {step.name: number}, "version": step.version, "rows_in": step.rows_in,
                             "rows_out": step.rows_out, "quarantined": step.quarantined, "seconds": step.seconds,
                             "bytes": step.bytes, "resources": step.resources, "warnings": list(step.warnings)}  # fmt: skip
                    Intents(lake.root).finish(intent, facts)
                    refs.publish(lake, {step.name: number}, step=step.name, epoch=number, run=run, at=AT)
                else:
                    Intents(lake.root).fail(intent, error)
        book.model("models.m", "train", {"seconds": 2.0, "mlflow_run": "abc"}, AT, {"datasets.d": 3})
        book.close(RunResult(run, "failed", AT.isoformat(), 3.5, steps), {"bronze.a": number}, "shop")
    killed = Journal(lake, "20260106T091200-000001", lake.root / "runs" / "20260106T091200-000001")
    killed.log("run started", steps=["bronze.a"])
    (lake.root / "runs" / "20260106T091200-000001" / "log.jsonl").open("a").write('{"at": "2026')
    audit.note(lake)
    return lake


def told(lake, *columns):
    """Return all rows of both tables, or these columns of the steps."""
    if columns:
        found = [{name: row[name] for name in columns} for row in rows(lake, journal.STEPS)]
        return sorted(found, key=str)
    return [sorted(rows(lake, table), key=str) for table in (journal.RUNS, journal.STEPS)]


def test_all_that_was_deleted_comes_back_as_it_was(ran):
    before, listed = told(ran), runs(ran)
    published, chain = refs.entries(ran), audit.entries(ran)
    assert [len(table) for table in before] == [4, 8]
    for table in (journal.RUNS, journal.STEPS):
        shutil.rmtree(ran.path(table))
    done = recover(ran.root, "shop")
    assert done.as_dict() == {"tables": {"meta.runs": 4, "meta.steps": 8}, "by_log": 3, "by_intents": 0}
    assert told(ran) == before and runs(ran) == listed
    assert refs.entries(ran) == published and audit.entries(ran)[: len(chain)] == chain
    assert audit.entries(ran)[-1]["action"] == "recover" and audit.verify(ran).broken == ""
    # What is there and right is written again, and what is doubled is not.
    recover(ran.root, "shop")
    assert told(ran) == before


def test_of_real_runs_with_features_tuning_and_training_every_table_of_the_platform_comes_back(trained, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(trained[0].root, root)
    lake = Lake(root)
    before = told(lake)
    kinds = {row["kind"] for row in before[1]}
    assert kinds >= {"land", "transform", "materialise", "tune", "train"} and len(before[0]) >= 3
    folder = Path(lake.path(journal.RUNS)).parent
    # A table that is neither rebuilt nor one of the two that are no projections would be lost.
    assert {each.name for each in folder.iterdir()} == {"runs", "steps", "refs", "audit"}
    for table in (journal.RUNS, journal.STEPS):
        shutil.rmtree(lake.path(table))
    recover(root, trained[0].name)
    assert told(lake) == before


def test_without_logs_the_intents_tell_what_was_executed(ran):
    columns = ("run_id", "step", "kind", "status", "epoch", "version", "error", "task_seconds", "warnings")
    before = [row for row in told(ran, *columns) if row["status"] != "skipped"]
    shutil.rmtree(ran.root / "runs")
    for table in (journal.RUNS, journal.STEPS):
        shutil.rmtree(ran.path(table))
    done = recover(ran.root, "shop")
    assert (done.by_log, done.by_intents) == (0, 2)
    assert told(ran, *columns) == before
    found = [(each["run_id"], each["kind"], each["name"], each["status"], each["mlflow_run"]) for each in runs(ran)]
    assert found == [
        (RUNS[1], "train", "models.m", "done", None), (RUNS[1], "run", "shop", "failed", None),
        (RUNS[0], "train", "models.m", "done", None), (RUNS[0], "run", "shop", "failed", None),
    ]  # fmt: skip


def test_logs_of_an_older_release_are_read(ran):
    before = told(ran, "run_id", "step", "epoch", "status", "seconds", "reason")
    for file in (ran.root / "runs").glob("*/log.jsonl"):
        lines = [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]
        for line in lines:
            for name in ("epoch", "slots", "ended") if line["event"].startswith("step d") else ("name", "reads"):
                if line["event"] != "step started" and (line["event"] == "run ended" or name not in ("name", "reads")):
                    line.pop(name, None)
        file.write_text("".join(json.dumps(line) + "\n" for line in lines if line["event"] != "model made"))
    recover(ran.root, "shop")
    after = told(ran, "run_id", "step", "epoch", "status", "seconds", "reason")
    assert [row for row in after if row["step"] == "bronze.a"] == [row for row in before if row["step"] == "bronze.a"]
    assert {each["name"] for each in runs(ran)} == {"shop"}


def test_while_a_run_is_on_nothing_is_rebuilt(ran):
    with locked(ran.root), pytest.raises(LakeloomError) as caught:
        recover(ran.root, "shop")
    assert caught.value.code == "LL-RUN-002"


def test_of_an_empty_root_nothing_is_made(lake):
    assert recover(lake.root, "shop").tables == {"meta.runs": 0, "meta.steps": 0}
    assert not lake.exists(journal.RUNS)
