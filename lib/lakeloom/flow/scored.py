"""Why a row of a dataset, or a score, is there: the label's row, the events that it has seen, and the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.core.steps import Step
from lakeloom.flow.given import standing
from lakeloom.flow.model import record_of
from lakeloom.flow.naming import NAME, name_of, named
from lakeloom.store.intents import Intent
from lakeloom.tables.tracing import WHY

if TYPE_CHECKING:
    from lakeloom.flow.why import Walk
    from lakeloom.lineage.reason import Reason


def datasets(walk: Walk, step: Step, intent: Intent, wanted: Mapping[str, Reason]) -> None:
    """Explain rows of a dataset: one row of the label table, and of each view the events that it has seen."""
    from pyspark.sql import functions as F

    from lakeloom.datasets.build import build
    from lakeloom.datasets.seen import seen

    context, session, spec, table = walk.context, walk.session, step.spec, step.writes[0]
    project, source, keys = context.project, spec.labels.source, spec.labels.keys
    labels = named(context, source, standing(context, session, source, intent.reads[source]))
    labels = labels.where(name_of(table, labels.columns, keys).isin(*wanted))
    declared = project.tables[source].columns
    available = {name: column.available_at for name, column in declared.items() if column.available_at}
    found: dict[str, list[str]] = {name: [] for name in wanted}
    views = {}
    for view in spec.views:
        held = f"features.{view}"
        views[view] = named(context, held, context.lake.frame(session, held, intent.reads[held]))
    pairs = labels.select(name_of(table, labels.columns, keys).alias(NAME), WHY)
    bare = labels.drop(WHY)
    for use in spec.features:
        if use.view is not None:
            met = seen(bare, spec, use, project.features[use.view], views[use.view], available, WHY)
            pairs = pairs.unionByName(met.select(name_of(table, met.columns, keys).alias(NAME), WHY))
    for row in pairs.distinct().toArrow().to_pylist():
        found[row[NAME]].append(row[WHY])
    every = sorted({name for names in found.values() for name in names})
    events = {
        view: (project.features[view], rows.where(F.col(WHY).isin(*every)).drop(WHY)) for view, rows in views.items()
    }
    made = build(bare, spec, events, available, table.partition(".")[2])
    made = made.withColumn(NAME, name_of(table, made.columns, keys)).where(F.col(NAME).isin(*wanted))
    rows = {row[NAME]: row for row in made.toArrow().to_pylist()}
    for name, each in wanted.items():
        if found[name]:
            each.level = "rows"
            each.reproduced = name in rows and walk.same(step, each, rows[name])
            walk.attach(each, intent.reads, sorted(found[name]), len(found[name]))


def scores(walk: Walk, step: Step, intent: Intent, wanted: Mapping[str, Reason]) -> None:
    """Explain scores: the model that gave them, with what it was trained on, and the row that it was given."""
    from lakeloom.registry.flavour import read_model

    context = walk.context
    dataset = f"datasets.{step.spec.dataset}"
    model = next(read.table for read in step.reads if read.table.startswith("models."))
    record = record_of(context, model, intent.reads[model])
    if record is None or record.facts is None:
        return
    serving = record.facts["serving"]
    told = _model(walk, model, serving)
    names = {f"{dataset}|{name.partition('|')[2]}": name for name in wanted}
    rows = walk.fetched(dataset, intent.reads[dataset], names)
    fitted = read_model(context.project.work / serving["folder"])
    for name, (row, *_) in ((name, found) for name, found in rows.items() if found):
        import pandas as pd

        each = wanted[names[name]]
        each.level, each.model = "rows", told
        score = float(fitted.predict(pd.DataFrame([walk.raw[id(row)]]))[0])
        each.reproduced = walk.same(step, each, {"score": score})
        each.sources = [row]


def _model(walk: Walk, model: str, serving: Mapping[str, Any]) -> dict[str, Any]:
    """Return which model it was, and the versions of what it was trained on."""
    context = walk.context
    trained = record_of(context, model, int(serving["epoch"]))
    told: dict[str, Any] = {
        "name": model.partition(".")[2], "version": serving["registered"], "epoch": serving["epoch"],
    }  # fmt: skip
    if trained is None:
        return told
    intent, facts = trained.intent, trained.facts or {}
    reads = {name: version for name, version in intent.reads.items() if name.startswith("datasets.")}
    made_of: dict[str, int] = {}
    for name, version in reads.items():
        done = context.intents.maker(name, version)
        if done is not None:
            made_of |= done.intent.reads
    return told | {
        "run": intent.run, "mlflow_run": facts.get("mlflow_run"), "at": intent.clock, "dataset": reads,
        "reads": made_of, "code": (facts.get("manifest") or {}).get("git", ""),
    }  # fmt: skip
