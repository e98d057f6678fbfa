"""What twenty rules cost: rows read and appended, the same judged before the commit, great-expectations alone.

The rows are made once, as a Delta table. Each round goes all ways in turns, in an order that changes; a
first round warms up and counts for nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.result import Result, Table, Target

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakeloom.quality.spec import RuleSpec

ROWS, ROUNDS = 2_000_000, 5
_TABLES = ("plain", "judged", "counted")
MOST, LEAST = 1.3, 3.0
RULES: tuple[dict[str, Any], ...] = (
    {"column": "id", "expect": "not_null"},
    {"column": "carrier", "expect": "not_null"},
    {"column": "carrier", "expect": "in_set", "values": ["AA", "B6", "DL", "EV", "MQ", "UA", "US", "WN"]},
    {"column": "carrier", "expect": "length_equals", "value": 2},
    {"column": "tail", "expect": "match_regex", "pattern": "^N[0-9]{3,5}$"},
    {"column": "tail", "expect": "length_between", "min": 4, "max": 6},
    {"column": "tail", "expect": "not_match_regex", "pattern": "^X"},
    {"column": "distance", "expect": "values_between", "min": 1, "max": 6000},
    {"column": "distance", "expect": "not_null"},
    {"column": "delay", "expect": "values_between", "min": -120, "max": 3000},
    {"column": "delay", "expect": "not_in_set", "values": [-999.0, 999999.0]},
    {"column": "seats", "expect": "values_between", "min": 1, "max": 600},
    {"column": "seats", "expect": "not_null", "at_most": 0.2},
    {"column": "day", "expect": "values_between", "min": "2013-01-01", "max": "2013-12-31"},
    {"column": "day", "expect": "not_null"},
    {"column": "cancelled", "expect": "in_set", "values": [True, False]},
    {"columns": ["landed", "started"], "expect": "pair_greater", "or_equal": True},
    {"columns": ["origin", "dest"], "expect": "columns_differ"},
    {"column": "origin", "expect": "length_between", "min": 3, "max": 3},
    {"column": "dest", "expect": "match_regex", "pattern": "^[A-Z]{3}$"},
)


def measure() -> Result:
    """Measure; ``LAKELOOM_ROWS`` and ``LAKELOOM_ROUNDS`` say how much and how often."""
    from lakeloom.session.spark import open_session

    count, rounds = (int(os.environ.get(f"LAKELOOM_{n}", v)) for n, v in (("ROWS", ROWS), ("ROUNDS", ROUNDS)))
    spark = open_session({}, name="quality")
    with tempfile.TemporaryDirectory() as place:
        bench = _Bench(spark, Path(place), count)
        found = bench.rounds(rounds)
    spark.stop()
    return result(found, count)


def rules(level: str = "quarantine") -> list[RuleSpec]:
    """Return the twenty rules at a level."""
    from lakeloom.quality.spec import RuleSpec

    more = {"otherwise": level}
    return [RuleSpec.model_validate(rule | more | {"name": str(number)}) for number, rule in enumerate(RULES)]


def rows(spark: SparkSession, count: int) -> DataFrame:
    """Return `count` rows of which about one in two hundred breaks a rule."""
    airport = "element_at(array('EWR', 'JFK', 'LGA', 'ORD', 'ATL', 'LAX'), cast({0} % 6 + 1 as int))"
    return spark.range(count).selectExpr(
        "id",
        "element_at(array('AA', 'B6', 'DL', 'EV', 'MQ', 'UA', 'US', 'WN'), cast(id % 8 + 1 as int)) as carrier",
        "concat(if(id % 997 = 0, 'X', 'N'), cast(xxhash64(id) % 40000 + 50000 as string)) as tail",
        "cast(abs(xxhash64(id, 1)) % 5000 + 1 as int) as distance",
        "if(id % 50 = 0, null, cast(xxhash64(id, 2) % 100 as double)) as delay",
        "if(id % 7 = 0, null, cast(abs(xxhash64(id, 3)) % 400 + 1 as int)) as seats",
        "date_add(date'2013-01-01', cast(id % 365 as int)) as day",
        "id % 40 = 0 as cancelled",
        "timestamp'2013-01-01 00:00:00' + make_interval(0, 0, 0, 0, 0, cast(id % 500000 as int)) as started",
        "timestamp'2013-01-01 01:00:00' + make_interval(0, 0, 0, 0, 0, cast(id % 500000 as int)) as landed",
        f"{airport.format('id')} as origin",
        f"{airport.format('if(id % 499 = 0, id, id + 1)')} as dest",
        "concat('a remark on flight ', xxhash64(id, 4)) as remark",
    )


class _Bench:
    """The table, and the ways over it; each time the rows are appended to a fresh empty table of their columns."""

    def __init__(self, spark: SparkSession, place: Path, count: int) -> None:
        from lakeloom.store.lake import Lake

        self.spark, self.lake = spark, Lake(place)
        self.source = str(place / "source")
        rows(spark, count).write.format("delta").save(self.source)
        self.rules = rules()
        self.broken: dict[str, list[int]] = {}
        self.at = 0
        for name in (*_TABLES, "quarantine"):
            frame = self.frame().limit(0)
            frame = frame.selectExpr("*", "array('') as _reasons") if name == "quarantine" else frame
            frame.write.format("delta").save(self.lake.path(f"silver.{name}"))

    def rounds(self, number: int) -> dict[str, list[float]]:
        """Return each way's seconds, round by round, without the first."""
        ways: list[tuple[str, Callable[[], None]]] = [
            ("plain", self.plain), ("judged", self.judged), ("counted", self.counted),
            ("quarantined", self.quarantined), ("judging", self.judging), ("great_expectations", self.peer),
        ]  # fmt: skip
        found: dict[str, list[float]] = {name: [] for name, _ in ways}
        for turn in range(number + 1):
            for name, way in ways[turn % len(ways) :] + ways[: turn % len(ways)]:
                self._lay()
                started = time.perf_counter()
                way()
                if turn:
                    found[name].append(time.perf_counter() - started)
        if len({tuple(each) for each in self.broken.values()}) > 1:
            raise RuntimeError(f"the ways count other rows: {self.broken}")
        return found

    def _lay(self) -> None:
        """Lay the empty tables anew, under names that the JVM has not seen."""
        for name in (*_TABLES, "quarantine"):
            shutil.rmtree(self._path(name), ignore_errors=True)
        self.at += 1
        for name in (*_TABLES, "quarantine"):
            shutil.copytree(self.lake.path(f"silver.{name}"), self._path(name))

    def _path(self, name: str) -> str:
        return self.lake.path(f"silver.{name}_{self.at}")

    def frame(self) -> DataFrame:
        return self.spark.read.format("delta").load(self.source)

    def plain(self) -> None:
        self._append(self.frame(), "plain")

    def judged(self) -> None:
        """Judge by rules that warn and write, as a run does: every row is written, and read once."""
        self.broken["judged"] = self._in_one_pass(rules("warn"))

    def counted(self) -> None:
        """Count first, then write, as a run does into a table that it makes: every row is read twice."""
        from lakeloom.quality.rows import judge

        found = judge(self.frame(), rules("warn"))
        self._append(found.good, "counted")
        found.release()
        self.broken["counted"] = [each.broken for each in found.results]

    def quarantined(self) -> None:
        """Judge and write both halves, as a run does."""
        self.broken["quarantined"] = self._in_one_pass(self.rules)

    def _in_one_pass(self, some: Sequence[RuleSpec]) -> list[int]:
        from lakeloom.core.names import TableName
        from lakeloom.quality.rows import judging
        from lakeloom.session.spark import step_session
        from lakeloom.store.layout import Layout
        from lakeloom.store.manner import Manner
        from lakeloom.store.stage import Stage

        with step_session(self.spark) as session:
            asked = judging(session.read.format("delta").load(self.source), some)
            table = TableName("silver", f"judged_{self.at}")
            stage = Stage.begin(
                session, self.lake, table, asked.passing, Manner("append"), "bench", 1, properties={}, layout=Layout()
            )
            found = asked.while_written(stage.write) if stage is not None else None
            if found is None or stage is None:
                raise RuntimeError("the rows were not judged while they were written")
            if found.broken_rows:
                self._append(found.broken, "quarantine")
            stage.commit("bench", 1)
        return [each.broken for each in found.results]

    def judging(self) -> None:
        """Judge only, which is what great-expectations does."""
        from lakeloom.quality.rows import judge

        judge(self.frame(), self.rules).release()

    def peer(self) -> None:
        from lakeloom.quality.external import run_suite
        from lakeloom.quality.suites import expectation_of

        found = run_suite(self.frame(), [expectation_of(rule) or {} for rule in self.rules])
        self.broken["great_expectations"] = [each["result"]["unexpected_count"] for each in found]

    def _append(self, frame: DataFrame, name: str) -> None:
        frame.write.format("delta").mode("append").save(self._path(name))


def result(found: dict[str, list[float]], count: int) -> Result:
    """Return the page's facts of the seconds of each way."""

    def ratio(one: str, other: str) -> float:
        return round(median(a / b for a, b in zip(found[one], found[other], strict=True)), 3)

    figures = {f"{name}_s": round(median(seconds), 3) for name, seconds in found.items()}
    figures |= {
        "cost": ratio("judged", "plain"),
        "cost_counted_first": ratio("counted", "plain"),
        "cost_with_quarantine": ratio("quarantined", "plain"),
        "vs_great_expectations": ratio("great_expectations", "judging"),
        "rows": float(count),
    }
    lines = tuple(
        (number, *(f"{seconds[number - 1]:.2f}" for seconds in found.values()))
        for number in range(1, len(found["plain"]) + 1)
    )
    return Result(
        "quality",
        "Twenty rules",
        figures,
        (
            Target("cost", MOST, label="reading, judging before the commit and writing, over reading and writing"),
            Target("vs_great_expectations", LEAST, "least", "great-expectations' time over ours, judging only"),
        ),
        {name: figures[name] for name in figures if name.startswith(("cost_", "vs_"))},
        (Table("Seconds of each round", ("round", *found), lines),),
        (
            f"{count:,} rows of 13 columns, appended to a table. Rules that warn let every row pass, so that the same "
            "rows are written; with quarantine, one row in two hundred goes to a second table, whose commit comes "
            "before. The counts are known before the commit: judged in the pass that writes the files, or counted "
            "first (as where a table is made). All ways count the same broken rows for every rule, which is "
            "asserted. Medians of the ratios within a round.",
        ),
    )
