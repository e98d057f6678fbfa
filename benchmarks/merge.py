"""A merge of few changed keys into a large table, against the plain MERGE that anybody would write.

Twice each: in a table whose files hold ranges of the key (orders by number), with changes among the
newest keys, and in one whose every file holds every range, with changes everywhere; and the same
with deletion vectors on both sides. Each merge starts from the same files (hard links of one table), and
the two sides take turns.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.result import Result, Table, Target

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS = 10_000_000
PAIRS = 5
FILES = 48
SHARE = 0.01
PLAIN = (
    "MERGE INTO delta.`{path}` t USING news s ON t.id = s.id "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
)
CASES = {
    "ranges": "files hold ranges of the key",
    "ranges_vectors": "files hold ranges of the key, deletion vectors on both sides",
    "anywhere": "every file holds every range",
    "anywhere_vectors": "every file holds every range, deletion vectors on both sides",
}
Side = Callable[["SparkSession", "DataFrame", Path], None]
Seconds = dict[str, tuple[list[float], list[float]]]


def measure() -> Result:
    """Run the pairs; ``LAKELOOM_ROWS`` and ``LAKELOOM_PAIRS`` make it smaller or larger."""
    from lakeloom.session.spark import open_session

    rows, pairs = int(os.environ.get("LAKELOOM_ROWS", ROWS)), int(os.environ.get("LAKELOOM_PAIRS", PAIRS))
    spark = open_session({"spark.driver.memory": "3g"})
    try:
        with tempfile.TemporaryDirectory() as place:
            return result({case: _case(spark, Path(place), case, rows, pairs) for case in CASES}, rows)
    finally:
        spark.stop()


def result(seconds: Seconds, rows: int) -> Result:
    """Return the page's facts: case → (our seconds, the plain merge's), pair by pair."""
    times = {case: median(b / a for a, b in zip(*both, strict=True)) for case, both in seconds.items()}
    figures = {f"{case}_times_faster": round(value, 3) for case, value in times.items()}
    figures |= {f"{case}_ours_s": round(median(ours), 2) for case, (ours, _) in seconds.items()}
    figures |= {f"{case}_plain_s": round(median(plain), 2) for case, (_, plain) in seconds.items()}
    figures |= {"rows": float(rows), "pairs": float(len(next(iter(seconds.values()))[0]))}
    figures["anywhere_slower"] = round(1 / times["anywhere"], 3)
    table = tuple(
        (CASES[case], f"{median(ours):.1f}", f"{median(plain):.1f}", f"{times[case]:.2f}")
        for case, (ours, plain) in seconds.items()
    )
    return Result(
        "merge",
        "A merge of few keys into many",
        figures,
        (
            Target("ranges_times_faster", 3.0, "least", "times faster than plain MERGE where keys go with files"),
            Target("anywhere_slower", 1.1, label="our time over plain MERGE's where they don't"),
        ),
        {f"vs_plain_merge_{case}": round(value, 3) for case, value in times.items()},
        (Table("Median seconds", ("table", "lakeloom", "plain MERGE", "times faster"), table),),
        (
            f"{int(rows * SHARE):,} changed keys into {rows:,} rows in {FILES} files; the changes of the first two are "
            "drawn from the newest 5 % of the keys, half of the keys there. Ours is the whole commit: the check that "
            "this execution has not written yet, the statistics, the aggregate over the new keys, the transaction id, "
            "the manifest. The ratio is the median over the pairs. Both end with the same rows, which is asserted.",
        ),
    )


def _case(spark: SparkSession, folder: Path, case: str, rows: int, pairs: int) -> tuple[list[float], list[float]]:
    base = folder / case / "base"
    ordered, vectors = case.startswith("ranges"), case.endswith("vectors")
    frame = spark.range(0, rows, 1, FILES).selectExpr(
        "id", "id % 1000 as customer", "cast(id % 977 as double) / 7 as amount", "id as seq",
        "concat('order number ', id) as note", "date_add(date'2020-01-01', cast(id % 2000 as int)) as day",
    )  # fmt: skip
    spread = frame if ordered else frame.repartition(FILES, "customer")
    writer = spread.writeTo(f"delta.`{base}`").using("delta")
    if vectors:
        writer = writer.tableProperty("delta.enableDeletionVectors", "true")
    writer.create()
    count, span = int(rows * SHARE), int(rows * 0.05)
    step = max(1, (span if ordered else rows) // count)
    start = rows - span if ordered else 0
    changes = folder / case / "changes"
    spark.range(start, start + count * step, step, 2).selectExpr(
        "id",
        "id % 1000 as customer",
        "-1.0D as amount",
        "id + 1 as seq",
        "'changed' as note",
        "date'2026-01-01' as day",
    ).write.parquet(str(changes))

    def news(session: SparkSession) -> DataFrame:
        return session.read.parquet(str(changes))

    ours, plain = [], []
    for number in range(pairs + 1):
        sides: list[tuple[list[float], Side]] = [(ours, _ours), (plain, _plain)]
        turn = sides if number % 2 else sides[::-1]
        found = [_timed(spark, news, base, folder / case / f"{number}{side.__name__}", side) for _, side in turn]
        for (times, _), (seconds, _) in zip(turn, found, strict=True):
            if number:  # the first pair warms both sides up
                times.append(seconds)
        if found[0][1] != found[1][1]:
            raise RuntimeError(f"{case}: the two sides end with different rows: {found[0][1]}, {found[1][1]}")
    shutil.rmtree(folder / case)
    return ours, plain


def _timed(
    spark: SparkSession, news: Callable[[SparkSession], DataFrame], base: Path, lake: Path, side: Side
) -> tuple[float, Sequence[object]]:
    """Return a side's seconds on a fresh copy of the table, and what the table then comes to."""
    from lakeloom.session.spark import step_session

    path = lake / "tables" / "silver" / "orders"
    path.parent.mkdir(parents=True)
    shutil.copytree(base, path, copy_function=os.link)
    with step_session(spark) as session:
        # The rows are made in the session that merges them, from the same cached plan.
        begun = time.perf_counter()
        side(session, news(session), lake)
        seconds = time.perf_counter() - begun
    total = (
        spark.read.format("delta").load(str(path)).selectExpr("count(*)", "sum(amount)", "count_if(note = 'changed')")
    )
    found = tuple(round(value, 2) for value in total.first() or ())
    shutil.rmtree(lake)
    return seconds, found


def _ours(session: SparkSession, news: DataFrame, lake: Path) -> None:
    from lakeloom.core.names import TableName
    from lakeloom.store.commit import Mark, commit
    from lakeloom.store.lake import Lake
    from lakeloom.store.manner import Manner

    table = TableName("silver", "orders")
    commit(session, Lake(lake), table, news, Mark("silver.orders", 1, {}), Manner("merge", ("id",), "seq"))


def _plain(session: SparkSession, news: DataFrame, lake: Path) -> None:
    news.createOrReplaceTempView("news")
    session.sql(PLAIN.format(path=lake / "tables" / "silver" / "orders"))
