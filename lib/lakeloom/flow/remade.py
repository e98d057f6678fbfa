"""Why a table's row is there: what its step makes of rows that carry their names, or of those of its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakeloom.core.errors import LakeloomError
from lakeloom.core.names import quoted
from lakeloom.core.steps import Step
from lakeloom.flow.found import COUNT, Row, collected, newest
from lakeloom.flow.naming import NAME, named_by, naming, told
from lakeloom.flow.origins import Making, making, only
from lakeloom.store.intents import Intent
from lakeloom.tables.tracing import WHY, UntraceableError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakeloom.flow.why import Walk
    from lakeloom.lineage.reason import Reason

# Of one row so many origins are taken along to prove it; more are counted.
MOST = 5000


def by_rows(walk: Walk, step: Step, intent: Intent, wanted: Mapping[str, Reason], *, alike: bool) -> None:
    """Explain rows by carrying the names of the inputs' rows through the step."""
    from pyspark.sql import functions as F

    does = making(walk.context, walk.session, step, intent)
    try:
        frame = walk.of(next(iter(wanted.values())).table, does.traced(does.inputs), wanted)
    except LakeloomError:
        raise
    except UntraceableError:
        raise
    except Exception as cause:  # what Spark does not take of the rewritten query
        raise UntraceableError(f"SQL that can't be traced ({type(cause).__name__})") from cause
    origins = F.array_sort(F.array_distinct(F.col(WHY)))
    frame = frame.withColumn(COUNT, F.size(origins)).withColumn(WHY, F.slice(origins, 1, MOST))
    candidates: dict[str, list[Row]] = {}
    for row in collected(frame):
        if not alike or walk.same(step, wanted[row[NAME]], row):
            candidates.setdefault(row[NAME], []).append(row)
    taken = {name: newest(step, rows) for name, rows in candidates.items()}
    if not taken:
        return
    every: dict[str, set[str]] = {}
    for row in taken.values():
        for name in row[WHY]:
            every.setdefault(told(name)[0], set()).add(name)
    kept = {table: sorted(names) for table, names in every.items()}
    again = _again(walk, step, does, only(does.inputs, kept, does.whole), {name: wanted[name] for name in taken})
    for name, row in taken.items():
        each = wanted[name]
        each.level, each.reproduced = "rows", name in again if row[COUNT] <= MOST else None
        each.notes += does.notes
        each.reads = {table: intent.reads[table] for table in sorted(does.whole)}
        walk.attach(each, intent.reads, row[WHY], row[COUNT])
        if not alike:
            each.notes.append("the step's code or config is another now: told is what it would make this row of")
        elif each.reproduced is False:
            each.notes.append("these rows alone do not make it: it depends on others beside them")


def by_step(walk: Walk, step: Step, intent: Intent, wanted: Mapping[str, Reason], key: str, reason: str) -> None:
    """Explain rows of a step that can't be looked into: by the rows of their key where these make them."""
    from pyspark.sql import functions as F

    does, table = making(walk.context, walk.session, step, intent), next(iter(wanted.values())).table
    by_key = _passed(walk, key, does, table, next(iter(wanted.values())))
    inputs = dict(does.inputs)
    for source, columns in by_key.items():
        text = named_by(table, [F.col(quoted(old)).alias(new) for new, old in columns.items()])
        inputs[source] = inputs[source].withColumn(NAME, text).where(F.col(NAME).isin(*wanted))
    bare = {source: frame.drop(NAME) for source, frame in inputs.items()}
    again = _again(walk, step, does, bare, wanted) if by_key else set()
    rest = {name: each for name, each in wanted.items() if name not in again}
    whole = _again(walk, step, does, does.inputs, rest) if rest else set()
    for name in again:
        each = wanted[name]
        each.level, each.reproduced = "key", True
        each.notes.append(f"{reason}: told are the rows of its key, which make it")
        each.reads = {table: version for table, version in intent.reads.items() if table not in by_key}
        for source in by_key:
            mine = [row[WHY] for row in inputs[source].where(F.col(NAME) == name).select(WHY).limit(MOST).collect()]
            walk.attach(each, intent.reads, sorted(set(mine)), len(mine))
    for name in whole:
        each = wanted[name]
        each.level, each.reproduced = "step", True
        each.notes.append(f"{reason}: told by the step")
        each.reads = dict(intent.reads)
        each.sources = []


def _passed(walk: Walk, key: str, does: Making, table: str, one: Reason) -> dict[str, dict[str, str]]:
    """Return the inputs that have all columns of the row's name as they are: column → the input's column."""
    flows = walk.kept.of(key)
    if flows is None or flows.basis != "plan":
        return {}
    names = naming(walk.context.project, table, walk.types(one))
    found = {}
    for source, frame in does.inputs.items():
        columns = {
            name: flow.column
            for name in names
            for made in [flows.columns.get(name)]
            if made is not None and made.way == "same"
            for flow in made.flows
            if flow.table == source and flow.how == "value" and flow.column in frame.columns
        }
        if set(columns) == set(names):
            found[source] = columns
    return found


def _again(
    walk: Walk, step: Step, does: Making, inputs: dict[str, DataFrame], wanted: Mapping[str, Reason]
) -> set[str]:
    """Return which rows the author's own code makes of some inputs."""
    table = next(iter(wanted.values())).table
    found = collected(walk.of(table, does.plain(inputs), wanted))
    return {row[NAME] for row in found if walk.same(step, wanted[row[NAME]], row)}
