"""The same two days of orders by lakeloom and by lakehouse-engine, each in a process and an environment of its own.

A first day lands, cleans, checks and writes all orders and adds them up; a second day lands changes and new
orders, and merges them. Pairs of both sides in turns, each on fresh tables; the order within a pair changes.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table, Target

if TYPE_CHECKING:
    import pyarrow as pa

HERE = Path(__file__).resolve().parent
ROWS, PAIRS, FILES = 1_000_000, 3, 8
CHANGED, FRESH = 0.05, 0.01
BROKEN = 499  # of so many orders one breaks a rule
DAYS = ("2026-01-01", "2026-01-02")
START = datetime(2025, 1, 1)


def measure() -> Result:
    """Run the pairs; ``LAKELOOM_ROWS`` and ``LAKELOOM_PAIRS`` make it smaller or larger."""
    rows, pairs = int(os.environ.get("LAKELOOM_ROWS", ROWS)), int(os.environ.get("LAKELOOM_PAIRS", PAIRS))
    python, jars = peer()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        lay_out(folder / "landing", rows)
        found = [_pair(folder, number, python, jars) for number in range(pairs)]
    return result(found, rows)


def peer() -> tuple[Path, str]:
    """Return the Python that has lakehouse-engine, and the class path of its Delta jars; made where they are not."""
    sys.path.insert(0, str(HERE.parent / "environment"))
    from stages import apart, jars, locks, machine
    from stages.places import Places
    from stages.progress import Progress

    places = Places.here()
    python = apart.interpreter(places, "lakehouse_engine")
    lock = locks.jars(places.environment / "lakehouse_engine-jars.lock")
    apart_from = Places(python.parents[1], places.cache)
    progress = Progress(python.parents[1] / "jars.log")
    jars.supply(apart_from, lock, jars.by_ivy(places, machine.find_java(), progress))
    return python, ":".join(str(jars.target(apart_from, jar)) for jar in lock)


def orders(numbers: Sequence[int], day: int) -> pa.Table:
    """Return orders as a source would write them, all text: a pure function of number and day."""
    import pyarrow as pa

    status, country = ("new", " Paid", "SHIPPED", "returned"), ("de", "FR", "nl", "US")
    changed = [START + timedelta(minutes=number % 500_000, days=day) for number in numbers]
    return pa.table(
        {
            "order_id": [str(number) for number in numbers],
            "customer_id": [str(number * 7 % 90_000) for number in numbers],
            "status": [status[(number + day) % 4] for number in numbers],
            "country": [country[number % 4] for number in numbers],
            "currency": [("EUR", "USD", "GBP")[number % 3] for number in numbers],
            "email": [f"Person{number * 7 % 90_000}@Example.org" for number in numbers],
            "quantity": ["0" if number % BROKEN == 0 else str(number % 50 + 1) for number in numbers],
            "amount": [f"{number * 13 % 90_000}.{number % 100:02d}" for number in numbers],
            "ordered_at": [str(START + timedelta(minutes=number % 500_000)) for number in numbers],
            "changed_at": [str(when) for when in changed],
            "note": [f"leave parcel {number} with neighbour {number % 97}" for number in numbers],
        }
    )


def lay_out(landing: Path, rows: int) -> None:
    """Write the files of two days: all orders, then changes of some and a few new ones."""
    from pyarrow import csv

    step = round(1 / CHANGED)
    days = [range(rows), [*range(0, rows, step), *range(rows, rows + int(rows * FRESH))]]
    for day, (name, numbers) in enumerate(zip(DAYS, days, strict=True)):
        (landing / name).mkdir(parents=True)
        for part in range(FILES):
            csv.write_csv(orders(numbers[part::FILES], day), landing / name / f"orders-{part}.csv")


def _pair(folder: Path, number: int, python: Path, jars: str) -> dict[str, list[float]]:
    """Return each side's seconds, day by day."""
    found: dict[str, list[float]] = {"ours": [], "theirs": []}
    held = {}
    for side in ("ours", "theirs") if number % 2 else ("theirs", "ours"):
        place = folder / f"{number}-{side}"
        (place / "landing").mkdir(parents=True)
        for day in DAYS:
            shutil.copytree(folder / "landing" / day, place / "landing" / day, copy_function=os.link)
            ran = _ours(place, folder) if side == "ours" else _theirs(place, folder, day, python, jars)
            found[side].append(ran)
        held[side] = _held(place / ("tables/silver/orders" if side == "ours" else "silver"))
        shutil.rmtree(place)
    if held["ours"] != held["theirs"]:
        raise RuntimeError(f"the two sides end with different orders: {held}")
    return found


def _ours(place: Path, folder: Path) -> float:
    env = {"LAKELOOM_HOME": str(place), "LAKELOOM_LANDING": str(place / "landing")}
    ran = run([str(LAKELOOM), "run", "--json", "--conf", str(HERE / "orders" / "conf")], folder, env)
    document = json.loads(ran.output)
    if document["status"] != "done":
        raise RuntimeError(f"our run ended {document['status']}")
    return ran.seconds


def _theirs(place: Path, folder: Path, day: str, python: Path, jars: str) -> float:
    script = str(HERE / "by_engine.py")
    return run([str(python), script, str(place / "landing"), str(place), day, jars], folder, {"PYTHONPATH": ""}).seconds


def _held(table: Path) -> dict[str, Any]:
    """Return what the good orders of a side come to; theirs hold the broken ones as well."""
    import pyarrow as pa
    from deltalake import DeltaTable, QueryBuilder

    asked = "SELECT count(*) AS orders, sum(quantity) AS pieces, sum(amount) AS amount FROM t WHERE quantity > 0"
    answer = pa.table(QueryBuilder().register("t", DeltaTable(str(table))).execute(asked).read_all())
    found: dict[str, Any] = answer.to_pylist()[0]
    return found


def result(found: Sequence[dict[str, list[float]]], rows: int) -> Result:
    """Return the page's facts of both sides' seconds, pair by pair."""
    days = [[pair["theirs"][day] / pair["ours"][day] for pair in found] for day in range(len(DAYS))]
    both = [sum(pair["theirs"]) / sum(pair["ours"]) for pair in found]
    figures = {
        f"{side}_{name}_s": round(median(pair[side][day] for pair in found), 2)
        for side in ("ours", "theirs")
        for day, name in enumerate(("first", "second"))
    }
    figures |= {
        "first_day_times_faster": round(median(days[0]), 3),
        "second_day_times_faster": round(median(days[1]), 3),
        "times_faster": round(median(both), 3),
        "rows": float(rows),
        "pairs": float(len(found)),
    }
    lines = tuple(
        (number, *(f"{seconds:.1f}" for side in ("ours", "theirs") for seconds in pair[side]), f"{ratio:.2f}")
        for number, (pair, ratio) in enumerate(zip(found, both, strict=True), start=1)
    )
    columns = ("pair", "lakeloom, day 1", "day 2", "lakehouse-engine, day 1", "day 2", "times faster")
    return Result(
        "engine",
        "Beside lakehouse-engine",
        figures,
        (Target("times_faster", 1.0, "least", "times faster than lakehouse-engine 1.26.1 over both days"),),
        {"vs_lakehouse_engine": figures["times_faster"]},
        (Table("Seconds of each pair", columns, lines),),
        (
            f"{rows:,} orders in {FILES} CSV files, then {CHANGED:.0%} changed and {FRESH:.0%} new ones. Each day is a "
            "process of its own, its start included: ingest into bronze, types and cleaning, ten rules, a merge into "
            "silver, an aggregate into gold. lakehouse-engine runs on the Spark and Delta that it pins (3.5.0 and "
            "3.2.0), with as few partitions as lakeloom has; it reads the day's folder, where lakeloom finds out which "
            "files are new. lakeloom also keeps the rows that break a rule apart; both end "
            "with the same good orders, which is asserted.",
        ),
    )
