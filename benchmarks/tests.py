"""How long `make test` takes after set-up, and how many tests it has."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from benchmarks.process import run
from benchmarks.result import Result, Table, Target

BUDGET_S = 20 * 60.0
_LINE = re.compile(r"=+ (?P<counts>.*?) in (?P<seconds>[\d.]+)s")
_SLOW = re.compile(r"^(?P<seconds>[\d.]+)s (?P<part>call|setup|teardown) +(?P<test>\S+)", re.MULTILINE)


def measure() -> Result:
    """Run the tests that `make test` runs."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "pytest", "-m", "not long", "--durations=10", "-p", "no:cacheprovider"]
        return result(run(words, Path(folder)).output)


def result(said: str) -> Result:
    """Return the page's facts from what pytest has said; a test that failed has ended the bench before."""
    closing = _LINE.search(said.splitlines()[-1])
    if closing is None:
        raise RuntimeError("pytest's closing line is missing")
    passed = int(re.search(r"(\d+) passed", closing["counts"]).group(1))  # type: ignore[union-attr]  # pytest's own
    seconds = float(closing["seconds"])
    slow = [(f"`{found['test']}`", found["part"], f"{float(found['seconds']):.1f}") for found in _SLOW.finditer(said)]
    return Result(
        "tests",
        "The tests",
        {"wall_s": round(seconds, 1), "passed": float(passed)},
        (Target("wall_s", BUDGET_S, label="`make test` after set-up"),),
        tables=(Table("The slowest", ("test", "part", "seconds"), tuple(slow)),),
        notes=(f"{closing['counts']}: without the long ones, which `make test-all` adds.",),
    )
