"""Replay: chosen rows of a table's quarantine run through its own transform again, exactly once.

It is an execution of the table's own step: an intent of the next epoch that names the chosen entries,
the versions that the step has consumed, and the version of the quarantine whose fixes hold. So it is
replayed after a crash as any other, and the rows that wait to be read as new stay new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import FixError
from lakeloom.core.names import TableName, quoted
from lakeloom.core.steps import Facts, Step
from lakeloom.flow import rejudge
from lakeloom.flow.choice import Choice, matching
from lakeloom.flow.context import Context
from lakeloom.project.graph import is_stream
from lakeloom.project.plan import Decision
from lakeloom.session.spark import step_session
from lakeloom.store import refs
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intent, Record
from lakeloom.tables.bronze import POSITION
from lakeloom.tables.settling import WAITING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Replay:
    """What a run is asked to replay: which rows of which table."""

    table: str
    choice: Choice

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, for the run's log; the condition may name a value and is left out."""
        return {"table": self.table, "rule": self.choice.rule, "ids": list(self.choice.ids)}


def intent_of(context: Context, step: Step, wanted: Choice, latest: Record | None) -> Intent | Decision:
    """Return the intent of a replay, or the decision that there is nothing to do.

    Raises
    ------
    FixError
        LL-FIX-001 where no entry is meant, LL-FIX-005 where the table can't be replayed into.
    """
    last = context.intents.published(step.name)
    require_made(context, step, last)
    assert last is not None
    if step.kind != "land":
        rejudge.in_sequence(context, step)
    version = context.lake.version(TableName.parse(step.writes[0]).quarantine)
    with step_session(context.engine.spark()) as session:
        entries, chosen = chosen_of(context, session, step, last.intent.reads, version, wanted)
        if pending(entries, chosen, step).isEmpty():
            return Decision("skip", (_nothing(step),))
    clock = datetime.now(UTC).isoformat()
    common: dict[str, Any] = {"step": step.name, "epoch": latest.intent.epoch + 1 if latest else 1, "run": context.run,
              "clock": clock, "seed": context.project.settings.seed, "made": step.made, "side": version}  # fmt: skip
    if step.kind != "land" and rejudge.whole(step):
        # Single rows can't be written into it: it is built anew, and its fixes are laid over then.
        good = refs.good(context.lake)
        reads = {read.table: good[read.table] for read in step.reads}
        ids = {table: identity(context.lake, table) for table in reads}
        return Intent(**common, code=step.code, full=True, reads=reads, ids=ids)
    # The code and reads of the last execution: what is decided next must see what it would have seen without this one.
    return Intent(
        **common, code=last.intent.code, reads=last.intent.reads, since=last.intent.since, ids=last.intent.ids,
        replay=wanted.as_dict(),
    )  # fmt: skip


def _nothing(step: Step) -> str:
    told = "nothing to replay: what is open has no fix, and breaks the rules as they are"
    if is_stream(step):
        told += f"; rows that came late are taken by 'lakeloom run {step.name} --full-refresh'"
    return told


def require_made(context: Context, step: Step, last: Record | None) -> None:
    """Raise LL-FIX-005 where a table was not made, or not by the SQL and config as they are, rules aside."""
    if last is None or not rejudge.has_entries(context, step.writes[0]):
        told = "was never built" if last is None else "has nothing in quarantine, or it was written by an older release"
        raise FixError("LL-FIX-005", f"{step.name} {told}", where=step.name, fix=f"lakeloom run +{step.name}")
    same = last.intent.code == step.code or (bool(last.intent.made) and last.intent.made == step.made)
    if not same and step.kind != "land":
        raise FixError(
            "LL-FIX-005", f"the SQL or config of {step.name} has changed: the next run builds it anew, fixes included",
            where=step.name, fix=f"lakeloom run {step.name}",
        )  # fmt: skip


def chosen_of(
    context: Context,
    session: SparkSession,
    step: Step,
    reads: dict[str, int],
    version: int,
    choice: Choice,
    *,
    resolved: bool = False,
) -> tuple[DataFrame, DataFrame]:
    """Return all entries of a table's quarantine at a version, and those of a choice that wait (or were resolved).

    Raises
    ------
    FixError
        LL-FIX-001 for ids or a rule that no waiting entry has, LL-FIX-002 for a malformed condition.
    """
    entries = context.lake.frame(session, TableName.parse(step.writes[0]).quarantine, version)
    waiting = entries if resolved else entries.where(WAITING)
    _require_known(waiting, choice, step)
    rows = None
    if choice.where is not None:
        on = "raw" if step.kind == "land" or raw_is_known(step, waiting) else "row"
        rows = rows_of(context, session, step, reads, waiting, on)
    return entries, matching(waiting, choice, rows, f"{step.name} --where")


def _require_known(waiting: DataFrame, choice: Choice, step: Step) -> None:
    from pyspark.sql import functions as F

    if choice.ids:
        there = {row["id"] for row in waiting.where(F.col("id").isin(*choice.ids)).select("id").distinct().collect()}
        unknown = [each for each in choice.ids if each not in there]
        if unknown:
            raise FixError(
                "LL-FIX-001", f"no open row of {step.name} is called {', '.join(unknown[:5])}", where=step.name,
                fix=f"see 'lakeloom quarantine {step.name}' for the ids of open rows",
            )  # fmt: skip
    if choice.rule is not None and waiting.where(F.array_contains("reasons", choice.rule)).isEmpty():
        raise FixError(
            "LL-FIX-001", f"no open row of {step.name} breaks '{choice.rule}'", where=step.name,
            fix="see 'lakeloom quarantine' for the rules",
        )  # fmt: skip


def raw_is_known(step: Step, entries: DataFrame) -> bool:
    """Return whether the place in bronze of every entry's row is known."""
    return rejudge.bronze_of(step) is not None and entries.where("position IS NULL").isEmpty()


def rows_of(
    context: Context, session: SparkSession, step: Step, reads: dict[str, int], entries: DataFrame, on: str
) -> DataFrame:
    """Return the rows of entries, one an entry, with ``_id``, ``_row``, ``_reasons``, ``_file`` and others.

    Parameters
    ----------
    on : {'raw', 'row'}
        The rows as they stand in bronze, or as the transform made them.
    """
    from pyspark.sql import functions as F

    about = [
        F.col("e.id").alias("_id"),
        F.col("e.row").alias("_row"),
        F.col("e.reasons").alias("_reasons"),
        F.col("e.file").alias("_file"),
        F.col("e.position").alias("_position"),
        F.col("e.at").alias("_at"),
    ]
    if step.kind == "land":
        return entries.alias("e").select(F.col("e.raw"), *about)
    if on == "row":
        return _from_json(context, step, entries).select("e.parsed.*", *about)
    bronze = rejudge.bronze_of(step)
    assert bronze is not None  # what is fixed on raw has its place there
    rows = rejudge.at_places(context.lake.frame(session, bronze, reads[bronze]), entries)
    values = [F.col(f"b.{quoted(name)}") for name in rows.columns if not name.startswith("_")]
    same = F.col("e.position") == F.col("b._position").cast(POSITION)
    return entries.alias("e").join(rows.alias("b"), same).select(*values, *about)


def _from_json(context: Context, step: Step, entries: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    kinds = {name: kind for name, kind in context.lake.columns(step.writes[0]).items() if not name.startswith("_")}
    schema = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
    return entries.withColumn("parsed", F.from_json("row", schema)).alias("e")


def pending(entries: DataFrame, chosen: DataFrame, step: Step) -> DataFrame:
    """Return the entries whose replay can give something else: a fix waits, or the rules have changed since.

    The waiting rows of one bronze row go together: they are made again of it together.
    """
    from pyspark.sql import functions as F

    fixed = F.col("state") == "fixed"
    if step.kind == "land":
        return chosen.where(fixed)
    return together(entries, chosen.where(fixed | ~F.col("code").eqNullSafe(F.lit(step.code))))


def together(entries: DataFrame, chosen: DataFrame) -> DataFrame:
    """Return the chosen entries with all others that wait under the same ids."""
    from pyspark.sql import functions as F

    ids = chosen.select(F.col("id").alias("_of")).distinct()
    return entries.where(WAITING).join(ids, F.col("id") == F.col("_of"), "left_semi")


def replay(context: Context, step: Step, intent: Intent) -> Facts:
    """Carry out a replay: the chosen rows made again, judged, and written as the step's own mode says."""
    from lakeloom.flow.transform import publish

    if step.kind == "land":
        from lakeloom.flow.reland import reland

        return reland(context, step, intent)
    step = rejudge.in_sequence(context, step)
    assert intent.side is not None
    with step_session(context.engine.spark()) as session:
        choice = Choice.of(intent.replay)
        entries, chosen = chosen_of(context, session, step, intent.reads, intent.side, choice)
        chosen = pending(entries, chosen, step)
        frame, origin = rejudge.remade(context, session, step, intent.reads, entries, chosen)
        return publish(context, session, step, intent, frame, origin, settling=rejudge.settled(chosen, frame))
