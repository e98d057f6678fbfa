"""What flows where by what is declared: where no plan can tell it, or its words say it better.

A landing takes a source's columns as they are; the point-in-time join and a model's prediction are Python in
which a plan sees nothing; a history's own columns have one meaning in all tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lakeloom.core.names import TableName
from lakeloom.core.steps import Step
from lakeloom.datasets.columns import LABEL, feature_names, outputs
from lakeloom.features.spec import FeatureView, Output
from lakeloom.lineage.flows import ColumnFlow, Flow, Flows
from lakeloom.lineage.sql import of_condition
from lakeloom.lineage.values import Value
from lakeloom.project.spec import Project
from lakeloom.quality.judged import CHANGED, UNREAD
from lakeloom.quality.marks import FAULTS
from lakeloom.store.manner import DELETED
from lakeloom.tables.deletions import OPERATION
from lakeloom.tables.history import CURRENT, FROM, TO
from lakeloom.tables.spec import TableSpec

# Columns of rows on their way to a table, which it does not have.
_OWN = (DELETED, OPERATION, FAULTS, UNREAD)


def landed(source: str, columns: Sequence[str]) -> Flows:
    """Return the flows of a landing: each column is the source's, the platform's own are nobody's."""
    place = f"sources.{source}"
    made = {name: ColumnFlow(name, "same", (Flow(place, name, "value"),)) for name in columns if name[:1] != "_"}
    made |= {name: ColumnFlow("", "made") for name in columns if name[:1] == "_"}
    return Flows(made, (Flow(place, "", "rows"),), "declared")


def beside(tables: Iterable[str]) -> Flows:
    """Return the flows of what is kept beside a table: rows of its inputs, whole."""
    return Flows({}, tuple(Flow(table, "", "rows") for table in sorted(tables)), "declared")


def answers(project: Project, dataset: str) -> dict[str, Value]:
    """Return the columns that the point-in-time join gives a dataset: of which column of which view each is."""
    spec = project.datasets[dataset]
    found = {}
    for use in spec.features:
        if use.view is None:
            continue
        view = project.features[use.view]
        for output in outputs(use, project.features):
            found[f"{use.name}__{output.suffix}"] = _answer(use.view, view, output)
    return found


def scored(project: Project, model: str) -> dict[str, Value]:
    """Return the columns that scoring gives: the score is of the model and its features, the others pass."""
    spec = project.models[model]
    table, dataset = f"datasets.{spec.dataset}", project.datasets[spec.dataset]
    sources = {(table, name) for name in feature_names(dataset, project.features)}
    kept = [*dataset.labels.keys, "_row", "_as_of", "_split", LABEL]
    found = {name: Value(frozenset({(table, name)}), text=name, way="same") for name in kept}
    return found | {"score": Value(frozenset(sources | {(f"models.{model}", "")}), text=f"{model}(…)")}


def fitted(project: Project, step: Step) -> Flows:
    """Return the flows of a training or a study: the dataset's features and label go into it."""
    spec = project.models[step.name.partition(".")[2]]
    table, dataset = f"datasets.{spec.dataset}", project.datasets[spec.dataset]
    rows = [Flow(table, name, "value", step.kind) for name in (*feature_names(dataset, project.features), LABEL)]
    rows += [Flow(read.table, "", "value", read.table) for read in step.reads if read.table.startswith("tuning.")]
    return Flows({}, (*rows, Flow(table, "_split", "filter", "_split"), Flow(table, "", "rows")), "declared")


def written(table: str, spec: TableSpec, made: Flows) -> dict[str, Flows]:
    """Return the flows of every table that a step writes of the rows that it made, by the way in which it writes.

    Parameters
    ----------
    made : Flows
        Of the rows.
    """
    name, write = TableName.parse(table), spec.write
    columns = {
        column: flow for column, flow in made.columns.items() if column not in _OWN and not column.startswith(CHANGED)
    }
    renamed = {new: column.renamed_from for new, column in spec.columns.items() if column.renamed_from}
    own = Flows(columns, made.rows, made.basis, made.problem, renamed)
    aside = beside(made.tables)
    found = {str(name.quarantine): aside}
    if spec.resolve is not None and spec.resolve.losers is not None:
        found[spec.resolve.losers] = aside
    if not write.by_key:
        return found | {table: own}
    keyed = _keyed(own, spec.keys, write.order, _decided(made, spec))
    versions = _versions(keyed, str(write.order)) if write.mode in ("scd2", "scd4") else keyed
    found |= {str(name.aside): aside, write.history or table: versions}
    return found | ({table: keyed} if write.mode != "scd2" else {})


def _decided(made: Flows, spec: TableSpec) -> list[Flow]:
    """Return what decides whether a row is deleted or updated: a filter on the rows, and so on every column."""
    write, found = spec.write, list[Flow]()
    if write.delete_when or spec.changes is not None:
        text, paths = of_condition(write.delete_when) if write.delete_when else ("", ())
        marked = made.columns.get(DELETED)
        if marked is not None:
            found += [Flow(each.table, each.column, "filter", text or marked.expression) for each in marked.flows]
        else:  # without a plan: columns of the row under their own names, of which some are not stored
            found += _named(made, paths, text)
    if write.update_when:
        # The row that stands was made of the same columns as the new one.
        text, paths = of_condition(write.update_when, ("new", "old"))
        found += _named(made, paths, text)
    return found


def _named(made: Flows, paths: Iterable[tuple[str, ...]], text: str) -> list[Flow]:
    """Return the flows of the columns that a condition names, as what filters; a field's where that can be told."""
    known, found = {name.lower(): column for name, column in made.columns.items()}, []
    for name, *inside in paths:
        column = known.get(name.lower(), ColumnFlow("", "unknown"))
        field = "".join(f".{each}" for each in inside) if column.way == "same" else ""
        for flow in column.flows:
            path = field if flow.how == "value" else ""
            found.append(Flow(flow.table, f"{flow.column}{path}", "filter", text))
    return found


def _keyed(made: Flows, keys: Iterable[str], order: str | None, decided: Iterable[Flow]) -> Flows:
    """Return flows into a table with one row, or one chain of versions, a key."""
    rows = [*made.rows, *decided]
    for column, how in [*((key, "grouping") for key in keys), *([(order, "window")] if order else [])]:
        flows = made.columns[column].flows if column in made.columns else ()
        rows += [Flow(flow.table, flow.column, how, column) for flow in flows]  # type: ignore[arg-type]  # one of How
    return Flows(made.columns, tuple(dict.fromkeys(rows)), made.basis, made.problem, made.renamed)


def _versions(made: Flows, order: str) -> Flows:
    flows = made.columns[order].flows if order in made.columns else ()
    span = {
        FROM: ColumnFlow(order, "same", flows),
        TO: ColumnFlow(f"the next {order} of the key", "made", flows),
        CURRENT: ColumnFlow(f"no later {order} of the key", "made", flows),
    }
    return Flows(made.columns | span, made.rows, made.basis, made.problem, made.renamed)


def _answer(name: str, view: FeatureView, output: Output) -> Value:
    from lakeloom.features.views import AVAILABLE_AT, EVENT_TIME  # takes pyspark, which is slow to import

    table = f"features.{name}"
    column = output.column or EVENT_TIME
    times = frozenset(Flow(table, time, "filter", "known as of the time") for time in (EVENT_TIME, AVAILABLE_AT))
    keys = frozenset(Flow(table, key, "join key", f"the same {', '.join(view.keys)}") for key in view.keys)
    text = column if output.aggregate == "last" else f"{output.aggregate}({column})"
    way = "same" if output.aggregate == "last" else "aggregated"
    return Value(frozenset({(table, column)}), times | keys, text, way)  # type: ignore[arg-type]  # one of Way
