"""Many small objects into bronze: fetched by the store's own client, against Spark opening each over S3A.

Both are whole programs, Spark's start among their time: ours lists, pins, fetches, compares with the store's checksums,
keeps the bytes, inspects, numbers the records and commits; the script reads and writes. Side by side in one run, in
turns, on versitygw, which keeps objects as files of this machine.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table, Target

OBJECTS, OBJECT_BYTES, ROUNDS = 5_000, 200_000, 3
LEAST = 2.0
_HEADER = "id,at,place,amount,word\n"


def measure() -> Result:
    """Measure; ``LAKELOOM_OBJECTS`` gives another number of objects.

    Raises
    ------
    RuntimeError
        Where there is no Go to build the gateway by, or the sides hold other rows.
    """
    count = int(os.environ.get("LAKELOOM_OBJECTS", OBJECTS))
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "environment")]
    from tests import servers

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with servers.versitygw(folder) as port:
            if port is None:
                raise RuntimeError("there is no Go to build the object store by")
            bucket = servers.S3Bucket("bench", port)
            rows = _filled(bucket, count)
            taken = _taken(folder, bucket, rows)
    return result(count, rows, taken)


def result(count: int, rows: int, taken: dict[str, list[float]]) -> Result:
    """Return the page's facts."""
    ours, s3a = median(taken["ours"]), median(taken["s3a"])
    ratio = round(s3a / ours, 2)
    table = tuple((side, *(f"{each:.1f}" for each in seconds)) for side, seconds in taken.items())
    return Result(
        "small_files",
        "Many small objects",
        {"ours_s": round(ours, 1), "s3a_s": round(s3a, 1), "vs_s3a": ratio},
        (Target("vs_s3a", LEAST, "least", "times faster than Spark's direct read over S3A"),),
        comparisons={"vs_s3a": ratio},
        tables=(Table("Seconds of the whole program", ("side", *(f"round {n + 1}" for n in range(ROUNDS))), table),),
        notes=(f"{count:,} CSV objects of {OBJECT_BYTES / 1000:.0f} kB, {rows:,} rows, into a Delta table on disk.",),
    )


def _filled(bucket: Any, count: int) -> int:
    """Put the objects there; return how many rows they hold."""
    chance = random.Random(7)
    lines = [
        f"{number},2026-01-{number % 28 + 1:02d}T08:00:00Z,place-{number % 97},{chance.random() * 100:.2f},"
        f"{chance.getrandbits(64):016x}\n"
        for number in range(20_000)
    ]
    wanted, rows = [], 0
    for number in range(count):
        at, size, found = number * 31 % len(lines), len(_HEADER), [_HEADER]
        while size < OBJECT_BYTES:
            line = f"{number}-{lines[at]}"
            found.append(line)
            size, at, rows = size + len(line), (at + 1) % len(lines), rows + 1
        wanted.append((f"in/{number % 20:02d}/{number:06d}.csv", "".join(found).encode()))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: bucket.put(*each), wanted))
    return rows


def _taken(folder: Path, bucket: Any, rows: int) -> dict[str, list[float]]:
    stores = folder / "stores.json"
    stores.write_text(json.dumps(bucket.stores))
    source = f"{bucket.root}/in/*/*.csv"
    taken: dict[str, list[float]] = {"ours": [], "s3a": []}
    for turn in range(ROUNDS):
        sides = ("ours", "s3a") if turn % 2 == 0 else ("s3a", "ours")
        for side in sides:
            home = folder / f"{side}-{turn}"
            home.mkdir()
            if side == "ours":
                table, words = home / ".lakeloom" / "tables" / "bronze" / "small", _project(home, bucket, source)
            else:
                table = home / "table"
                words = [sys.executable, "-m", "benchmarks.by_s3a", str(stores), source, str(table)]
            taken[side].append(run(words, home, {"PYTHONPATH": os.pathsep.join(sys.path)}).seconds)
            found = _rows(table)
            if found != rows:
                raise RuntimeError(f"{side} holds {found:,} rows of {rows:,}")
            shutil.rmtree(home)
    return taken


def _project(home: Path, bucket: Any, source: str) -> list[str]:
    conf = home / "conf" / "bench"
    conf.mkdir(parents=True)
    (home / "conf" / "base.yml").write_text(f"project: bench\nstores: {json.dumps(bucket.stores)}\n")
    said = {"kind": "files", "path": source, "format": "csv"}
    (conf / "sources.yml").write_text(f"sources:\n  small: {json.dumps(said)}\n")
    return [str(LAKELOOM), "run", "--conf", str(home / "conf"), "--json"]


def _rows(table: Path) -> int:
    from deltalake import DeltaTable

    return sum(DeltaTable(str(table)).get_add_actions(flatten=True).column("num_records").to_pylist())
