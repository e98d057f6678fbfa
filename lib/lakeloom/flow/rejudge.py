"""Making rows of a table again from where they came: some of them, with the fixes of its quarantine laid over.

A fix is laid over the bronze row where the row's place in bronze is known, so that everything after
it (the transform, the contract, the rules) is computed as usual; else over the row that the
transform made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lakeloom.core.errors import FixError
from lakeloom.core.names import TableName, quoted
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.store.describe import quoted as text
from lakeloom.store.intents import Intent
from lakeloom.tables.bronze import POSITION
from lakeloom.tables.fixes import over_raw, over_rows
from lakeloom.tables.quarantine import ENTRY, ROW, marked
from lakeloom.tables.streaming import TIMELESS, timed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Landings that so few entries come from are named, so that Delta leaves out the files of all others.
_NAMED_EPOCHS = 256


def bronze_of(step: Step) -> str | None:
    """Return the one bronze table that the step reads; None where there is none, or positions of several could meet."""
    found = [read.table for read in step.reads if read.table.startswith("bronze.")]
    return found[0] if len(found) == 1 else None


def has_entries(context: Context, table: str) -> bool:
    """Return whether a table has a quarantine whose entries can be told apart (since this release)."""
    side = TableName.parse(table).quarantine
    return context.lake.exists(side) and {"id", "state", "fix"} <= set(context.lake.columns(side))


def decided(context: Context, session: SparkSession, intent: Intent, table: str) -> DataFrame | None:
    """Return the table's entries as the intent pins them, where there is a decision among them; else None."""
    side = TableName.parse(table).quarantine
    if intent.side is None or not {"id", "state", "fix"} <= set(context.lake.columns(side, intent.side)):
        return None
    from deltalake import QueryBuilder

    log = context.lake.delta(side, intent.side)
    wanted = "SELECT count(*) AS n FROM t WHERE coalesce(state, 'open') <> 'open' OR fix IS NOT NULL"
    found = QueryBuilder().register("t", log).execute(wanted).read_all().column("n").to_pylist()[0]
    return context.lake.frame(session, side, intent.side) if found else None


def with_fixes(step: Step, inputs: dict[str, DataFrame], entries: DataFrame | None) -> dict[str, DataFrame]:
    """Return a transform's inputs with the fixes of `entries` laid over its bronze rows."""
    bronze = bronze_of(step)
    if entries is None or bronze is None:
        return inputs
    return inputs | {bronze: over_raw(inputs[bronze], entries)}


def rows_with_fixes(step: Step, frame: DataFrame, entries: DataFrame | None) -> DataFrame:
    """Return a transform's rows, marked as entries, with the fixes of `entries`; as they are without any."""
    return frame if entries is None else over_rows(marked(frame, step.name), entries)


def remade(
    context: Context,
    session: SparkSession,
    step: Step,
    reads: dict[str, int],
    entries: DataFrame,
    chosen: DataFrame,
) -> tuple[DataFrame, DataFrame | None]:
    """Make the rows of the chosen entries again, with fixes; return them, marked, and their bronze rows as they came.

    Parameters
    ----------
    reads : dict
        The versions of the inputs.
    entries : DataFrame
        All entries of the table, whose fixes are laid over.
    chosen : DataFrame
        Those that are meant. Where one has no place in bronze, bronze is read whole.
    """
    from lakeloom.flow.transform import refine

    inputs = {
        read.table: every_change(context, session, step, read.table, reads[read.table])
        if read.mode == "changes"
        else context.lake.frame(session, read.table, reads[read.table])
        for read in step.reads
        if read.mode != "look"
    }
    bronze, origin = bronze_of(step), None
    if bronze is not None:
        origin = inputs[bronze]
        if chosen.where("position IS NULL").isEmpty():
            origin = at_places(origin, chosen)
        inputs |= {bronze: over_raw(origin, entries)}
    rows = marked(refine(context.project, step, session, inputs), step.name)
    return over_rows(_only_chosen(step, rows, chosen), entries), origin


def relanded(context: Context, table: str, since: int, version: int) -> list[str]:
    """Return a condition for the rows that replays of bronze, after an epoch, have put into their old place."""
    now = context.lake.epoch(table, table, version)
    later = [record.intent for record in context.intents.after(table, since)]
    runs = [text(each.run) for each in later if each.replay and each.epoch <= now]
    return [f"_run IN ({', '.join(runs)})"] if runs else []


def every_change(context: Context, session: SparkSession, step: Step, table: str, version: int) -> DataFrame:
    """Return all changes of an input that the step has read since it was built, each at the place that it had then.

    Not the input's rows as they are: a row that broke a rule may have been changed there since, and stands at the
    place of its own change.
    """
    for record in reversed(context.intents.history(step.name)):
        intent = record.intent
        if record.facts is not None and not intent.replay and (intent.full or table not in intent.since):
            first = intent.reads.get(table, version)
            built = context.lake.changes(session, table, None, first)
            later = context.lake.changes(session, table, first, version)
            return built.unionByName(later, allowMissingColumns=True)
    return context.lake.changes(session, table, None, version)


def in_time(
    context: Context, session: SparkSession, step: Step, reads: dict[str, int], entries: DataFrame, chosen: DataFrame
) -> tuple[int, dict[str, int]]:
    """Return how many of the rows that a stream did not take would be taken by a build from scratch, fixes laid over.

    It takes all that have an event time: in it no row is late.
    """
    from pyspark.sql import functions as F

    (bronze,) = [read.table for read in step.reads if read.mode == "new"]
    watermark = step.spec.stream.watermarks[bronze]
    rows = over_raw(at_places(context.lake.frame(session, bronze, reads[bronze]), chosen), entries)
    event = F.col(quoted(watermark.column)).isNull()
    total, timeless = timed(rows, watermark).agg(F.count(F.lit(1)), F.count_if(event)).collect()[0]
    return total - timeless, {TIMELESS: timeless} if timeless else {}


def at_places(bronze: DataFrame, entries: DataFrame) -> DataFrame:
    """Return the bronze rows that entries were made of."""
    from pyspark.sql import functions as F

    epochs = entries.select("position.epoch").distinct().limit(_NAMED_EPOCHS + 1).collect()
    if len(epochs) <= _NAMED_EPOCHS:
        bronze = bronze.where(F.col("_position.epoch").isin(*[row["epoch"] for row in epochs]))
    places = entries.select(F.col("position").alias("_place")).distinct()
    return bronze.join(places, F.col("_position").cast(POSITION) == F.col("_place"), "left_semi")


def _only_chosen(step: Step, rows: DataFrame, chosen: DataFrame) -> DataFrame:
    """Return the rows, among those of a transform, that are of the chosen entries.

    A merge takes all rows of a bronze row again, and finds those that it has. An append must not: of a bronze row
    whose other rows stand in the table, only the very ones that were kept out.
    """
    from pyspark.sql import functions as F

    all_rows = F.lit(step.spec.write.mode != "append") | (F.col("fix").isNotNull() & (F.col("fix_on") == "raw"))
    meant = chosen.select(F.col("id").alias("_of"), F.col("row").alias("_as"), all_rows.alias("_all"))
    same = (F.col(ENTRY) == F.col("_of")) & (F.col("_all") | (F.col(ROW) == F.col("_as")))
    return rows.join(meant, same, "left_semi")


def settled(chosen: DataFrame, rows: DataFrame) -> DataFrame:
    """Return the chosen entries that an execution settles: whose rows were made again, or left out after a fix."""
    from pyspark.sql import functions as F

    found = rows.select(F.col(ENTRY).alias("_of")).distinct()
    joined = chosen.join(found, F.col("id") == F.col("_of"), "left")
    there = F.col("_of").isNotNull() | (F.col("fix").isNotNull() & (F.col("fix_on") == "raw"))
    return joined.where(there).drop("_of")


def whole(step: Step) -> bool:
    """Return whether rows come into the table only together: all of them, a part of it, a whole state, or a stream."""
    write = step.spec.write
    return step.spec.stream is not None or write.mode in ("overwrite", "replace") or write.snapshot_by is not None


def in_sequence(context: Context, step: Step) -> Step:
    """Return the step with a sequence to merge by, so that a row that was superseded meanwhile does not win.

    Raises
    ------
    FixError
        LL-FIX-005 where nothing says which of two rows of a key is the newer.
    """
    write = step.spec.write
    if whole(step) or not write.by_key or write.order is not None:
        return step
    if context.lake.exists(step.writes[0]) and "_position" in context.lake.columns(step.writes[0]):
        named = write.model_copy(update={"sequence_by": "_position"})
        return replace(step, spec=step.spec.model_copy(update={"write": named}))
    raise FixError(
        "LL-FIX-005", "nothing says which of two rows of a key is the newer: a row that is replayed could replace"
        " one from after it", where=step.name, fix="add sequence_by: to write:, or keep _position in the transform",
    )  # fmt: skip


def unmarked(frame: DataFrame) -> DataFrame:
    """Return a table's rows without the marks of entries."""
    return frame.drop(ENTRY, ROW)
