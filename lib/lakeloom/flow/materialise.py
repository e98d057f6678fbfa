"""Materialising feature views and datasets: pinned tables → events, labels joined as of a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.steps import Facts, Step
from lakeloom.flow.context import Context
from lakeloom.flow.lineage import noted
from lakeloom.flow.transform import rows_in
from lakeloom.flow.write import Part, write
from lakeloom.project.flows import answers
from lakeloom.session.spark import step_session
from lakeloom.store.intents import Intent
from lakeloom.store.manner import Manner

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def view(context: Context, step: Step, intent: Intent) -> Facts:
    """Write a feature view's events to ``features.<view>``; facts say how many rows had no key or time."""
    from pyspark.sql import Observation

    from lakeloom.features.views import materialise

    table = step.writes[0]
    with step_session(context.engine.spark()) as session:
        source = context.lake.frame(session, step.spec.source, intent.reads[step.spec.source])
        seen = Observation()
        events = materialise(source, step.spec, table.partition(".")[2], seen)
        lineage = noted(context, step, intent, events)
        facts = write(context, session, intent, [Part(table, events, Manner("overwrite"))], None, lineage=lineage)
        # A replay whose commit stood already ran no action, so nothing was observed.
        left_out = {} if facts.pop("already") else dict(seen.get)
    return facts | {"rows_in": rows_in(context, step, intent), "left_out": left_out}


def dataset(context: Context, step: Step, intent: Intent) -> Facts:
    """Write a dataset: labels joined to what was known as of their time, split, rows numbered."""
    from lakeloom.datasets.build import build

    spec, table = step.spec, step.writes[0]
    with step_session(context.engine.spark()) as session:
        labels = context.lake.frame(session, spec.labels.source, intent.reads[spec.labels.source])
        views = {name: (context.project.features[name], _events(context, session, intent, name)) for name in spec.views}
        declared = context.project.tables[spec.labels.source].columns
        available = {name: column.available_at for name, column in declared.items() if column.available_at}
        name = table.partition(".")[2]
        frame = build(labels, spec, views, available, name)
        lineage = noted(context, step, intent, frame, answers(context.project, name))
        facts = write(context, session, intent, [Part(table, frame, Manner("overwrite"))], None, lineage=lineage)
    facts.pop("already")
    return facts | {"rows_in": rows_in(context, step, intent)}


def _events(context: Context, session: SparkSession, intent: Intent, name: str) -> DataFrame:
    table = f"features.{name}"
    return context.lake.frame(session, table, intent.reads[table])
