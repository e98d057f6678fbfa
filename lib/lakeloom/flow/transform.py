"""Transforming: pinned inputs → SQL or a function → contract → rules → quarantine and table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.cleansing.apply import clean
from lakeloom.core.names import TableName
from lakeloom.core.steps import Facts, Input, Step
from lakeloom.flow.background import background
from lakeloom.flow.background import judged as rules_of
from lakeloom.flow.context import Context
from lakeloom.flow.contracts import keep_made
from lakeloom.flow.lineage import Noted, noted
from lakeloom.flow.making import made
from lakeloom.flow.rejudge import decided, relanded, rows_with_fixes, unmarked, with_fixes
from lakeloom.flow.shape import shaped
from lakeloom.flow.staging import staged
from lakeloom.flow.write import Part, take_back, write
from lakeloom.project.spec import Project
from lakeloom.quality.aggregates import audit
from lakeloom.quality.results import RuleResult, require
from lakeloom.quality.rows import judging
from lakeloom.session.spark import step_session
from lakeloom.store.intents import Intent
from lakeloom.store.manner import DELETED, Manner
from lakeloom.tables import quarantine
from lakeloom.tables.bronze import Stamp
from lakeloom.tables.contract import conform
from lakeloom.tables.deletions import OPERATION, marked
from lakeloom.tables.feed import outlived, unwrapped
from lakeloom.tables.resolve import counted, resolve
from lakeloom.tables.snapshots import newest_state, refuse_late
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.streaming import timed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def transform(context: Context, step: Step, intent: Intent) -> Facts:
    """Carry out a transform at the intent's versions; return its facts."""
    with step_session(context.engine.spark()) as session:
        inputs = {read.table: read_input(context, session, read, intent) for read in step.reads if read.mode != "look"}
        fixed = decided(context, session, intent, step.writes[0])
        frame = refine(context.project, step, session, with_fixes(step, inputs, fixed))
        lineage = noted(context, step, intent, frame)
        frame = rows_with_fixes(step, frame, fixed)
        frame = frame.where(intent.within) if intent.within else frame
        beside = _losers(step, inputs)
        facts = publish(context, session, step, intent, frame, _origin(inputs), beside, lineage=lineage)
        return facts | ({"conflicts": counted(beside.frame)} if beside is not None else {})


def refine(project: Project, step: Step, session: SparkSession, inputs: dict[str, DataFrame]) -> DataFrame:
    """Return what the step's SQL or function makes of its inputs, cleansed, in the table's contract.

    Raises
    ------
    CleansingError
        LL-CLEAN-002 where a verb does not fit what the SQL or function made.
    TableError
        LL-TABLE-004 where it does not fit the contract, LL-TABLE-007 where the SQL does not analyse.
    RunError
        LL-RUN-004 where the function raises.
    """
    spec: TableSpec = step.spec
    if spec.stream is not None:  # over frames that don't stream its query says the same
        inputs = {table: timed(frame, spec.stream.watermarks.get(table)) for table, frame in inputs.items()}
    if spec.resolve is not None:
        frame = resolve(inputs, spec.resolve, spec.keys, tuple(spec.columns), step.name).rows
    elif spec.changes is not None:
        (changes,) = inputs.values()
        frame = unwrapped(changes, spec.changes, spec.columns, evolve=spec.evolve, table=step.writes[0])
    else:
        frame = made(project, step, session, inputs)
    return finished(step, frame)


def finished(step: Step, frame: DataFrame) -> DataFrame:
    """Return what a step's SQL or function made, cleansed, in the table's contract; raises as `refine`."""
    spec: TableSpec = step.spec
    if spec.resolve is None and spec.changes is None:
        frame = marked(frame, spec.write.delete_when)
    frame = conform(clean(frame.drop(OPERATION), spec.clean, step.name), step.writes[0], spec)
    follows = spec.changes is not None and spec.changes.format == "delta" and spec.write.by_key
    return outlived(frame, spec.keys) if follows else frame


def read_input(context: Context, session: SparkSession, read: Input, intent: Intent) -> DataFrame:
    """Return an input at its pinned version: its new rows or its changes, or all of it on a build from scratch."""
    since = intent.since.get(read.table)
    if read.mode == "changes":
        return context.lake.changes(session, read.table, None if intent.full else since, intent.reads[read.table])
    frame = context.lake.frame(session, read.table, intent.reads[read.table])
    if read.mode == "new" and since is not None and not intent.full:
        fresh = " OR ".join(
            [f"_position.epoch > {since}", *relanded(context, read.table, since, intent.reads[read.table])]
        )
        frame = frame.where(f"{fresh} OR ({intent.again})" if intent.again else fresh)
        # Which rows are new is the runner's own filter, and no part of what the table is made of.
        frame = frame.alias(f"{read.table}@{intent.reads[read.table]}")
    return frame


def _losers(step: Step, inputs: dict[str, DataFrame]) -> Part | None:
    """Return what the sources said that was not taken, for a table that keeps it."""
    spec: TableSpec = step.spec
    if spec.resolve is None or spec.resolve.losers is None:
        return None
    found = resolve(inputs, spec.resolve, spec.keys, tuple(spec.columns), step.name)
    return Part(spec.resolve.losers, found.losers, Manner("overwrite"))


def rows_in(context: Context, step: Step, intent: Intent) -> int:
    """Return how many rows the step's inputs hold for this execution, from the log's statistics."""
    total = 0
    for read in step.reads:
        if read.mode == "look" or read.table.partition(".")[0] in ("models", "tuning"):
            continue
        total += context.lake.size(read.table, intent.reads[read.table]).rows
        if read.mode == "new" and not intent.full and read.table in intent.since:
            last = context.intents.published(step.name)
            before = last.intent.reads.get(read.table) if last else None
            total -= context.lake.size(read.table, before).rows if before is not None else 0
    return total


def _origin(inputs: dict[str, DataFrame]) -> DataFrame | None:
    """Return the bronze rows that were read; None where positions of several bronze tables could meet."""
    bronze = [frame for table, frame in inputs.items() if table.startswith("bronze.")]
    return bronze[0] if len(bronze) == 1 else None


def publish(
    context: Context,
    session: SparkSession,
    step: Step,
    intent: Intent,
    frame: DataFrame,
    origin: DataFrame | None,
    beside: Part | None = None,
    *,
    settling: DataFrame | None = None,
    apart: DataFrame | None = None,
    lineage: Noted | None = None,
) -> Facts:
    """Judge a step's rows, write them and what they leave in quarantine, audit the table; return the facts.

    Parameters
    ----------
    origin : DataFrame or None
        The bronze rows that the rows were made of, as they came.
    beside : Part, optional
        What is written beside the table.
    settling : DataFrame, optional
        Of a replay: the entries that it settles.
    apart : DataFrame, optional
        Entries of quarantine of rows that were kept out before there was anything to judge.
    lineage : dict, optional
        What was noted of the flows into the tables.
    """
    spec: TableSpec = step.spec
    table = step.writes[0]
    keep_made(context, step, intent, frame)
    last = _last_state(context, step, intent)
    frame = refuse_late(frame, str(spec.write.snapshot_by), last) if last is not None else frame
    asked = judging(
        frame, rules_of(context, step), where=step.name, background=background(context, session, step, intent),
        exempt=DELETED, always=spec.never_null,
    )  # fmt: skip
    early = staged(context, session, step, intent, asked)
    judged = early.judged if early is not None else asked.counted(often=spec.write.by_key)
    try:
        broken = None
        if judged.broken_rows or settling is not None:
            mark = Stamp(intent.epoch, intent.clock, intent.run)
            broken = quarantine.rejected(judged.broken, step.name, mark, origin, code=step.code)
        if apart is not None:
            broken = apart if broken is None else broken.unionByName(apart)
        state = newest_state(judged.good, spec.write.snapshot_by) if spec.write.snapshot_by else None
        parts = shaped(context, session, table, spec, intent, unmarked(judged.good)) if early is None else early.parts()
        with parts as found:
            written = [*([beside] if beside else []), *found]
            facts = write(context, session, intent, written, broken, settling, lineage=lineage)
    finally:
        judged.release()
        if early is not None:
            early.forget()
    facts.pop("already")
    results = [*judged.results, *_audit(context, session, step, intent, facts)]
    told = intent.again or intent.replay or any(read.mode == "changes" for read in step.reads)
    read = judged.rows if told and judged.rows >= 0 else rows_in(context, step, intent)
    rules = [result.as_dict() for result in results]
    facts |= {"rows_in": read, "rules": rules, "changed": judged.changed}
    return facts | ({"state": state or last} if spec.write.snapshot_by else {})


def _last_state(context: Context, step: Step, intent: Intent) -> str | None:
    """Return the newest whole state of the source that the table has taken, None on a build from scratch."""
    if step.spec.write.snapshot_by is None or intent.full:
        return None
    record = context.intents.published(step.name)
    return record.facts.get("state") if record and record.facts else None


def _audit(context: Context, session: SparkSession, step: Step, intent: Intent, facts: Facts) -> list[RuleResult]:
    """Judge the whole table at its new version; bring it back to the last good one where a rule stops it.

    Until this has passed the version is not published, so no reader inside the platform meets it.
    """
    rules, table = rules_of(context, step), step.writes[0]
    if intent.replay:  # its few rows say nothing about the rows of other executions
        rules = tuple(rule for rule in rules if rule.expect != "volume")
    if not any(rule.scope == "table" for rule in rules):
        return []
    beyond = background(context, session, step, intent, facts["rows_out"])
    results = audit(context.lake.frame(session, table, facts["version"]), rules, step.name, beyond)
    if any(result.stops for result in results):
        side = str(TableName.parse(table).quarantine)
        take_back(context, intent, [name for name in facts["versions"] if name != side])
        require(results, step.name, "LL-RULE-002")
    return results
