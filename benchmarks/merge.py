"""A merge of few changed keys into a large table, against the plain MERGE that anybody would write.

In a table whose files hold ranges of the key (orders by number), with changes among the newest keys, and
in one whose every file holds every range, with changes everywhere; each without and with deletion vectors
on both sides; and once more with rows of a few numbers, which Spark broadcasts and scans in no time. The plain
MERGE runs twice, in the session that lakeloom opens and under Spark's and Delta's own defaults. Each merge starts
from the same files (hard links of one table), and the sides take turns.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
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
# What lakeloom's session sets beside them, as Spark and Delta have it by themselves.
DEFAULTS = {
    "spark.sql.shuffle.partitions": "200",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "true",
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "0b",
    "spark.databricks.delta.snapshotPartitions": "50",
}
NARROW = (
    "id",
    "id % 1000 AS customer",
    "CAST(id % 977 AS DOUBLE) / 7 AS amount",
    "id AS seq",
    "concat('order number ', id) AS note",
    "date_add(DATE'2020-01-01', CAST(id % 2000 AS INT)) AS day",
)
# As a shop has them: numbers, times, and texts that no encoding makes small.
ORDER = (
    *NARROW,
    "timestamp_micros(1577836800000000 + id * 6000000) AS ordered_at",
    "timestamp_micros(1577836800000000 + id * 6000000 + xxhash64(id) % 86400 * 1000000) AS shipped_at",
    "element_at(array('new', 'paid', 'shipped', 'returned'), CAST(id % 4 AS INT) + 1) AS status",
    "CAST(hash(id, 1) % 100000 AS DECIMAL(12, 2)) AS tax",
    "md5(CAST(id AS STRING)) AS payment",
    "sha1(CAST(id % 3000017 AS STRING)) AS address",
    "md5(concat('item', id)) AS basket",
)


@dataclass(frozen=True)
class Case:
    """A table to merge into: whether its files hold ranges of the key, deletion vectors, the rows' columns."""

    says: str
    ordered: bool
    vectors: bool = False
    columns: tuple[str, ...] = ORDER


CASES = {
    "ranges": Case("files hold ranges of the key", ordered=True),
    "ranges_vectors": Case("files hold ranges of the key, deletion vectors on both sides", ordered=True, vectors=True),
    "anywhere": Case("every file holds every range", ordered=False),
    "anywhere_vectors": Case(
        "every file holds every range, deletion vectors on both sides", ordered=False, vectors=True
    ),
    "narrow": Case("files hold ranges of the key, rows of a few numbers", ordered=True, columns=NARROW),
    "narrow_anywhere": Case("every file holds every range, rows of a few numbers", ordered=False, columns=NARROW),
}
HEADER = ("table", "lakeloom", "plain MERGE", "it under Spark's defaults", "times faster", "than that")
Side = Callable[["SparkSession", "DataFrame", Path], None]
Times = tuple[list[float], ...]  # ours, the plain merge's, the plain merge's under Spark's defaults
Seconds = dict[str, Times]


def measure() -> Result:
    """Run the pairs; ``LAKELOOM_ROWS`` and ``LAKELOOM_PAIRS`` make it smaller, ``LAKELOOM_CASES`` names a few."""
    from lakeloom.session.spark import open_session

    rows, pairs = int(os.environ.get("LAKELOOM_ROWS", ROWS)), int(os.environ.get("LAKELOOM_PAIRS", PAIRS))
    wanted = os.environ.get("LAKELOOM_CASES", ",".join(CASES)).split(",")
    spark = open_session({"spark.driver.memory": "3g"})
    try:
        with tempfile.TemporaryDirectory() as place:
            return result({case: _case(spark, Path(place), case, rows, pairs) for case in wanted}, rows)
    finally:
        spark.stop()


def result(seconds: Seconds, rows: int) -> Result:
    """Return the page's facts: case → the sides' seconds, round by round."""
    times, by_default = (
        {case: median(b / a for a, b in zip(sides[0], sides[at], strict=True)) for case, sides in seconds.items()}
        for at in (1, 2)
    )
    figures = {f"{case}_times_faster": round(value, 3) for case, value in times.items()}
    figures |= {f"{case}_times_faster_than_defaults": round(value, 3) for case, value in by_default.items()}
    for at, side in enumerate(("ours", "plain", "defaults")):
        figures |= {f"{case}_{side}_s": round(median(sides[at]), 2) for case, sides in seconds.items()}
    figures |= {"rows": float(rows), "pairs": float(len(next(iter(seconds.values()))[0]))}
    slower = {case: 1 / times[case] for case in times if case.startswith("anywhere")}
    figures |= {f"{case}_slower": round(value, 3) for case, value in slower.items()}
    table = tuple(
        (CASES[case].says, *(f"{median(side):.1f}" for side in sides), f"{times[case]:.2f}", f"{by_default[case]:.2f}")
        for case, sides in seconds.items()
    )
    targets = (
        Target("ranges_times_faster", 3.0, "least", "times faster than plain MERGE where keys go with files"),
        Target("ranges_vectors_times_faster", 3.0, "least", "the same with deletion vectors on both sides"),
        Target("anywhere_slower", 1.1, label="our time over plain MERGE's where they don't"),
        Target("anywhere_vectors_slower", 1.1, label="the same with deletion vectors on both sides"),
    )
    return Result(
        "merge",
        "A merge of few keys into many",
        figures,
        tuple(each for each in targets if each.figure in figures),
        {f"vs_plain_merge_{case}": round(value, 3) for case, value in times.items()},
        (Table("Median seconds", HEADER, table),),
        (
            f"{int(rows * SHARE):,} changed keys into {rows:,} rows in {FILES} files; where files hold ranges, the "
            "changes are drawn from the newest 5 % of the keys, half of the keys there. Ours is the whole commit: the "
            "check that this execution has not written yet, the statistics, the aggregate over the new keys, the "
            "transaction id, the manifest. The plain MERGE runs in the session that lakeloom opens, and once more "
            "under the defaults of Spark and Delta where that session has others (200 shuffle partitions). The ratio "
            "is the median over the pairs. All end with the same rows, which is asserted. The rows of the last two "
            "cases are a few numbers.",
        ),
    )


def _case(spark: SparkSession, folder: Path, case: str, rows: int, pairs: int) -> Times:
    from pyspark.sql import functions as F

    about = CASES[case]
    base, changes = folder / case / "base", folder / case / "changes"
    frame = spark.range(0, rows, 1, FILES).selectExpr(*about.columns)
    spread = frame if about.ordered else frame.repartition(FILES, "customer")
    writer = spread.writeTo(f"delta.`{base}`").using("delta")
    if about.vectors:
        writer = writer.tableProperty("delta.enableDeletionVectors", "true")
    writer.create()
    count, span = int(rows * SHARE), int(rows * 0.05)
    step = max(1, (span if about.ordered else rows) // count)
    start = rows - span if about.ordered else 0
    changed = {"amount": F.lit(-1.0), "seq": F.col("id") + 1, "note": F.lit("changed")}
    ids = spark.range(start, start + count * step, step, 2)
    ids.selectExpr(*about.columns).withColumns(changed).write.parquet(str(changes))

    def news(session: SparkSession) -> DataFrame:
        return session.read.parquet(str(changes))

    sides: list[tuple[list[float], Side]] = [([], _ours), ([], _plain), ([], _defaults)]
    for number in range(pairs + 1):
        turn = sides if number % 2 else sides[::-1]
        found = [_timed(spark, news, base, folder / case / f"{number}{side.__name__}", side) for _, side in turn]
        for (times, _), (seconds, _) in zip(turn, found, strict=True):
            if number:  # the first pair warms both sides up
                times.append(seconds)
        if len({total for _, total in found}) > 1:
            raise RuntimeError(f"{case}: the sides end with different rows: {[total for _, total in found]}")
    shutil.rmtree(folder / case)
    return tuple(times for times, _ in sides)


def _timed(
    spark: SparkSession, news: Callable[[SparkSession], DataFrame], base: Path, lake: Path, side: Side
) -> tuple[float, tuple[object, ...]]:
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


def _defaults(session: SparkSession, news: DataFrame, lake: Path) -> None:
    for name, value in DEFAULTS.items():
        session.conf.set(name, value)
    _plain(session, news, lake)
