"""Noting what flows into each table that a step writes: looked at once, in the runner, and kept by its hash.

What flows is read from the analysed plan of the rows that the step made, before its rules and its way of writing
come in. Where there is no plan, SQL's text tells the values; a function tells nothing but its inputs. Noting never
stops a step: what could not be made out is noted as unknown, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import LakeloomError
from lakeloom.core.names import TableName
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.lineage.flows import Flow, Flows, of_steps
from lakeloom.lineage.made import keep
from lakeloom.lineage.plan import read
from lakeloom.lineage.sql import of_sql
from lakeloom.lineage.values import Value
from lakeloom.project import flows as declared
from lakeloom.project.graph import is_stream, is_table
from lakeloom.project.prints import printed
from lakeloom.store.checkpoints import Workplace
from lakeloom.store.intents import Intent, replace

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Nodes times columns of a plan, beyond which its text would take seconds to write.
LARGEST = 30_000
_FILE = "lineage.json"
Noted = dict[str, str]


class _UnseenError(Exception):
    """A plan that can't be looked at; says why."""


def noted(
    context: Context, step: Step, intent: Intent, frame: DataFrame, known: Mapping[str, Value] | None = None
) -> Noted:
    """Return table → hash of what flows into it, for every table that the step writes of `frame`; it never raises.

    Parameters
    ----------
    frame : DataFrame
        The rows that the step made, before its rules.
    known : mapping, optional
        Column → value, of what functions give that a plan can't look into.
    """
    if intent.replay:  # it puts single rows into what an ordinary execution made
        return {}

    def look() -> dict[str, Flows]:
        if step.kind == "land":
            made = declared.landed(step.spec.name, frame.columns)
            return {step.writes[0]: made, str(TableName.parse(step.writes[0]).quarantine): declared.beside(made.tables)}
        made = _looked(context, step, intent, frame, known)
        if step.kind == "export":
            return {step.writes[0]: made}
        made = _own_left_out(step, made)
        if step.kind == "transform":
            return declared.written(step.writes[0], step.spec, made)
        return {step.writes[0]: made}

    return _kept(context, step, intent, look)


def noted_of_model(context: Context, step: Step, intent: Intent) -> Noted:
    """Return the same of a training or study, which writes no table."""
    return _kept(context, step, intent, lambda: {step.writes[0]: declared.fitted(context.project, step)})


def noted_prints(context: Context, step: Step, intent: Intent) -> str:
    """Return the hash of how the step made its table, by column where that can be told; it never raises."""
    if intent.replay or step.kind == "upkeep":
        return ""
    last = context.intents.published(step.name)
    if last is not None and last.intent.code == intent.code and not last.intent.replay and last.facts:
        known = str(last.facts.get("prints") or "")
        if known and "*" not in context.project.sql.get(step.name, ""):  # a star follows the columns of its inputs
            return known
    try:
        schemas = {table: context.lake.columns(table, at) for table, at in intent.reads.items() if is_table(table)}
        return keep(context.project.root, printed(context.project, step, schemas))
    except Exception:  # what is declared may be as odd as a plan; the next change is told for the whole table then
        return ""


def note_query(step: Step, frame: DataFrame, workplace: Workplace) -> None:
    """Keep what flows into the rows that a streaming query gives out, beside them; it never raises."""
    try:
        made = read(_plan(frame))
    except Exception as cause:  # whatever it is, the stream goes on
        made = of_steps((read.table for read in step.reads), _why(cause))
    try:
        replace(workplace.folder / _FILE, json.dumps(made.as_dict()))
    except LakeloomError:
        return


def laid_down(step: Step, frame: DataFrame, epoch: int) -> DataFrame:
    """Return what a streaming query gave out under a name by which its own flows are found."""
    return frame.alias(f"{_given(step)}@{epoch}")


def _given(step: Step) -> str:
    return f"query.{step.name.replace('.', '__')}"


def _kept(context: Context, step: Step, intent: Intent, look: Callable[[], dict[str, Flows]]) -> Noted:
    root = context.project.root
    try:
        try:
            found = look()
        except Exception as cause:  # what is declared may be as odd as a plan
            found = {step.writes[0]: of_steps(intent.reads, _why(cause))}
        return {table: keep(root, flows) for table, flows in found.items()}
    except LakeloomError:  # the disk is full: the step's own write will say so
        return {}


def _looked(context: Context, step: Step, intent: Intent, frame: DataFrame, known: Mapping[str, Value] | None) -> Flows:
    try:
        return read(_plan(frame), _inner(context, step, intent), known)
    except Exception as cause:  # a plan is Spark's own matter, and may hold what no release had before
        problem = _why(cause)
    try:
        sql = context.project.sql.get(step.name)
        if sql is not None:
            schemas = {table: context.lake.columns(table, version) for table, version in intent.reads.items()}
            return of_sql(sql, schemas, problem)
    except Exception as cause:
        problem = f"{problem}; its SQL: {_why(cause)}"
    return of_steps(filter(is_table, intent.reads), problem, frame.columns)


def _plan(frame: DataFrame) -> str:
    """Return a frame's analysed plan as JSON; raises _UnseenError where there is none, or it is too large."""
    inner: Any = getattr(frame, "_jdf", None)
    if inner is None:
        raise _UnseenError("a client of Spark Connect sees no plan")
    plan = inner.queryExecution().analyzed()
    nodes = plan.treeString(False, False, 1, False).count("\n")
    if nodes * len(frame.columns) > LARGEST:
        raise _UnseenError(f"the plan is too large to be told: {nodes:,} nodes, {len(frame.columns):,} columns")
    return str(plan.toJSON())


def _inner(context: Context, step: Step, intent: Intent) -> dict[str, Flows]:
    if not is_stream(step):
        return {}
    file = Workplace.of(context.project.root, step.name, intent.epoch).folder / _FILE
    return {_given(step): Flows.of(json.loads(Path(file).read_text(encoding="utf-8")))}


def _own_left_out(step: Step, made: Flows) -> Flows:
    """Leave out what a table takes of itself and of what is kept beside it."""
    name = TableName.parse(step.writes[0])
    own = {*step.writes, str(name.aside), str(name.quarantine)}

    def others(flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
        return tuple(flow for flow in flows if flow.table not in own)

    columns = {
        column: type(flow)(flow.expression, flow.way, others(flow.flows)) for column, flow in made.columns.items()
    }
    return Flows(columns, others(made.rows), made.basis, made.problem, made.renamed)


def _why(cause: Exception) -> str:
    """Return a reason without anything that could be a row's value."""
    return str(cause) if isinstance(cause, _UnseenError) else f"its plan could not be read ({type(cause).__name__})"
