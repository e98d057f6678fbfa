"""The data path beside the newest Spark: its tests pass with the newest pyspark, pyarrow, numpy and pandas that fit."""

import json
import shutil
import subprocess

import pytest

from tests.environment.wheels import CHECKOUT, bare, build, environment

# What needs neither torch nor MLflow.
ROOMS = (
    "core",
    "config",
    "project",
    "session",
    "store",
    "tables",
    "sources",
    "quality",
    "features",
    "datasets",
    "flow",
)
# These need an extra, or speak of the checkout's own environment.
WITHOUT = (
    "core/test_extras.py",
    "project/test_extras.py",
    "project/exports",
    "flow/test_model.py",
    "session/test_jars.py",
    "store/test_readers.py",
)
TOOLS = ("pytest", "pytest-timeout", "hypothesis")
VERSIONS = "import json, pyspark, pyarrow, numpy, pandas; print(json.dumps([m.__version__ for m in (pyspark, pyarrow, numpy, pandas)]))"  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(5400)
@pytest.mark.parametrize(("line", "rooms"), [("4.1", ("store", "tables", "flow")), ("4.2", ROOMS)])
def test_the_data_path(tmp_path, line, rooms):
    python = environment(tmp_path / "venv", build(tmp_path), f"pyspark=={line}.*", *TOOLS)
    found = json.loads(subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True).stdout)
    assert found[0].startswith(line)
    assert int(found[1].partition(".")[0]) > 14 and int(found[2].partition(".")[0]) >= 2
    jars = tmp_path / "jars"
    fetch = "import sys; from lakeloom.session.jars import *; print(supplied(jars_home()))"
    home = subprocess.run([python, "-c", fetch], env=bare(), capture_output=True, text=True, check=True).stdout.strip()
    shutil.copytree(home, jars)
    shutil.copytree(CHECKOUT / "environment" / "jars" / "test", jars / "test")
    left_out = [f"--ignore={CHECKOUT / 'tests' / file}" for file in WITHOUT]
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-m", "not long", "-p", "no:cacheprovider", *left_out, *(f"tests/{r}" for r in rooms)],
        cwd=CHECKOUT, env=bare(LAKELOOM_JARS=str(jars)), capture_output=True, text=True, timeout=3000, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and " skipped" not in done.stdout.splitlines()[-1]
