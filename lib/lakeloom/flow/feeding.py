"""The rows of one execution of a stream, laid out for its query: those in time as files, the late ones apart.

Spark drops late rows in silence. Here each row is looked at before the query sees it, against the
watermark with which the query goes on: what it would drop, and what could not be placed in time,
goes to quarantine instead.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.core.steps import Step
from lakeloom.store.checkpoints import Workplace
from lakeloom.store.intents import Intent
from lakeloom.tables.bronze import Stamp
from lakeloom.tables.quarantine import kept_out
from lakeloom.tables.streaming import LATE, TIMELESS, WatermarkSpec, timed

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import StructType

# A row without values that only tells how far the events of an input had come.
CARRIER = "_carrier"
_APART, _SAID, _WHY = "_apart", "_said", "_why"
# What Hadoop takes for a pattern in a path, and how it is told not to.
_GLOB, _ESCAPED = re.compile(r"[{}\[\]*?\\]"), r"\\\g<0>"


@dataclass(frozen=True)
class Fed:
    """What was laid out of one input.

    Attributes
    ----------
    rows, late : int
        How many rows were laid out for the query, and how many apart.
    newest : int or None
        The newest event time so far, in microseconds since 1970; None without a watermark.
    """

    schema: StructType
    rows: int
    late: int
    newest: int | None


def feed(
    frame: DataFrame,
    watermark: WatermarkSpec | None,
    place: Path,
    epoch: int,
    *,
    reached_ms: int,
    newest: int | None,
    carried: bool,
) -> Fed:
    """Lay an input's new rows out at `place`.

    Parameters
    ----------
    reached_ms : int
        The watermark with which the query goes on, in milliseconds since 1970.
    newest : int, optional
        The newest event of earlier executions, in microseconds since 1970.
    carried : bool
        Whether the query has to be told of it: one with several inputs begins each time without knowing how far
        each of them had come, and its watermark is the least of them.
    """
    from pyspark.sql import functions as F
    from pyspark.sql.types import StructField, StructType

    values = [name for name in frame.columns if not name.startswith("_")]
    said = F.to_json(F.struct(*[F.col(quoted(name)) for name in values]))
    rows = timed(frame.withColumn(_SAID, said), watermark)
    why = _why(watermark, reached_ms)
    rows = rows.withColumns({_WHY: why, CARRIER: F.lit(False)})
    rows = rows.withColumns({_SAID: F.when(F.col(_WHY).isNotNull(), F.col(_SAID)), _APART: F.col(_WHY).isNotNull()})
    if carried and watermark is not None and newest is not None:
        session = frame.sparkSession
        carrier = session.range(1).select(F.timestamp_micros(F.lit(newest)).alias(watermark.column))
        carrier = carrier.withColumns({CARRIER: F.lit(True), _APART: F.lit(False)})
        rows = rows.unionByName(carrier, allowMissingColumns=True)
    rows.write.partitionBy(_APART).parquet(str(place))
    on_time, apart = _files(place / f"{_APART}=false"), _files(place / f"{_APART}=true")
    for file in on_time:
        # Spark's file source forgets and passes over files by their age: here the epoch is the clock.
        os.utime(file, (epoch, epoch))
    column = watermark.column if watermark else None
    (taken, reached), (late, _) = _told(on_time, column), _told(apart, column)
    told = [each for each in (newest, reached) if each is not None]
    schema = StructType([StructField(f.name, f.dataType, True) for f in rows.schema if f.name not in (_APART,)])
    return Fed(schema, taken, late, max(told, default=None) if watermark else None)


def streaming(session: SparkSession, place: Path, schema: StructType) -> DataFrame:
    """Return the rows in time as a streaming frame, with `CARRIER`."""
    folder = place / f"{_APART}=false"
    folder.mkdir(parents=True, exist_ok=True)
    reader = session.readStream.schema(schema).option("maxFileAge", "1h").option("latestFirst", "false")
    # A pattern: of a plain folder Spark insists that the files of earlier batches lay there as well.
    return reader.parquet(f"{_GLOB.sub(_ESCAPED, str(folder))}/*.parquet").drop(_SAID, _WHY)


def apart(session: SparkSession, workplace: Workplace, step: Step, intent: Intent) -> DataFrame | None:
    """Return the quarantine's entries of the rows that were laid apart; None where there are none."""
    from pyspark.sql import functions as F

    mark = Stamp(intent.epoch, intent.clock, intent.run)
    inputs = [read.table for read in step.reads if read.mode == "new"]
    found: DataFrame | None = None
    for table in inputs:
        folder = workplace.feed(table) / f"{_APART}=true"
        if not folder.is_dir():
            continue
        rows = session.read.parquet(str(folder)).withColumn("_reasons", F.array(F.col(_WHY)))
        entries = kept_out(rows, step.name, mark, table if len(inputs) > 1 else "", code=step.code)
        found = entries if found is None else found.unionByName(entries)
    return found


def names(place: Path) -> set[str]:
    """Return the names of the files that were laid out for the query."""
    return {file.name for file in _files(place / f"{_APART}=false")}


def _why(watermark: WatermarkSpec | None, reached_ms: int) -> Column:
    from pyspark.sql import functions as F

    if watermark is None:
        return F.lit(None).cast("string")
    event = F.col(quoted(watermark.column))
    reached = F.timestamp_millis(F.lit(reached_ms))
    return F.when(event.isNull(), F.lit(TIMELESS)).when(event <= reached, F.lit(LATE))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet")) if folder.is_dir() else []


def _told(files: list[Path], column: str | None) -> tuple[int, int | None]:
    """Return from the files' footers how many rows there are, and the greatest value of a column of timestamps."""
    from pyarrow import parquet

    rows, newest = 0, None
    for file in files:
        footer = parquet.read_metadata(file)
        rows += footer.num_rows
        for group in range(footer.num_row_groups if column else 0):
            chunks = [footer.row_group(group).column(index) for index in range(footer.num_columns)]
            for chunk in chunks:
                if chunk.path_in_schema == column and chunk.statistics and chunk.statistics.has_min_max:
                    value = _micros(chunk.statistics.max)
                    newest = value if newest is None else max(newest, value)
    return rows, newest


def _micros(value: object) -> int:
    from datetime import UTC, datetime, timedelta

    assert isinstance(value, datetime)
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
