"""What a row costs in a table of one million rows and in one of thirty: landed, cleaned, judged, written, added up.

Each size is a run of its own on an empty storage root, its start included, with files of the same size.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engine import DAYS, HERE, orders
from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table, Target

MILLIONS = (1, 3, 10, 30)
FILE = 125_000
FLAT = 1.1


@dataclass(frozen=True)
class Cost:
    """Seconds of a run over so many rows, and those of its steps."""

    rows: int
    seconds: float
    steps_s: float

    @property
    def a_million_s(self) -> float:
        """Return the seconds of a million rows."""
        return self.seconds / self.rows * 1_000_000


def measure() -> Result:
    """Run each size; ``LAKELOOM_MILLIONS`` names others, such as ``1,10``."""
    sizes = [int(size) for size in os.environ.get("LAKELOOM_MILLIONS", ",".join(map(str, MILLIONS))).split(",")]
    with tempfile.TemporaryDirectory() as place:
        return result([_cost(Path(place), size * 1_000_000) for size in sizes])


def lay_out(landing: Path, rows: int) -> None:
    """Write the orders of one day, in files of as many rows at any size."""
    from pyarrow import csv

    landing.mkdir(parents=True)
    for first in range(0, rows, FILE):
        csv.write_csv(orders(range(first, min(first + FILE, rows)), 0), landing / f"orders-{first:010d}.csv")


def _cost(folder: Path, rows: int) -> Cost:
    place = folder / str(rows)
    lay_out(place / "landing" / DAYS[0], rows)
    env = {"LAKELOOM_HOME": str(place / "root"), "LAKELOOM_LANDING": str(place / "landing")}
    ran = run([str(LAKELOOM), "run", "--json", "--conf", str(HERE / "orders" / "conf")], folder, env)
    document = json.loads(ran.output)
    landed = next(step["rows_out"] for step in document["steps"] if step["name"] == "bronze.orders")
    if document["status"] != "done" or landed != rows:
        raise RuntimeError(f"the run ended {document['status']} with {landed} of {rows} rows")
    shutil.rmtree(place)
    return Cost(rows, ran.seconds, sum(step["seconds"] for step in document["steps"]))


def result(costs: Sequence[Cost]) -> Result:
    """Return the page's facts, smallest size first."""
    few, many = costs[0], costs[-1]
    figures = {f"million_{cost.rows // 1_000_000}_s": round(cost.seconds, 2) for cost in costs}
    figures |= {f"a_million_of_{cost.rows // 1_000_000}_s": round(cost.a_million_s, 2) for cost in costs}
    figures["growth"] = round(many.a_million_s / few.a_million_s, 3)
    lines = tuple(
        (f"{cost.rows:,}", f"{cost.seconds:.1f}", f"{cost.steps_s:.1f}", f"{cost.a_million_s:.2f}") for cost in costs
    )
    return Result(
        "rows",
        "What a row costs",
        figures,
        (Target("growth", FLAT, label=f"seconds a million rows at {many.rows:,} over {few.rows:,}"),),
        tables=(Table("By size", ("rows", "seconds", "of them in steps", "seconds a million"), lines),),
        notes=(
            f"Orders in CSV files of {FILE:,} rows into bronze, then silver with ten rules, then an aggregate in gold, "
            "from an empty storage root, process and JVM started for each.",
        ),
    )
