"""Scoring: the champion over every row of its dataset, labelled or not → the model's scores table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import TrainError
from lakeloom.core.steps import Facts, Step
from lakeloom.flow.context import Context
from lakeloom.flow.lineage import noted
from lakeloom.flow.model import record_of
from lakeloom.flow.transform import rows_in
from lakeloom.flow.write import Part, write
from lakeloom.project.flows import scored as told
from lakeloom.session.spark import step_session
from lakeloom.store.intents import Intent
from lakeloom.store.manner import Manner

if TYPE_CHECKING:
    import pandas as pd


def score(context: Context, step: Step, intent: Intent) -> Facts:
    """Write the scores table: the dataset's keys, ``_row``, ``_as_of``, ``_split``, ``label``, ``score``, the model."""
    from pyspark.sql import functions as F

    spec, table = step.spec, step.writes[0]
    dataset = f"datasets.{spec.dataset}"
    model = next(read.table for read in step.reads if read.table.startswith("models."))
    record = record_of(context, model, intent.reads[model])
    if record is None or record.facts is None:
        raise TrainError(
            "LL-TRAIN-003", f"{model} has no execution {intent.reads[model]}", where=step.name, fix="train it"
        )
    serving = record.facts["serving"]
    with step_session(context.engine.spark()) as session:
        # Small Arrow batches would call the model thousands of times.
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "50000")
        rows = context.lake.frame(session, dataset, intent.reads[dataset])
        keys = context.project.datasets[spec.dataset].labels.keys
        kept = [*keys, "_row", "_as_of", "_split", "label"]
        schema = ", ".join([*(f"`{name}` {kind}" for name, kind in rows.select(*kept).dtypes), "score double"])
        folder = str(context.project.work / serving["folder"])
        scored = rows.mapInPandas(scorer(folder, kept), schema)
        scored = scored.withColumns(
            {
                "_model": F.lit(model.partition(".")[2]),
                "_model_version": F.lit(serving["registered"]).cast("int"),
                "_trained": F.lit(serving["epoch"]).cast("bigint"),
            }
        )
        lineage = noted(context, step, intent, scored, told(context.project, model.partition(".")[2]))
        facts = write(context, session, intent, [Part(table, scored, Manner("overwrite"))], None, lineage=lineage)
    facts.pop("already")
    return facts | {"rows_in": rows_in(context, step, intent), "serving": serving}


def scorer(folder: str, kept: list[str]) -> Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]:
    """Return a function for ``mapInPandas``: the `kept` columns and ``score``; the model is read once a task."""

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        from pathlib import Path

        from lakeloom.registry.flavour import read_model

        model = read_model(Path(folder))
        for batch in batches:
            yield batch[kept].assign(score=model.predict(batch))

    return run
