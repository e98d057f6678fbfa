"""One execution of a streaming table: new rows of pinned inputs → query → the same rules, quarantine and write.

The intent pins the inputs. Their new rows are laid out as files, the query takes all of them and ends,
and what it gave out is one frame that goes the ordinary way. A crash anywhere leads to the same
rows: where the query had ended, its files are there; else the execution begins again with what the
last published one remembered.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import StreamError
from lakeloom.core.steps import Facts, Step
from lakeloom.flow.context import Context
from lakeloom.flow.feeding import Fed, apart, feed
from lakeloom.flow.lineage import laid_down, noted
from lakeloom.flow.rejudge import bronze_of, decided, rows_with_fixes, with_fixes
from lakeloom.flow.streaming import SETTINGS, query
from lakeloom.flow.transform import finished, publish, read_input
from lakeloom.session.connect import is_connect
from lakeloom.session.spark import step_session
from lakeloom.store.checkpoints import Workplace, batch_of, fingerprint, watermark_ms
from lakeloom.store.intents import Intent, replace
from lakeloom.tables.newest import newest
from lakeloom.tables.spec import TableSpec

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


_STREAMS = "spark.sql.streaming."


def stream(context: Context, step: Step, intent: Intent) -> Facts:
    """Carry out a streaming table's step at the intent's versions; return its facts.

    Raises
    ------
    StreamError
        LL-STREAM-002 to LL-STREAM-005.
    """
    spark = context.engine.spark()
    if is_connect(spark):
        raise StreamError(
            "LL-STREAM-005", f"{step.name} streams, and this session is a client of Spark Connect", where=step.name,
            fix="run this step where Spark itself runs: on one machine, a cluster, a job cluster",
        )  # fmt: skip
    workplace = Workplace.of(context.project.root, step.name, intent.epoch)
    if not workplace.complete:
        with step_session(spark, _settings(spark)) as session:
            _queried(context, session, step, intent, workplace)
    with step_session(spark) as session:
        fixed = decided(context, session, intent, step.writes[0])
        frame = finished(step, laid_down(step, _given_out(session, step, workplace), intent.epoch))
        lineage = noted(context, step, intent, frame)
        frame = rows_with_fixes(step, frame, fixed)
        bronze = bronze_of(step)
        origin = context.lake.frame(session, bronze, intent.reads[bronze]) if bronze else None
        kept_out = apart(session, workplace, step, intent)
        facts = publish(context, session, step, intent, frame, origin, apart=kept_out, lineage=lineage)
    return facts | {"stream": _told(workplace)}


def _settings(spark: SparkSession) -> dict[str, str]:
    """Return the settings of the query's session; what the environment says of streams holds."""
    given: dict[str, str] = spark.conf.getAll
    return {key: value for key, value in SETTINGS.items() if key not in given or not key.startswith(_STREAMS)}


def _queried(context: Context, session: SparkSession, step: Step, intent: Intent, workplace: Workplace) -> None:
    """Lay out the new rows, run the query over them, and keep what it remembers."""
    spec: TableSpec = step.spec
    assert spec.stream is not None
    before, base = _before(context, step, intent)
    workplace.begin(base)
    inputs = {read.table: read_input(context, session, read, intent) for read in step.reads if read.mode != "look"}
    inputs = with_fixes(step, inputs, decided(context, session, intent, step.writes[0]))
    reached = watermark_ms(workplace.work)
    fed: dict[str, Fed] = {}
    for read in step.reads:
        if read.mode == "new":
            fed[read.table] = feed(
                inputs[read.table], spec.stream.watermarks.get(read.table), workplace.feed(read.table), intent.epoch,
                reached_ms=reached, newest=before.get("newest", {}).get(read.table),
                carried=len(spec.stream.watermarks) > 1,
            )  # fmt: skip
    made = query(context.project, step, session, inputs, fed, workplace, base)
    facts = {
        "since": intent.epoch if base is None else before["since"],
        "newest": {table: rows.newest for table, rows in fed.items() if rows.newest is not None},
        "late": sum(rows.late for rows in fed.values()),
        "batches": batch_of(workplace.work) - (batch_of(base.checkpoint) if base else -1),
        "state_rows": made.state_rows,
        "state_bytes": made.state_bytes,
    }
    replace(workplace.folder / "facts.json", json.dumps(facts, sort_keys=True))
    replace(workplace.folder / "schema.json", made.schema.json())
    workplace.end()
    for table in fed:
        shutil.rmtree(workplace.feed(table) / "_apart=false", ignore_errors=True)


def _before(context: Context, step: Step, intent: Intent) -> tuple[dict[str, Any], Workplace | None]:
    """Return what the last published execution told of the stream, and its place; nothing for one built anew."""
    record = None if intent.full else context.intents.published(step.name)
    told = (record.facts or {}).get("stream") if record else None
    if record is None or told is None:
        return {}, None
    return told, Workplace.of(context.project.root, step.name, record.intent.epoch)


def _given_out(session: SparkSession, step: Step, workplace: Workplace) -> DataFrame:
    """Return all that the query gave out, as one frame."""
    from pyspark.sql import functions as F
    from pyspark.sql.types import StructType

    schema = StructType.fromJson(_read(workplace, "schema.json"))
    batches = sorted(folder for folder in workplace.out().iterdir() if any(folder.glob("*.parquet")))
    if not batches:
        return session.createDataFrame([], schema)
    if step.spec.stream.output == "append" or len(batches) == 1:
        return session.read.schema(schema).parquet(*map(str, batches))

    def numbered(folder: Path) -> DataFrame:
        return session.read.schema(schema).parquet(str(folder)).withColumn("_batch", F.lit(int(folder.name)))

    # Of a key that several batches gave out, the last one holds.
    frames = [numbered(folder) for folder in batches]
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.unionByName(frame)
    return newest(whole, step.spec.keys, "_batch").drop("_batch")


def _told(workplace: Workplace) -> dict[str, Any]:
    """Return the facts of the stream: where it stands, and what it remembers."""
    reached = watermark_ms(workplace.checkpoint)
    watermark = datetime.fromtimestamp(reached / 1000, UTC).isoformat() if reached else None
    checkpoint = {"batch": batch_of(workplace.checkpoint), "checkpoint": fingerprint(workplace.checkpoint)}
    return {"watermark": watermark, **_read(workplace, "facts.json"), **checkpoint}


def _read(workplace: Workplace, name: str) -> Any:
    return json.loads((workplace.folder / name).read_text(encoding="utf-8"))
