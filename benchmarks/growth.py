"""The flights pipeline up to gold on 1, 4 and 16 times the data, and a run on each over which nothing has changed.

The copies are shifted in time by whole years, flights and weather alike, so that tables grow as they
would with the years: more drops, more days, the same airports and aircraft.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.memory import Watch
from benchmarks.overhead import STEPS
from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table, Target

TIMES = (1, 4, 16)
YEAR = 2013
AGAIN = 3
# A machine's own noise between two runs of the same work.
NOISE = 1.10


@dataclass(frozen=True)
class Grown:
    """A run on `times` the data: rows of bronze.flights, seconds, memory in MiB, seconds of a run without news."""

    times: int
    rows: int
    seconds: float
    python_mib: float
    jvm_mib: float
    nothing_new_s: float

    @property
    def a_million(self) -> float:
        """Seconds a million flights."""
        return self.seconds / self.rows * 1e6


def measure() -> Result:
    """Run all sizes; ``LAKELOOM_TIMES`` gives others, such as ``1,2``."""
    times = [int(text) for text in os.environ.get("LAKELOOM_TIMES", "").split(",") if text] or TIMES
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run([sys.executable, "conf/flights/landing.py", "--to", str(folder / "landing")], folder)
        return result([_grown(folder, number) for number in times])


def result(found: Sequence[Grown]) -> Result:
    """Return the page's facts, the smallest size first."""
    first, last = found[0], found[-1]
    figures = {f"{name}_{each.times}x": value for each in found for name, value in _figures(each).items()}
    ratios = {
        "a_million": last.a_million / first.a_million,
        "nothing_new": last.nothing_new_s / first.nothing_new_s,
        "python_memory": last.python_mib / first.python_mib,
        "jvm_memory": last.jvm_mib / first.jvm_mib,
    }
    figures |= {f"{name}_growth": round(value, 3) for name, value in ratios.items()}
    at = f"{last.times}x over {first.times}x"
    rows = tuple(
        (f"{e.times}x", f"{e.rows:,}", f"{e.seconds:.1f}", f"{e.a_million:.1f}", f"{e.nothing_new_s:.2f}",
         f"{e.python_mib:.0f}", f"{e.jvm_mib:.0f}")
        for e in found
    )  # fmt: skip
    return Result(
        "growth",
        "Growth",
        figures,
        (
            Target("a_million_growth", NOISE, label=f"seconds a million flights, {at}"),
            Target("nothing_new_growth", NOISE, label=f"seconds of a run with nothing new, {at}"),
            Target("python_memory_growth", NOISE, label=f"the driver's Python, its memory, {at}"),
        ),
        tables=(
            Table(
                "Up to gold on ever more flights",
                ("data", "flights", "seconds", "seconds a million", "nothing new, seconds", "Python MiB", "JVM MiB"),
                rows,
            ),
        ),
        notes=(
            "The same steps as the overhead bench, each size from an empty storage root; the copies are years. The "
            f"run with nothing new is the median of {AGAIN}, and every step of it is skipped, which is asserted. "
            "Memory is the largest resident size seen; on one machine the JVM is driver and executors at once and "
            "takes garbage up to its limit of 3 GiB before it collects, so only the Python process has a target.",
        ),
    )


def shifted(content: bytes, years: int) -> bytes:
    """Return a drop of flights (CSV) or weather (JSON lines) with its years later by `years`."""
    year = str(YEAR).encode()
    later = str(YEAR + years).encode()
    content = re.sub(rb"^" + year + rb",", later + b",", content, flags=re.MULTILINE)
    content = content.replace(b'"year": ' + year, b'"year": ' + later)
    return re.sub(rb'([,"])' + year + rb"(-\d\d-\d\dT)", rb"\g<1>" + later + rb"\g<2>", content)


def lay_out(base: Path, to: Path, times: int) -> None:
    """Copy the landing folder `base` to `to`, with `times` years of flights and weather."""
    shutil.copytree(base, to)
    for years in range(1, times):
        for drop in (base / "flights").glob("*.csv.gz"):
            name = drop.name.replace(str(YEAR), str(YEAR + years))
            (to / "flights" / name).write_bytes(gzip.compress(shifted(gzip.decompress(drop.read_bytes()), years), 1))
        for drop in (base / "weather").glob("*.jsonl"):
            name = drop.name.replace(str(YEAR), str(YEAR + years))
            (to / "weather" / name).write_bytes(shifted(drop.read_bytes(), years))


def _grown(folder: Path, times: int) -> Grown:
    landing, root = folder / f"landing-{times}", folder / f"root-{times}"
    lay_out(folder / "landing", landing, times)
    place = {"LAKELOOM_HOME": str(root), "LAKELOOM_LANDING": str(landing)}
    words = [str(LAKELOOM), "run", *STEPS, "--conf", "flights", "--json"]
    with Watch() as memory:
        ran = run(words, folder, place)
    steps = {step["name"]: step for step in json.loads(ran.output)["steps"]}
    seconds = []
    for _ in range(AGAIN):
        again = run(words, folder, place)
        seconds.append(again.seconds)
        busy = [step["name"] for step in json.loads(again.output)["steps"] if step["status"] != "skipped"]
        if busy:
            raise RuntimeError(f"nothing has changed, and these ran: {busy}")
    shutil.rmtree(root)
    shutil.rmtree(landing)
    rows = int(steps["bronze.flights"]["rows_out"])
    return Grown(times, rows, ran.seconds, memory.python_mib, memory.jvm_mib, median(seconds))


def _figures(each: Grown) -> dict[str, float]:
    return {
        "rows": float(each.rows),
        "wall_s": round(each.seconds, 1),
        "a_million_s": round(each.a_million, 1),
        "nothing_new_s": round(each.nothing_new_s, 2),
        "python_mib": round(each.python_mib),
        "jvm_mib": round(each.jvm_mib),
    }
