"""Spark's start to the first Delta write and the first merge, with and without the class-data archive.

Pairs of fresh processes, in turns, so that a machine that slows down slows both.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.process import run
from benchmarks.result import Result, Table
from lakeloom.session.settings import ARCHIVE, jars_home

PAIRS = 3
PHASES = {"session": "session", "write": "first Delta write", "merge": "first merge", "wall": "the whole process"}


def measure() -> Result:
    """Start Spark `PAIRS` times with the archive and as often without it."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "jars"
        bare.mkdir()
        for jar in jars_home().glob("*.jar"):
            (bare / jar.name).symlink_to(jar)
        if not (jars_home() / ARCHIVE).exists():
            raise RuntimeError("there is no class-data archive: run 'make setup' first")
        found: dict[str, list[dict[str, float]]] = {"with": [], "without": []}
        for pair in range(PAIRS):
            for name, home in (("with", jars_home()), ("without", bare)):
                work = Path(folder) / f"{name}-{pair}"
                work.mkdir()
                arguments = [sys.executable, "-m", "benchmarks.start_once", str(work)]
                ran = run(arguments, Path(folder), {"LAKELOOM_JARS": str(home)})
                found[name].append(json.loads(ran.output.splitlines()[-1]) | {"wall": ran.seconds})
    figures = {
        f"{phase}_{name}_archive_s": round(median(each[phase] for each in runs), 2)
        for name, runs in found.items()
        for phase in PHASES
    }
    rows = tuple(
        (what, figures[f"{phase}_with_archive_s"], figures[f"{phase}_without_archive_s"])
        for phase, what in PHASES.items()
    )
    ratio = median(
        bare["wall"] / archived["wall"] for archived, bare in zip(found["with"], found["without"], strict=True)
    )
    return Result(
        "start",
        "Spark's start",
        figures,
        comparisons={"without_vs_with_archive": round(ratio, 3)},
        tables=(Table(f"Median seconds of {PAIRS} pairs", ("phase", "with the archive", "without it"), rows),),
        notes=(
            f"A process with the archive takes 1/{ratio:.2f} of the time of one without (median of the pairs). Set-up "
            "makes the archive once: the JVM maps its classes instead of reading and checking them anew.",
        ),
    )
