"""The main job on a standalone cluster of two workers against the same machine without one."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.main_job import KINDS, covered, spans
from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table

SELECTED = ("+models.flight_late",)


def measure() -> Result:
    """Run the main job up to the model once on each, on fresh storage roots."""
    from tests.scenarios.standalone import HOST, Standalone

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run([sys.executable, "conf/flights/landing.py", "--to", str(folder / "landing")], folder)
        local = _once(folder, "local", {})
        with Standalone(folder / "cluster") as cluster:
            spread = _once(folder, "cluster", {"LAKELOOM_MASTER": cluster.master, "SPARK_LOCAL_IP": HOST})
    return result(local, spread)


def result(local: Sequence[Mapping[str, Any]], spread: Sequence[Mapping[str, Any]]) -> Result:
    """Return the page's facts from both runs' logs."""
    seconds: dict[str, tuple[float, float]] = {}
    here, there = spans(local), spans(spread)
    for kind, what in KINDS.items():
        mine = [step for step in here if step.kind == kind]
        theirs = [step for step in there if step.kind == kind]
        if mine:
            seconds[what] = (covered(mine), covered(theirs))
    total = (max(step.end for step in here), max(step.end for step in there))
    figures = {
        "local_s": round(total[0], 1),
        "cluster_s": round(total[1], 1),
        "ratio": round(total[1] / total[0], 3),
        "first_step_local_s": round(min(step.end for step in here), 1),
        "first_step_cluster_s": round(min(step.end for step in there), 1),
    }
    rows = [(f"{what}, together", a, b) for what, (a, b) in seconds.items()] + [("all", *total)]
    slower = sorted(here, key=lambda step: _of(there, step.name) - (step.end - step.start), reverse=True)[:8]
    return Result(
        "cluster",
        "Two workers against one machine",
        figures,
        comparisons={"cluster_vs_local": figures["ratio"]},
        tables=(
            Table(
                "Wall seconds",
                ("what", "one machine", "two workers", "ratio"),
                tuple((what, f"{a:.1f}", f"{b:.1f}", f"{b / a:.2f}") for what, a, b in rows),
            ),
            Table(
                "Where the difference goes: the steps that lose most",
                ("step", "one machine", "two workers"),
                tuple((f"`{s.name}`", f"{s.end - s.start:.1f}", f"{_of(there, s.name):.1f}") for s in slower),
            ),
        ),
        notes=(
            "The main job up to the trained model, once each, on the same two cores: the workers have one core each, "
            "so that nothing can be won, and what is lost is what a cluster costs: two more JVMs that start and "
            "compile, shuffles over the network, Python workers on both sides, Delta's log read by tasks.",
        ),
    )


def _of(steps: Sequence[Any], name: str) -> float:
    return next((step.end - step.start for step in steps if step.name == name), 0.0)


def _once(folder: Path, env: str, more: Mapping[str, str]) -> list[dict[str, Any]]:
    root = folder / f"root-{env}"
    place = {"LAKELOOM_HOME": str(root), "LAKELOOM_LANDING": str(folder / "landing")}
    words = [str(LAKELOOM), "run", *SELECTED, "--conf", "flights", "--env", env, "--json"]
    ran = run(words, folder, os.environ | place | dict(more))
    status = json.loads(ran.output)["status"]
    if status != "done":
        raise RuntimeError(f"the run on {env} ended {status}")
    log = next((root / "runs").glob("*/log.jsonl"))
    return [json.loads(line) for line in log.read_text().splitlines()]
