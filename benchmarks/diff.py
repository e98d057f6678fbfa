"""What comparing two versions takes as the change grows, against comparing all of their rows by the same engine.

One table of ten million rows in a hundred files, written without a JVM; each case rewrites the files that
hold its changes, so that the two versions share the others. The two sides take turns, each in a process of
its own, so that the most memory that each held can be told.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.result import Result, Table, Target

ROWS, FILES, ROUNDS = 10_000_000, 100, 3
CHANGED = (1, 10, 50)
TABLE = "silver.orders"


def measure() -> Result:
    """Measure; ``LAKELOOM_ROWS`` and ``LAKELOOM_ROUNDS`` say how much and how often."""
    rows, rounds = (int(os.environ.get(f"LAKELOOM_{n}", v)) for n, v in (("ROWS", ROWS), ("ROUNDS", ROUNDS)))
    with tempfile.TemporaryDirectory() as place:
        versions = lay_out(Path(place), rows)
        found = {files: _turns(place, versions[files], rounds) for files in CHANGED}
    return result(found, rows)


def lay_out(root: Path, rows: int) -> dict[int, tuple[int, int]]:
    """Write the table, and for each case a version with a tenth of the rows of so many files changed."""
    import numpy as np
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    from lakeloom.store.lake import Lake

    path, each = Lake(root).path(TABLE), rows // FILES
    draw = np.random.default_rng(7)
    for file in range(FILES):
        ids = np.arange(file * each, (file + 1) * each)
        data = pa.table(
            {"id": ids, "customer": draw.integers(0, rows // 10, each), "amount": draw.random(each) * 100,
             "day": draw.integers(0, 365, each).astype("int32"), "status": draw.choice(["open", "paid", "gone"], each)}
        )  # fmt: skip
        write_deltalake(path, data, mode="append")
    found = {}
    for files in CHANGED:
        table = DeltaTable(path)
        before = table.version()
        table.update(predicate=f"id < {files * each} AND id % 10 = 0", updates={"amount": "amount + 1"})
        found[files] = (before, DeltaTable(path).version())
    return found


def ours(root: str, before: int, after: int) -> dict[str, int]:
    """Compare two versions as ``lakeloom diff`` does; return what it counted."""
    from lakeloom.core.names import TableName
    from lakeloom.flow.compare import compare
    from lakeloom.store.between import Place
    from lakeloom.store.lake import Lake

    def no_spark() -> None:
        raise AssertionError("no JVM is started")

    lake, table = Lake(Path(root)), TableName.parse(TABLE)
    found = compare(Place(lake, table, before), Place(lake, table, after), ("id",), spark=no_spark)  # type: ignore[arg-type]  # never called
    return {"added": found.added, "removed": found.removed, "changed": int(found.changed or 0)}


def whole(root: str, before: int, after: int) -> dict[str, int]:
    """Join all rows of both versions by their key, by the same engine, and count."""
    from deltalake import QueryBuilder

    from lakeloom.store.lake import Lake

    lake = Lake(Path(root))
    engine = QueryBuilder().register("o", lake.delta(TABLE, before)).register("n", lake.delta(TABLE, after))
    values = ("customer", "amount", "day", "status")
    differs = " OR ".join(f"(o.{name} IS DISTINCT FROM n.{name})" for name in values)
    counted = [f"CASE WHEN {condition} THEN 1 ELSE 0 END" for condition in ("o.id IS NULL", "n.id IS NULL")]
    counted.append(f"CASE WHEN o.id IS NOT NULL AND n.id IS NOT NULL AND ({differs}) THEN 1 ELSE 0 END")
    told = ", ".join(f"sum({each})" for each in counted)
    found = engine.execute(f"SELECT {told} FROM o FULL OUTER JOIN n ON o.id = n.id").read_all()
    return {name: int(found.column(i).to_pylist()[0]) for i, name in enumerate(("added", "removed", "changed"))}


SIDES = {"ours": ours, "whole": whole}
Turn = dict[str, float]


def _turns(root: str, versions: tuple[int, int], rounds: int) -> dict[str, list[Turn]]:
    found: dict[str, list[Turn]] = {name: [] for name in SIDES}
    for _ in range(rounds):
        for name in SIDES:
            words = [sys.executable, "-m", "benchmarks.diff", name, root, *map(str, versions)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
    told = {(turn["added"], turn["removed"], turn["changed"]) for turns in found.values() for turn in turns}
    if len(told) != 1:
        raise RuntimeError(f"the two sides don't agree: {sorted(told)}")
    return found


def result(found: dict[int, dict[str, list[Turn]]], rows: int) -> Result:
    """Return the page's facts: changed files → side → its turns."""
    figures: dict[str, float] = {"rows": float(rows), "files": float(FILES)}
    comparisons, lines = {}, []
    for files, sides in found.items():
        seconds = {name: median(turn["seconds"] for turn in turns) for name, turns in sides.items()}
        memory = {name: max(turn["mib"] for turn in turns) for name, turns in sides.items()}
        ratio = median(w["seconds"] / o["seconds"] for o, w in zip(sides["ours"], sides["whole"], strict=True))
        figures |= {f"of_{files}_files_{name}_s": round(value, 3) for name, value in seconds.items()}
        comparisons[f"vs_whole_{files}_files"] = round(ratio, 2)
        changed = int(sides["ours"][0]["changed"])
        lines.append(
            (files, f"{changed:,}", f"{seconds['ours']:.2f}", f"{memory['ours']:,.0f}", f"{seconds['whole']:.2f}",
             f"{memory['whole']:,.0f}", f"{ratio:.1f}")
        )  # fmt: skip
    first, last = CHANGED[0], CHANGED[-1]
    figures["last_over_first"] = round(figures[f"of_{last}_files_ours_s"] / figures[f"of_{first}_files_ours_s"], 2)
    return Result(
        "diff",
        "Comparing two versions of a large table",
        figures,
        (Target(f"of_{first}_files_ours_s", 1.0, label="seconds for one changed file of a hundred"),),
        comparisons,
        (
            Table(
                f"{rows:,} rows in {FILES} files",
                ("changed files", "changed rows", "ours, s", "MiB", "all rows, s", "MiB", "times faster"),
                tuple(lines),
            ),
        ),
        (
            "Both sides are deltalake's engine without a JVM, in a process of its own each turn; seconds are without "
            "its start. Ours tells added, removed and changed rows, the columns that changed and the spread of their "
            "values; the other side joins all rows by key and counts only.",
        ),
    )


def _main(side: str, root: str, before: str, after: str) -> None:
    import deltalake  # noqa: F401 - imported before the clock starts

    begun = time.perf_counter()
    found = SIDES[side](root, int(before), int(after))
    seconds = time.perf_counter() - begun
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found | {"seconds": seconds, "mib": mib}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
