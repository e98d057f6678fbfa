"""What upkeep gains: the same queries over a table of many small files, before and after it was put in order.

Both tables hold the same rows and are asked in turns within a round, by Spark and without a JVM.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.result import Result, Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakeloom.store.lake import Lake

FILES, ROWS, ROUNDS = 1000, 1_000_000, 5
BEFORE, AFTER = "silver.before", "silver.after"


def measure() -> Result:
    """Measure; ``LAKELOOM_ROWS`` and ``LAKELOOM_ROUNDS`` say how much and how often."""
    from lakeloom.session.spark import open_session
    from lakeloom.store.lake import Lake

    count, rounds = (int(os.environ.get(f"LAKELOOM_{n}", v)) for n, v in (("ROWS", ROWS), ("ROUNDS", ROUNDS)))
    spark = open_session({}, name="upkeep")
    with tempfile.TemporaryDirectory() as place:
        lake = Lake(Path(place))
        took = lay_out(spark, lake, FILES, count)
        found = rounds_of(spark, lake, rounds, count)
        files = {name: lake.size(name).files for name in (BEFORE, AFTER)}
    spark.stop()
    return result(found, files, took, count)


def lay_out(spark: SparkSession, lake: Lake, files: int, count: int) -> float:
    """Write the rows into so many files; copy the table and put the copy in order; return what that took, in s."""
    from lakeloom.core.names import TableName
    from lakeloom.session.spark import step_session
    from lakeloom.store.commit import Mark
    from lakeloom.store.optimize import Rewrite, rewrite

    frame = spark.range(count).selectExpr(
        "id", "cast(abs(xxhash64(id)) % 10000 as int) as customer", "cast(xxhash64(id, 1) % 1000 as double) as amount"
    )
    frame.repartition(files).write.format("delta").save(lake.path(BEFORE))
    shutil.copytree(lake.path(BEFORE), lake.path(AFTER))
    started = time.perf_counter()
    with step_session(spark) as session:
        what = Rewrite(4 << 20, zorder=("customer",))
        rewrite(session, lake, TableName.parse(AFTER), Mark("upkeep", 1, {}), what)
    return time.perf_counter() - started


def rounds_of(spark: SparkSession, lake: Lake, number: int, count: int) -> dict[str, list[float]]:
    """Return each way's seconds, round by round, without the first."""
    from deltalake import QueryBuilder

    def by_spark(table: str, condition: str) -> Callable[[], int]:
        return lambda: int(lake.frame(spark, table).where(condition).selectExpr("count(amount)").first()[0])

    def by_delta(table: str, condition: str) -> Callable[[], int]:
        def ask() -> int:
            text = f"SELECT count(amount) AS n FROM t WHERE {condition}"
            found = QueryBuilder().register("t", lake.delta(table)).execute(text).read_all()
            return int(found.column("n").to_pylist()[0])

        return ask

    conditions = {"one": "customer = 77", "all": "amount > -1"}
    ways = {
        f"{engine}_{name}_{table.partition('.')[2]}": ask(table, condition)
        for engine, ask in (("spark", by_spark), ("delta", by_delta))
        for name, condition in conditions.items()
        for table in (BEFORE, AFTER)
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, set[int]] = {}
    for turn in range(number + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            answers.setdefault(name.split("_")[1], set()).add(way())
            if turn:
                found[name].append(time.perf_counter() - started)
    if any(len(each) > 1 for each in answers.values()):
        raise RuntimeError(f"the tables or engines differ: {answers}")
    return found


def result(found: dict[str, list[float]], files: dict[str, int], took: float, count: int) -> Result:
    """Return the page's facts of the seconds of each way."""
    figures = {f"{name}_s": round(median(seconds), 3) for name, seconds in found.items()}
    faster = {}
    for name in found:
        if name.endswith("_before"):
            pairs = zip(found[name], found[name.replace("_before", "_after")], strict=True)
            faster[name.replace("_before", "_faster")] = round(median(before / after for before, after in pairs), 2)
    figures |= faster | {"rows": float(count), "upkeep_s": round(took, 3)}
    figures |= {f"files_{name.partition('.')[2]}": float(number) for name, number in files.items()}
    numbers = range(len(next(iter(found.values()))))
    lines = tuple((number + 1, *(f"{seconds[number]:.2f}" for seconds in found.values())) for number in numbers)
    return Result(
        "upkeep",
        "Upkeep",
        figures,
        comparisons=faster,
        tables=(Table("Seconds of each round", ("round", *found), lines),),
        notes=(
            f"{count:,} rows of 3 columns in {files[BEFORE]:,} files, and the same rows Z-ordered by customer in "
            f"{files[AFTER]:,}: a query for one customer in ten thousand, and one over all rows, by Spark and by "
            "deltalake. Medians of the ratios within a round; files are in the system's cache.",
        ),
    )
