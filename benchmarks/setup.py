"""Set-up as a newcomer meets it: a clean clone of the commit, an empty home; then once more with nothing to do."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.result import Result, Table, Target

CHECKOUT = Path(__file__).resolve().parents[1]
TARGETS = (
    Target("first_s", 600.0, label="the first set-up, from an empty home"),
    Target("second_s", 3.0, label="the second set-up, with nothing to do"),
)
# What would lead a set-up to the caches and environments of who measures.
FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "SPARK_HOME", "XDG_CACHE_HOME", "UV_CACHE_DIR")


def measure() -> Result:
    """Set a clean clone up twice and time both; raises RuntimeError where a set-up fails."""
    with tempfile.TemporaryDirectory() as folder:
        clone, home = Path(folder) / "clone", Path(folder) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(clone)], check=True)
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN} | {"HOME": str(home)}
        first, told = _set_up(clone, environment)
        second, _ = _set_up(clone, environment)
    return Result(
        "setup",
        "Set-up",
        {"first_s": round(first, 1), "second_s": round(second, 2)},
        TARGETS,
        tables=(Table("Where the first one's seconds go", ("stage", "took"), stages(told)),),
        notes=("Packages come from the registry, Horovod is compiled, the jars are fetched, the archive is made.",),
    )


def stages(told: str) -> tuple[tuple[str, str], ...]:
    """Return each stage and what it took, from the lines that the set-up prints."""
    lines = (line.partition("] ")[2] for line in told.splitlines())
    done = (line.partition(": done in ") for line in lines if ": done in " in line)
    return tuple((stage, took) for stage, _, took in done)


def _set_up(clone: Path, environment: dict[str, str]) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(["make", "setup"], cwd=clone, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"make setup failed: {(done.stderr or done.stdout)[-400:]}")
    return time.perf_counter() - started, done.stdout + done.stderr
