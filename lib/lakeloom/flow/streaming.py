"""One streaming query: the rows that an execution has laid out, through the table's SQL or function, to files.

The query ends when it has taken them all (``availableNow``); what it gives out is laid down batch by
batch, and becomes one frame. Nothing of it is published here.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import StreamError
from lakeloom.core.names import quoted
from lakeloom.core.steps import Step
from lakeloom.flow.feeding import CARRIER, Fed, names, streaming
from lakeloom.flow.lineage import note_query
from lakeloom.flow.making import made
from lakeloom.project.spec import Project
from lakeloom.store.checkpoints import Workplace, taken
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.streaming import delayed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

SETTINGS = {
    # Footers then tell the newest event, which they don't of Spark's default kind of timestamp.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # What a query remembers is kept by execution, not by batch: older batches are of no use.
    "spark.sql.streaming.minBatchesToRetain": "2",
    # A query lives for seconds: its state stores would never get to the work that they do each minute.
    "spark.sql.streaming.stateStore.maintenanceInterval": "200ms",
    "spark.sql.streaming.noDataMicroBatches.enabled": "true",
    "spark.sql.streaming.multipleWatermarkPolicy": "min",
}


# How Spark says that its state is damaged, or was written for rows of another schema.
_STATE = re.compile(r"CANNOT_LOAD_STATE_STORE|STATE_STORE_|ChecksumException|StateSchemaNotCompatible")


@dataclass(frozen=True)
class Queried:
    """What a query did.

    Attributes
    ----------
    schema : StructType
        Of what it gave out.
    state_rows, state_bytes : int
        What it remembers.
    """

    schema: StructType
    state_rows: int
    state_bytes: int


def query(
    project: Project,
    step: Step,
    session: SparkSession,
    inputs: dict[str, DataFrame],
    fed: dict[str, Fed],
    workplace: Workplace,
    base: Workplace | None,
) -> Queried:
    """Run the table's query over what was laid out, until it has taken all of it.

    Parameters
    ----------
    inputs : dict
        All inputs, of which those in `fed` stream.
    base : Workplace, optional
        The last published execution's, with whose checkpoint the query goes on.

    Raises
    ------
    StreamError
        LL-STREAM-001 for a timer by the machine's clock, LL-STREAM-002 where Spark can't do it as a stream,
        LL-STREAM-003 where it left rows out, LL-STREAM-004 where what it remembers can't be read.
    """
    spec: TableSpec = step.spec
    assert spec.stream is not None
    frames = dict(inputs)
    for table, rows in fed.items():
        frames[table] = _frame(session, step, table, rows, workplace)
    frame = made(project, step, session, frames)
    _require_event_time(frame, step)
    note_query(step, frame, workplace)

    def keep(rows: DataFrame, batch: int) -> None:
        rows.write.mode("overwrite").parquet(str(workplace.out(batch)))

    progress = _run(frame, keep, spec.stream.output, workplace, step)
    _require_all(step, fed, workplace, base, progress)
    told = progress[-1]["stateOperators"] if progress else ()
    rows, size = (sum(each[word] for each in told) for word in ("numRowsTotal", "memoryUsedBytes"))
    return Queried(frame.schema, rows, size)


def _frame(session: SparkSession, step: Step, table: str, rows: Fed, workplace: Workplace) -> DataFrame:
    watermark = step.spec.stream.watermarks.get(table)
    # Laid out as files it is the input still, and what flows out of it is told by its name.
    laid = streaming(session, workplace.feed(table), rows.schema).alias(f"{table}@0")
    frame = delayed(laid, watermark)
    if watermark is None:
        return frame.drop(CARRIER)
    # It names the event's column so that Spark leaves it above the watermark, which is to see these rows.
    return frame.where(f"NOT ({CARRIER} AND {quoted(watermark.column)} IS NOT NULL)").drop(CARRIER)


def _run(frame: DataFrame, keep: Any, output: str, workplace: Workplace, step: Step) -> list[dict[str, Any]]:
    from pyspark.errors import AnalysisException, StreamingQueryException

    writer = frame.writeStream.foreachBatch(keep).outputMode(output).trigger(availableNow=True)
    try:
        running = writer.option("checkpointLocation", str(workplace.work)).start()
    except AnalysisException as cause:
        raise _impossible(cause, step) from cause
    try:
        running.awaitTermination()
    except StreamingQueryException as cause:
        if _STATE.search(str(cause)):
            raise StreamError(
                "LL-STREAM-004", "what the stream remembers can't be read, or does not fit its rows any more",
                where=step.name, fix=f"build it anew: lakeloom run {step.name} --full-refresh",
            ) from cause  # fmt: skip
        raise
    finally:
        with suppress(Exception):  # it has ended, or Spark has
            running.stop()
    return [json.loads(each.json) for each in running.recentProgress]


def _impossible(cause: Exception, step: Step) -> StreamError:
    condition = getattr(cause, "getCondition", lambda: None)() or type(cause).__name__
    first = str(cause).splitlines()[0].removeprefix(f"[{condition}]").strip()
    return StreamError(
        "LL-STREAM-002", f"Spark can't do this as a stream ({condition}): {first}", where=step.name,
        fix="see the guide's page on streaming tables for what streams, or read the inputs whole without stream:",
    )  # fmt: skip


def _require_event_time(frame: DataFrame, step: Step) -> None:
    """Raise LL-STREAM-001 for timers that go off by the machine's clock."""
    plan = frame._jdf.queryExecution().analyzed().toString()
    if any("State" in line and "ProcessingTime" in line for line in plan.splitlines()):
        raise StreamError(
            "LL-STREAM-001", "a timer by the machine's clock would go off differently in a replay",
            where=step.name, fix="take timers by event time",
        )  # fmt: skip


def _require_all(
    step: Step, fed: dict[str, Fed], workplace: Workplace, base: Workplace | None, progress: list[dict[str, Any]]
) -> None:
    """Raise LL-STREAM-003 where the query passed over a file or dropped a row."""
    dropped = sum(each["numRowsDroppedByWatermark"] for batch in progress for each in batch["stateOperators"])
    known = taken(workplace.work, base.checkpoint if base else None)
    # A function may leave an input unread; then none of its files is taken.
    laid = [names(workplace.feed(table)) for table in fed]
    passed_over = [files - known for files in laid if step.spec.sql is not None or files & known]
    missed = sum(len(files) for files in passed_over)
    if dropped or missed:
        told = f"{dropped:,} rows were dropped as late" if dropped else f"{missed} files were passed over"
        raise StreamError(
            "LL-STREAM-003", f"the query did not take all that it was given: {told}", where=step.name,
            fix="don't set another watermark in the function; else report it, with 'lakeloom logs'",
        )  # fmt: skip
