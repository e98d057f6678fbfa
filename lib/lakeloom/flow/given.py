"""The inputs that an execution of a step had, each row with its name: what was new then, fixed, and in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import TableName
from lakeloom.core.steps import Input, Step
from lakeloom.flow.context import Context
from lakeloom.flow.found import of_key
from lakeloom.flow.naming import named, renamed
from lakeloom.flow.rejudge import at_places, bronze_of, every_change, with_fixes
from lakeloom.flow.transform import read_input
from lakeloom.store import refs
from lakeloom.store.intents import Intent
from lakeloom.store.vacuumed import lost
from lakeloom.tables.quarantine import kept_out_id
from lakeloom.tables.streaming import LATE, TIMELESS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Frames = dict[str, "DataFrame"]
_ENTRY = "_late"


def given(context: Context, session: SparkSession, step: Step, intent: Intent, fixed: DataFrame | None) -> Frames:
    """Return the inputs of an execution.

    Parameters
    ----------
    fixed : DataFrame or None
        The entries of the quarantine whose fixes held then.
    """
    inputs = {}
    for read in step.reads:
        if read.mode != "look" and read.table in intent.reads:
            version = intent.reads[read.table]
            at = still(context, read.table, version)
            rows = _read(context, session, step, read, replace(intent, reads=intent.reads | {read.table: at}))
            rows = renamed(context, read.table, at, _landed(context, read.table, version, at, rows))
            inputs[read.table] = named(context, read.table, rows)
    inputs = with_fixes(step, inputs, fixed)
    entries = _entries(context, session, step, intent) if step.spec.stream is not None or intent.replay else None
    if entries is None:
        return inputs
    return _in_time(step, inputs, entries) if step.spec.stream is not None else _replayed(step, intent, inputs, entries)


def standing(
    context: Context, session: SparkSession, table: str, version: int, key: Mapping[str, Any] | None = None
) -> DataFrame:
    """Return a version of a table with its columns under the names that they have now; raises as `Lake.frame`.

    Parameters
    ----------
    key : mapping, optional
        Only the rows that have these values, by the names that the columns have in that version.
    """
    at = still(context, table, version)
    rows = _landed(context, table, version, at, context.lake.frame(session, table, at))
    rows = of_key(session, rows, key or {})
    return renamed(context, table, at, rows)


def still(context: Context, table: str, version: int) -> int:
    """Return at which version the rows of one can be read: a later one of bronze, which never loses any, if need be."""
    lake = context.lake
    if not table.startswith("bronze.") or lost(lake.vacuumed(table), version) is None:
        return version
    return refs.good(lake).get(table, version)


def _landed(context: Context, table: str, version: int, at: int, rows: DataFrame) -> DataFrame:
    """Return the rows of a bronze table, read at a later version, that had landed in an earlier one."""
    return rows if at == version else rows.where(f"_position.epoch <= {context.lake.epoch(table, table, version)}")


def _read(context: Context, session: SparkSession, step: Step, read: Input, intent: Intent) -> DataFrame:
    """Return an input's rows; what a stream remembers and a replay takes again may be any row so far."""
    if intent.replay and read.mode == "changes":
        return every_change(context, session, step, read.table, intent.reads[read.table])
    again = replace(intent, full=True) if step.spec.stream is not None or intent.replay else intent
    return read_input(context, session, read, again)


def _entries(context: Context, session: SparkSession, step: Step, intent: Intent) -> DataFrame | None:
    """Return the step's quarantine as the execution left it; None where it had none."""
    side = str(TableName.parse(step.writes[0]).quarantine)
    made = [
        record.facts["versions"].get(side)
        for record in context.intents.history(step.name)
        if record.facts is not None and record.intent.epoch <= intent.epoch
    ]
    version = next((each for each in reversed(made) if each is not None), None)
    return None if version is None else context.lake.frame(session, side, version)


def _in_time(step: Step, inputs: Frames, entries: DataFrame) -> Frames:
    """Return a stream's inputs without the rows that it did not take."""
    from pyspark.sql import functions as F

    late = F.arrays_overlap("reasons", F.array(F.lit(LATE), F.lit(TIMELESS)))
    ids = entries.where(late & (F.coalesce("state", F.lit("open")) != "replayed")).select(F.col("id").alias(_ENTRY))
    new = [read.table for read in step.reads if read.mode == "new"]
    taken = {}
    for table in new:
        rows = inputs[table]
        entry = kept_out_id(rows, step.name, table if len(new) > 1 else "")
        taken[table] = rows.withColumn(_ENTRY, entry).join(ids, _ENTRY, "left_anti").drop(_ENTRY)
    return inputs | taken


def _replayed(step: Step, intent: Intent, inputs: Frames, entries: DataFrame) -> Frames:
    """Return a replay's inputs: of bronze the rows whose entries it has settled, where their places are known."""
    from pyspark.sql import functions as F

    bronze = bronze_of(step)
    settled = entries.where((F.col("state") == "replayed") & (F.col("changed_run") == intent.run))
    if bronze is None or not settled.where("position IS NULL").isEmpty():
        return inputs
    return inputs | {bronze: at_places(inputs[bronze], settled)}
