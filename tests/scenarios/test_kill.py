"""SIGKILL at random moments of the flights project over a sample month: nothing lost, nothing doubled.

The run and all its children die at once, again and again on one storage root; then it is let
finish. Every table must equal that of a run which nobody disturbed, columns of the run aside.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lakeloom.store import refs
from lakeloom.store.lake import Lake

HOME = Path(__file__).resolve().parents[2]
RUN_COLUMNS = {"_ingested_at", "_run", "run", "at"}
SELECTED = ["+gold.*", "features.*"]
SEED = 20130101


def command():
    return [sys.executable, "-m", "lakeloom.cli", "run", *SELECTED, "--conf", str(HOME / "conf" / "flights"), "--json"]


def environment(root, landing):
    return os.environ | {
        "LAKELOOM_HOME": str(root),
        "LAKELOOM_LANDING": str(landing),
        "PYTHONPATH": str(HOME / "lib"),
    }


def run_to_the_end(root, landing):
    done = subprocess.run(command(), env=environment(root, landing), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    return json.loads(done.stdout)


def kill_somewhere(root, landing, chance):
    """Start a run and kill its whole process group at a random moment after it has begun its work."""
    process = subprocess.Popen(
        command(),
        env=environment(root, landing),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    intents = root / "intents"
    before = count(intents)
    begun = time.monotonic()
    wanted = chance.randint(1, 6)
    pause = chance.uniform(0.0, 1.5)
    while process.poll() is None and count(intents) < before + wanted and time.monotonic() - begun < 120:
        time.sleep(0.02)
    moment = time.monotonic() + pause
    while process.poll() is None and time.monotonic() < moment:
        time.sleep(0.01)
    killed = process.poll() is None
    if killed:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    return killed


def count(folder):
    return sum(1 for _ in folder.rglob("*.json")) if folder.is_dir() else 0


def content(root):
    """Return a hash of every published table's rows, without the columns of the run."""
    lake, found = Lake(root), {}
    for table, version in refs.good(lake).items():
        if table.partition(".")[0] in ("models", "tuning"):
            continue
        rows = lake.arrow(table, version).to_pylist()
        lines = sorted(
            json.dumps(
                {name: value for name, value in row.items() if name not in RUN_COLUMNS}, default=str, sort_keys=True
            )
            for row in rows
        )
        found[table] = (len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest())
    return found


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("landing") / "landing"
    subprocess.run(
        [sys.executable, str(HOME / "conf" / "flights" / "landing.py"), "--months", "1", "--to", str(folder)],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def undisturbed(landing, tmp_path_factory):
    root = tmp_path_factory.mktemp("undisturbed")
    run_to_the_end(root, landing)
    return content(root)


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.long)])
def test_killed_again_and_again_the_tables_are_those_of_an_undisturbed_run(kills, landing, undisturbed, tmp_path):
    chance = random.Random(SEED + kills)
    killed = 0
    for _ in range(3 * kills):
        if killed == kills:
            break
        killed += kill_somewhere(tmp_path, landing, chance)
        if killed < kills and not kill_leaves_work(tmp_path):
            for folder in ("tables", "intents", "runs"):
                subprocess.run(["rm", "-rf", str(tmp_path / folder)], check=True)
    run_to_the_end(tmp_path, landing)
    assert killed == kills
    found = content(tmp_path)
    assert found == undisturbed
    assert sum(rows for rows, _ in found.values()) > 30_000


def kill_leaves_work(root):
    """Return whether some intent has not published yet; a run that is all done can't be disturbed further."""
    wanted = {path for path in (root / "intents").rglob("*.json") if ".done" not in path.name}
    return any(not path.with_suffix(".done.json").exists() for path in wanted) or len(wanted) < 10


def test_the_comparison_can_fail(undisturbed):
    table = next(iter(undisturbed))
    rows, found = undisturbed[table]
    assert undisturbed != undisturbed | {table: (rows + 1, found)}
