"""SIGKILL at random moments of the flights project over a sample month: nothing lost, nothing doubled.

The run and all its children die at once, again and again on one storage root; then it is let
finish. Every table must equal that of a run which nobody disturbed, columns of the run aside. A kill
falls where it hurts: a file appears that says which phase a step is in, and a moment later all is over.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lakeloom.store import refs
from lakeloom.store.intents import Intents
from lakeloom.store.lake import Lake

RUN_COLUMNS = {"_ingested_at", "_run", "run", "at"}
SELECTED = ["+datasets.late", "+silver.planes"]
SEED = 20130101
# What has just appeared → which phase that is. The first five come in this order in a run.
MOMENTS = {
    "tables/quarantine/bronze__*/_delta_log/*.json": "between a quarantine's commit and its bronze table's",
    "tables/bronze/*/_delta_log/*.json": "between the commit of bronze and its publication",
    "tables/quarantine/silver__*/_delta_log/*.json": "between a quarantine's commit and its silver table's",
    "tables/gold/*/*.parquet": "while gold is written, before its commit",
    "tables/datasets/*/*.parquet": "while the dataset is written, before its commit",
}
MORE = {
    "intents/*/[0-9]*.json": "after an intent",
    "tables/silver/*/*.parquet": "while silver is written",
    "tables/silver/*/_delta_log/*.json": "between the commit of silver and its publication",
    "tables/features/*/*.parquet": "while a view is written",
    "tables/features/*/_delta_log/*.json": "between the commit of a view and its publication",
    "tables/meta/refs/_delta_log/*.json": "after a publication, before its facts",
}


def seen(root, pattern):
    return set(root.glob(pattern))


def kill_at(flights, root, pattern, pause_s):
    """Start a run and kill its whole process group `pause_s` after a file of `pattern` has appeared."""
    before = seen(root, pattern)
    process = flights.start(root, *SELECTED, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 180
    while process.poll() is None and seen(root, pattern) <= before and time.monotonic() < deadline:
        time.sleep(0.002)
    moment = time.monotonic() + pause_s
    while process.poll() is None and time.monotonic() < moment:
        time.sleep(0.002)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    return alive


def unfinished(root):
    """Return the steps whose newest intent has neither facts nor a clean failure."""
    intents = Intents(root)
    latest = {step: intents.latest(step) for step in intents.steps()}
    return {step for step, record in latest.items() if record is not None and record.crashed}


def content(root):
    """Return rows and a hash of the rows of every published table, without the columns of the run."""
    lake, found = Lake(root), {}
    for table, version in refs.good(lake).items():
        lines = sorted(
            json.dumps(
                {name: value for name, value in row.items() if name not in RUN_COLUMNS}, default=str, sort_keys=True
            )
            for row in lake.arrow(table, version).to_pylist()
        )
        found[table] = (len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest())
    return found


def assert_no_row_is_quarantined_twice(root):
    lake = Lake(root)
    for table in (name for name in lake.tables() if name.layer == "quarantine"):
        rows = [(str(row["position"]), row["raw"], row["file"]) for row in lake.arrow(table).to_pylist()]
        assert len(rows) == len(set(rows)), f"{table} holds a row twice"


@pytest.fixture(scope="module")
def undisturbed(flights, tmp_path_factory):
    root = tmp_path_factory.mktemp("undisturbed")
    flights.finish(root, *SELECTED)
    return content(root)


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.long)])
def test_killed_again_and_again_the_tables_are_those_of_an_undisturbed_run(kills, flights, undisturbed, tmp_path):
    chance = random.Random(SEED + kills)
    root, killed, working = tmp_path / "root", 0, 0
    order = list(MOMENTS)
    while killed < kills:
        pattern = order.pop(0) if order else chance.choice([*MOMENTS, *MORE])
        if kill_at(flights, root, pattern, chance.choice([0.0, chance.uniform(0.0, 0.8)])):
            killed += 1
            working += bool(unfinished(root))
        elif killed < kills:
            shutil.rmtree(root)  # all was done before that moment came: begin anew, the kills go on
    flights.finish(root, *SELECTED)
    assert working >= 0.8 * kills  # the kills fell into steps at work, not between them
    assert content(root) == undisturbed
    assert_no_row_is_quarantined_twice(root)


def test_the_sample_covers_every_layer_and_what_was_broken_is_in_quarantine(undisturbed):
    assert {table.partition(".")[0] for table in undisturbed} == {
        "bronze", "silver", "gold", "features", "datasets", "quarantine",
    }  # fmt: skip
    quarantined = {table: rows for table, (rows, _) in undisturbed.items() if table.startswith("quarantine.")}
    assert quarantined["quarantine.bronze__flights"] == 1
    assert quarantined["quarantine.bronze__weather"] == 1
    assert quarantined["quarantine.silver__weather"] == 1
    assert undisturbed["bronze.flights"][0] == undisturbed["silver.flights"][0] == 27_004
    assert undisturbed["datasets.late"][0] == 27_004


def test_the_comparison_can_fail(undisturbed):
    table = next(iter(undisturbed))
    rows, found = undisturbed[table]
    assert undisturbed != undisturbed | {table: (rows + 1, found)}


def test_the_patterns_are_those_of_the_storage_root(flights, undisturbed, tmp_path_factory):
    roots = list(Path(tmp_path_factory.getbasetemp()).glob("undisturbed*"))
    assert all(any(seen(root, pattern) for root in roots) for pattern in MOMENTS | MORE)
