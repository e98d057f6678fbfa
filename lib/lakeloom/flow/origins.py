"""One execution of a step done again for single rows: what its rows were made of, and whether these make them again.

Two readings of one step. `traced` carries the names of the inputs' rows through the step, to say which were taken;
`plain` is the author's own SQL or function, over those rows alone: what it gives must be the row that stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.given import Frames, given, standing
from lakeloom.flow.making import NOT_PASSED
from lakeloom.flow.naming import named
from lakeloom.flow.rejudge import decided, rows_with_fixes, unmarked
from lakeloom.flow.transform import finished, refine
from lakeloom.store.intents import Intent
from lakeloom.store.manner import DELETED
from lakeloom.tables.feed import unwrapped
from lakeloom.tables.history import FROM
from lakeloom.tables.sql import view_of
from lakeloom.tables.streaming import timed
from lakeloom.tables.tracing import WHY, UntraceableError, named_view, traced

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakeloom.features.spec import FeatureView

_EVENT_WHY = "why_"


@dataclass(frozen=True)
class Making:
    """A step over the inputs of one of its executions.

    Attributes
    ----------
    inputs : dict
        Table → its rows, with their names in the column `WHY`.
    traced : callable
        Inputs → the rows that are made, with an array of names in `WHY`; raises UntraceableError.
    plain : callable
        Inputs → the rows that the author's own code makes.
    whole : set of str
        Inputs that are only looked at; known once `traced` was called.
    notes : list of str
    """

    inputs: Frames
    traced: Callable[[Frames], DataFrame]
    plain: Callable[[Frames], DataFrame]
    whole: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def making(context: Context, session: SparkSession, step: Step, intent: Intent) -> Making:
    """Return a step over the inputs that one of its executions had."""
    if step.kind == "materialise":
        return _events(context, session, step, intent)
    fixed = decided(context, session, intent, step.writes[0])
    inputs = given(context, session, step, intent, fixed)
    notes = ["fixes of its quarantine are laid over the rows"] if fixed is not None else []
    whole: set[str] = set()

    def trace(frames: Frames) -> DataFrame:
        return _placed(step, intent, fixed, _traced(context, session, step, frames, whole, notes))

    def plain(frames: Frames) -> DataFrame:
        bare = {table: frame.drop(WHY) for table, frame in frames.items()}
        return _placed(step, intent, fixed, refine(context.project, step, session, bare))

    return Making(inputs, trace, plain, whole, notes)


def only(frames: Frames, names: Mapping[str, Sequence[str]], whole: set[str]) -> Frames:
    """Return the inputs with the rows of these names alone; those that are told as a whole stay as they are."""
    from pyspark.sql import functions as F

    return {
        table: frame if table in whole else frame.where(F.col(WHY).isin(*names.get(table, ())))
        for table, frame in frames.items()
    }


def _traced(
    context: Context, session: SparkSession, step: Step, inputs: Frames, whole: set[str], notes: list[str]
) -> DataFrame:
    from pyspark.sql import functions as F

    spec = step.spec
    if spec.function is not None:
        raise UntraceableError("a function, into which nothing can be seen")
    if spec.resolve is not None:
        raise UntraceableError("a resolution of what several sources say")
    if spec.stream is not None:
        inputs = {table: timed(frame, spec.stream.watermarks.get(table)) for table, frame in inputs.items()}
    arrays = {table: frame.withColumn(WHY, F.array(WHY)) for table, frame in inputs.items()}
    if spec.changes is not None:
        return finished(step, unwrapped(next(iter(arrays.values())), spec.changes, spec.columns))
    if spec.passes:
        (frame,) = arrays.values()
        return finished(step, frame.drop(*NOT_PASSED))
    query = traced(context.project.sql[step.name], set(inputs))
    for table in inputs:
        inputs[table].drop(WHY).createOrReplaceTempView(view_of(table))
        arrays[table].createOrReplaceTempView(named_view(table))
    whole |= query.whole
    notes += [note for note in query.notes if note not in notes]
    return finished(step, session.sql(query.sql).withColumnRenamed(query.why, WHY))


def _placed(step: Step, intent: Intent, fixed: DataFrame | None, frame: DataFrame) -> DataFrame:
    """Return the rows that would be written, fixed, under the names by which a history is asked."""
    from pyspark.sql import functions as F

    frame = unmarked(rows_with_fixes(step, frame, fixed))
    frame = frame.where(intent.within) if intent.within else frame
    if DELETED in frame.columns:
        frame = frame.where(f"NOT coalesce({DELETED}, false)")
    order = step.spec.write.order
    if step.spec.write.mode in ("scd2", "scd4") and order in frame.columns:
        frame = frame.withColumn(FROM, F.col(quoted(str(order))))
    return frame


def _events(context: Context, session: SparkSession, step: Step, intent: Intent) -> Making:
    """Return a feature view over its table: an event is a row of it."""
    from lakeloom.features.spec import ViewColumn
    from lakeloom.features.views import materialise

    view: FeatureView = step.spec
    name = step.writes[0].partition(".")[2]
    rows = standing(context, session, view.source, intent.reads[view.source])

    def trace(frames: Frames) -> DataFrame:
        from pyspark.sql import functions as F

        beside = {**view.columns, _EVENT_WHY: ViewColumn(expr=f"`{WHY}`", of=("last",))}
        events = materialise(frames[view.source], view.model_copy(update={"columns": beside}), name)
        return events.withColumn(WHY, F.array(_EVENT_WHY)).drop(_EVENT_WHY)

    def plain(frames: Frames) -> DataFrame:
        return materialise(frames[view.source].drop(WHY), view, name)

    return Making({view.source: named(context, view.source, rows)}, trace, plain)
