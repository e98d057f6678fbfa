"""Killing a run of the flights project at chosen moments, and comparing what it leaves behind."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections import Counter

from lakeloom.store import refs
from lakeloom.store.intents import Intents
from lakeloom.store.lake import Lake

RUN_COLUMNS = {"_ingested_at", "_run", "run", "at"}
SELECTED = ["+datasets.late", "+silver.planes"]
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


def lines(root):
    """Return the rows of every published table as counted lines of JSON, without the columns of the run."""
    lake, found = Lake(root), {}
    for table, version in refs.good(lake).items():
        if table.startswith(("models.", "tuning.")):
            continue
        found[table] = Counter(
            json.dumps(
                {name: value for name, value in row.items() if name not in RUN_COLUMNS}, default=str, sort_keys=True
            )
            for row in lake.arrow(table, version).to_pylist()
        )
    return found


def content(root):
    """Return how many rows every published table has, and a hash of them."""
    return {
        table: (rows.total(), hashlib.sha256("\n".join(sorted(rows.elements())).encode()).hexdigest())
        for table, rows in lines(root).items()
    }


def assert_no_row_is_quarantined_twice(root):
    lake = Lake(root)
    for table in (name for name in lake.tables() if name.layer == "quarantine"):
        rows = [(str(row["position"]), row["raw"], row["row"], row["file"]) for row in lake.arrow(table).to_pylist()]
        assert len(rows) == len(set(rows)), f"{table} holds a row twice"
