"""A project of one source, a database's table, and what landing it costs in a process of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory import Watch
from benchmarks.process import LAKELOOM, run


@dataclass(frozen=True)
class Cost:
    """Seconds of the landing of so many rows; the largest memory of the driver's Python and of the JVM, in MiB."""

    rows: int
    step_s: float
    python_mib: float
    jvm_mib: float


def lay_out(home: Path, options: Mapping[str, str], jar: Path | None = None) -> None:
    """Write the project; `jar` is the driver's, where the process has none yet."""
    folder = home / "conf" / "trips"
    folder.mkdir(parents=True)
    words = {"kind": "jdbc", "table": "trips", **options}
    (home / "conf" / "base.yml").write_text(
        "project: trips\nroot: .lakeloom\n" + (f"spark: {{spark.jars: {json.dumps(str(jar))}}}\n" if jar else "")
    )
    (folder / "sources.yml").write_text(f"sources:\n  trips: {json.dumps(words)}\n")


def cost(folder: Path, options: Mapping[str, str], jar: Path, rows: int) -> Cost:
    """Land a table of so many rows by the command line, on an empty storage root."""
    home = folder / f"size-{rows}"
    lay_out(home, options, jar)
    with Watch() as memory:
        ran = run([str(LAKELOOM), "run", "--json", "--conf", str(home / "conf" / "trips")], folder)
    (step,) = json.loads(ran.output)["steps"]
    if step["status"] != "done" or step["rows_out"] != rows:
        raise RuntimeError(f"the landing ended {step['status']} with {step['rows_out']} of {rows} rows")
    shutil.rmtree(home)
    return Cost(rows, step["seconds"], memory.python_mib, memory.jvm_mib)
