"""Transforming: pinned inputs → SQL or a function → contract → rules → quarantine and table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.errors import LakeloomError, RunError, TableError
from lakeloom.core.extras import missing
from lakeloom.core.kinds import load
from lakeloom.core.names import TableName
from lakeloom.core.steps import Facts, Input, Step
from lakeloom.flow.context import Context
from lakeloom.flow.rejudge import decided, rows_with_fixes, unmarked, with_fixes
from lakeloom.flow.write import write
from lakeloom.project.spec import Project
from lakeloom.quality.aggregates import audit
from lakeloom.quality.results import RuleResult, require
from lakeloom.quality.rows import JudgedFrame, judge
from lakeloom.session.spark import step_session
from lakeloom.store import refs
from lakeloom.store.commit import restore
from lakeloom.store.describe import quoted
from lakeloom.store.intents import Intent
from lakeloom.tables import quarantine
from lakeloom.tables.bronze import Stamp
from lakeloom.tables.contract import conform
from lakeloom.tables.newest import newest, repeated
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.sql import bind, view_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def transform(context: Context, step: Step, intent: Intent) -> Facts:
    """Carry out a transform at the intent's versions; return its facts."""
    with step_session(context.engine.spark()) as session:
        inputs = {read.table: read_input(context, session, read, intent) for read in step.reads}
        fixed = decided(context, session, intent, step.writes[0])
        frame = refine(context.project, step, session, with_fixes(step, inputs, fixed))
        frame = rows_with_fixes(step, frame, fixed)
        frame = frame.where(intent.within) if intent.within else frame
        return publish(context, session, step, intent, frame, _origin(inputs))


def refine(project: Project, step: Step, session: SparkSession, inputs: dict[str, DataFrame]) -> DataFrame:
    """Return what the step's SQL or function makes of its inputs, in the table's contract.

    Raises
    ------
    TableError
        LL-TABLE-004 where it does not fit the contract, LL-TABLE-007 where the SQL does not analyse.
    RunError
        LL-RUN-004 where the function raises.
    """
    return conform(_apply(project, step, session, inputs), step.writes[0], step.spec)


def publishable(judged: JudgedFrame, spec: TableSpec) -> DataFrame:
    """Return the rows that go into the table: those that broke no rule, of a merge the newest of each key."""
    good = unmarked(judged.good)
    if spec.write.mode == "merge" and repeated(good, spec.keys):
        return newest(good, spec.keys, spec.write.sequence_by)
    return good


def read_input(context: Context, session: SparkSession, read: Input, intent: Intent) -> DataFrame:
    """Return an input at its pinned version: its new rows, or all of them on a build from scratch."""
    frame = context.lake.frame(session, read.table, intent.reads[read.table])
    since = intent.since.get(read.table)
    if read.mode == "new" and since is not None and not intent.full:
        fresh = " OR ".join([f"_position.epoch > {since}", *_relanded(context, read.table, intent)])
        frame = frame.where(f"{fresh} OR ({intent.again})" if intent.again else fresh)
    return frame


def _relanded(context: Context, table: str, intent: Intent) -> list[str]:
    """Return a condition for the rows that a replay of bronze has put into their old place since the last time."""
    now = context.lake.epoch(table, table, intent.reads[table])
    later = [record.intent for record in context.intents.after(table, intent.since[table])]
    runs = [quoted(each.run) for each in later if each.replay and each.epoch <= now]
    return [f"_run IN ({', '.join(runs)})"] if runs else []


def rows_in(context: Context, step: Step, intent: Intent) -> int:
    """Return how many rows the step's inputs hold for this execution, from the log's statistics."""
    total = 0
    for read in step.reads:
        if read.table.partition(".")[0] in ("models", "tuning"):
            continue
        total += context.lake.size(read.table, intent.reads[read.table]).rows
        if read.mode == "new" and not intent.full and read.table in intent.since:
            last = context.intents.published(step.name)
            before = last.intent.reads.get(read.table) if last else None
            total -= context.lake.size(read.table, before).rows if before is not None else 0
    return total


def _apply(project: Project, step: Step, session: SparkSession, inputs: dict[str, DataFrame]) -> DataFrame:
    from pyspark.errors import AnalysisException, ParseException

    spec: TableSpec = step.spec
    try:
        if spec.function is not None:
            return load(spec.function, step.name)(inputs)
        for table, frame in inputs.items():
            frame.createOrReplaceTempView(view_of(table))
        return session.sql(bind(project.sql[step.name], set(inputs)))
    except LakeloomError:
        raise
    except (AnalysisException, ParseException) as cause:
        raise TableError(
            "LL-TABLE-007",
            f"the SQL does not analyse: {str(cause).splitlines()[0]}",
            where=f"{step.name} ({spec.sql or spec.function})",
            fix="mend the SQL, or run the step whose table it reads",
        ) from cause
    except Exception as cause:  # a user's function may raise anything; its values must not reach the message
        raise missing(cause, step.name) or RunError(
            "LL-RUN-004",
            f"{spec.function} raised {type(cause).__name__}",
            where=step.name,
            fix="run with --debug to see the traceback",
        ) from cause


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
    *,
    settling: DataFrame | None = None,
) -> Facts:
    """Judge a step's rows, write them and what they leave in quarantine, audit the table; return the facts.

    Parameters
    ----------
    origin : DataFrame or None
        The bronze rows that the rows were made of, as they came.
    settling : DataFrame, optional
        Of a replay: the entries that it settles.
    """
    spec: TableSpec = step.spec
    table = step.writes[0]
    judged = judge(frame, spec.judged(), where=step.name)
    try:
        broken = None
        if judged.broken_rows or settling is not None:
            mark = Stamp(intent.epoch, intent.clock, intent.run)
            broken = quarantine.rejected(judged.broken, step.name, mark, origin, code=step.code)
        mode = "overwrite" if intent.full or spec.write.mode == "overwrite" else spec.write.mode
        facts = write(
            context, session, intent, table, publishable(judged, spec), broken,
            mode=mode, keys=spec.keys, sequence=spec.write.sequence_by, evolve=spec.evolve == "add",
            settling=settling,
        )  # fmt: skip
    finally:
        judged.release()
    facts.pop("already")
    results = [*judged.results, *_audit(context, session, step, intent, facts["version"])]
    some = (intent.again or settling is not None) and judged.rows >= 0
    read = judged.rows if some else rows_in(context, step, intent)
    rules = [result.as_dict() for result in results]
    return facts | {"rows_in": read, "rules": rules, "changed": judged.changed}


def _audit(context: Context, session: SparkSession, step: Step, intent: Intent, version: int) -> list[RuleResult]:
    """Judge the whole table at its new version; bring it back to the last good one where a rule stops it.

    Until this has passed the version is not published, so no reader inside the platform meets it.
    """
    rules, table = step.spec.judged(), step.writes[0]
    if not any(rule.scope == "table" for rule in rules):
        return []
    results = audit(context.lake.frame(session, table, version), rules, where=step.name)
    if any(result.stops for result in results):
        good = refs.good(context.lake).get(table)
        if good is not None:
            restore(session, context.lake, TableName.parse(table), good, context.mark(intent, table))
        require(results, step.name, "LL-RULE-002")
    return results
