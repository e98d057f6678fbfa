"""What a branch of fifty tables takes and costs, against a copy of the same tables."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.result import Result, Table, Target

TABLES, VERSIONS, ROWS, ROUNDS = 50, 40, 5_000, 5


def measure() -> Result:
    """Measure; ``LAKELOOM_TABLES`` and ``LAKELOOM_ROUNDS`` say how much and how often."""
    tables, rounds = (int(os.environ.get(f"LAKELOOM_{n}", v)) for n, v in (("TABLES", TABLES), ("ROUNDS", ROUNDS)))
    with tempfile.TemporaryDirectory() as place:
        lay_out(Path(place), tables, VERSIONS, ROWS)
        return result(rounds_of(Path(place), rounds), tables, size_of(Path(place) / "tables"))


def lay_out(root: Path, tables: int, versions: int, rows: int) -> None:
    """Write tables of so many versions, with the intents of the executions that made them, and publish them."""
    import numpy as np
    import pyarrow as pa
    from deltalake import write_deltalake

    from lakeloom.store import refs
    from lakeloom.store.intents import Intent, Intents
    from lakeloom.store.lake import Lake

    lake, intents, at = Lake(root), Intents(root), datetime.now(UTC)
    draw = np.random.default_rng(7)
    for number in range(tables):
        name = f"silver.t{number}"
        for epoch in range(1, versions + 1):
            data = pa.table({"id": np.arange(rows) + epoch * rows, "value": draw.random(rows)})
            write_deltalake(lake.path(name), data, mode="append")
            intent = Intent(name, epoch, f"r{epoch}", at.isoformat(), 7, "code")
            intents.begin(intent)
            intents.finish(intent, {"versions": {name: epoch - 1}, "version": epoch - 1})
        refs.publish(lake, {name: versions - 1}, step=name, epoch=versions, run="r", at=at)


def rounds_of(root: Path, rounds: int) -> dict[str, list[float]]:
    """Make and delete a branch and a copy in turns; return the seconds of each, and the bytes that they add."""
    from lakeloom.store import branches
    from lakeloom.store.lake import Lake

    found: dict[str, list[float]] = {"branch_s": [], "drop_s": [], "copy_s": [], "branch_bytes": [], "copy_bytes": []}
    for number in range(rounds):
        name, at = f"b{number}", datetime.now(UTC)
        begun = time.perf_counter()
        branches.make(Lake(root), name, who="bench", at=at)
        found["branch_s"].append(time.perf_counter() - begun)
        found["branch_bytes"].append(float(size_of(branches.place(root, name), own=True)))
        begun = time.perf_counter()
        branches.drop(root, name)
        found["drop_s"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        shutil.copytree(root / "tables", root / "copy" / "tables")
        shutil.copytree(root / "intents", root / "copy" / "intents")
        found["copy_s"].append(time.perf_counter() - begun)
        found["copy_bytes"].append(float(size_of(root / "copy", own=True)))
        shutil.rmtree(root / "copy")
    return found


def size_of(folder: Path, *, own: bool = False) -> int:
    """Return the bytes of a folder's files; of those alone that have no other name, where that is asked for."""
    facts = [file.stat() for file in folder.rglob("*") if file.is_file()]
    return sum(each.st_size for each in facts if not own or each.st_nlink == 1)


def result(found: dict[str, list[float]], tables: int, size: int) -> Result:
    """Return the page's facts."""
    middle = {name: median(values) for name, values in found.items()}
    figures = {name: round(value, 3) for name, value in middle.items()} | {"tables": float(tables)}
    figures["branch_share_of_bytes"] = round(middle["branch_bytes"] / size, 4)
    ratio = median(copy / branch for copy, branch in zip(found["copy_s"], found["branch_s"], strict=True))
    rows = (
        ("branch", f"{middle['branch_s']:.2f}", f"{middle['branch_bytes'] / 2**20:.1f}"),
        ("copy of tables and intents", f"{middle['copy_s']:.2f}", f"{middle['copy_bytes'] / 2**20:.1f}"),
        ("deleting the branch", f"{middle['drop_s']:.2f}", ""),
    )
    return Result(
        "branches",
        "A branch of fifty tables",
        figures,
        (Target("branch_s", 10.0, label="seconds for a branch of all tables"),),
        {"vs_copy": round(ratio, 2)},
        (Table(f"{tables} tables of {VERSIONS} versions, {size / 2**20:,.0f} MiB", ("what", "s", "MiB added"), rows),),
        ("In turns, in one process; the files were just written, so that the copy reads them from memory.",),
    )
