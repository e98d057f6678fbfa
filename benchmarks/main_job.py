"""The main job from an empty storage root, as a user starts it, with where its seconds go."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table, Target

BUDGET_S = 300.0
KINDS = {
    "land": "land the sources",
    "transform": "silver and gold tables",
    "materialise": "feature views, dataset, scores",
    "tune": "tuning, 16 trials",
    "train": "training, evaluation, registry",
}


@dataclass(frozen=True)
class Span:
    """A step of a run: seconds from the run's first event to its start and its end."""

    name: str
    kind: str
    start: float
    end: float
    rows: int


def measure() -> Result:
    """Run the landing script and ``lakeloom run --json`` on an empty storage root."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        started = time.perf_counter()
        run([sys.executable, "conf/flights/landing.py"], Path(folder))
        landing = time.perf_counter() - started
        before = time.time()
        ran = run([str(LAKELOOM), "run", "--json", "--conf", "flights"], Path(folder), {"LAKELOOM_HOME": str(root)})
        after = time.time()
        *stray, document = ran.output.splitlines()
        if stray:
            print(f"before the JSON document, standard output has: {stray[:3]}", file=sys.stderr)
        status = json.loads(document)["status"]
        log = next((root / "runs").glob("*/log.jsonl"))
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    if status != "done":
        raise RuntimeError(f"the main job ended {status}")
    first, last = (_seconds(lines[place]) for place in (0, -1))
    return result(lines, ran.seconds + landing, landing, max(0.0, first - before), max(0.0, after - last))


def result(lines: Sequence[dict[str, Any]], wall: float, landing: float, before: float, after: float) -> Result:
    """Return the page's facts: `wall` is all of it, `before` and `after` lie outside the run's log."""
    steps = spans(lines)
    total = _seconds(lines[-1]) - _seconds(lines[0])
    rows = [("landing files laid out", "", landing), ("Python's start, config, plan", "", before)]
    for kind, what in KINDS.items():
        own = [step for step in steps if step.kind == kind]
        rows.append((f"{what}, together", f"{len(own)} steps", covered(own)))
    rows.append(("of the run, no step at work", "", total - covered(steps)))
    rows.append(("after the last step: report, end", "", after))
    slow = sorted(steps, key=lambda step: step.start - step.end)[:10]
    return Result(
        "main_job",
        "The main job",
        {
            "wall_s": round(wall, 1),
            "run_s": round(total, 1),
            "landing_s": round(landing, 1),
            "before_s": round(before, 1),
            "after_s": round(after, 1),
            "first_step_s": round(min(step.end for step in steps), 1),
        }
        | {f"{kind}_s": round(covered([step for step in steps if step.kind == kind]), 1) for kind in KINDS},
        (Target("wall_s", BUDGET_S, label="from an empty storage root to scores and report"),),
        tables=(
            Table(
                "Where the seconds go",
                ("what", "", "wall seconds"),
                tuple((what, count, f"{seconds:.1f}") for what, count, seconds in rows),
            ),
            Table(
                "The ten longest steps",
                ("step", "starts at", "seconds", "rows written"),
                tuple((f"`{s.name}`", f"{s.start:.1f}", f"{s.end - s.start:.1f}", f"{s.rows:,}") for s in slow),
            ),
        ),
        notes=(
            "From an empty storage root, after set-up, as `make demo` does it. Two steps run side by side, and steps "
            "of different kinds overlap, so the kinds' seconds (each the time in which at least one of its steps was "
            "at work) add up to more than the whole. The first step ends after "
            f"{min(step.end for step in steps):.0f} s: Spark's start and the first use of everything lie in it "
            "(`make bench NAME=start` measures them alone). The steps worked "
            f"{sum(step.end - step.start for step in steps):.0f} s in sum. The load was {os.getloadavg()[1]:.1f} over "
            "the last five minutes.",
        ),
    )


def spans(lines: Iterable[dict[str, Any]]) -> list[Span]:
    """Return the steps that were done, in the order of their ends, from a run's log."""
    found, starts, zero = [], {}, None
    for line in lines:
        now = _seconds(line)
        zero = now if zero is None else zero
        if line["event"] == "step started":
            starts[line["step"]] = now - zero
        elif line["event"] == "step done":
            start = starts.get(line["name"], now - zero - line["seconds"])
            found.append(Span(line["name"], line["kind"], start, now - zero, line["rows_out"]))
    return found


def covered(steps: Iterable[Span]) -> float:
    """Return the seconds in which at least one of the steps was at work."""
    total, reached = 0.0, 0.0
    for step in sorted(steps, key=lambda each: each.start):
        total += max(0.0, step.end - max(step.start, reached))
        reached = max(reached, step.end)
    return total


def _seconds(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["at"]).timestamp()
