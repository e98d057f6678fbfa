"""The evaluation facts of a model beside its baselines, as plain JSON-able data for pages and MLflow."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from lakeloom.estimators.base import Fitted, Floats, labels_of
from lakeloom.evaluation.curves import curves
from lakeloom.evaluation.groups import groups
from lakeloom.evaluation.importance import importance
from lakeloom.evaluation.intervals import intervals
from lakeloom.evaluation.metrics import score
from lakeloom.training.fit import TrainResult
from lakeloom.training.loader import Pinned, read_split

SPLITS = ("train", "valid", "test")


def evaluate(
    data: Pinned,
    results: Mapping[str, TrainResult],
    seed: int,
    by: Sequence[str] = (),
    curves_on: str = "test",
    day: str = "_as_of",
) -> dict[str, Any]:
    """Measure the models on all splits.

    Parameters
    ----------
    data : Pinned
    results : mapping
        Name to training; the first is *the* model, whose importance, groups and epochs are told.
    seed : int
        Of the bootstrap and the permutations.
    by : sequence of str
        Columns by whose values the first model is measured on `curves_on`.
    curves_on : str
        The split of curves, importance and groups.
    day : str
        The date or timestamp whose months are groups too; a timestamp's months are UTC's.

    Returns
    -------
    dict
        ``dataset``, ``models``, ``importance``, ``groups``, ``tuning`` (empty, the study fills it), ``epochs``.
    """
    extra = [*by, day]
    tables = {split: read_split(data, split, extra) for split in SPLITS}
    labels = {split: labels_of(table) for split, table in tables.items()}
    fitted = {name: result.fitted() for name, result in results.items()}
    first = next(iter(results))
    models = {}
    for name, result in results.items():
        models[name] = _measure(fitted[name], tables, labels, seed, curves_on) | {
            "kind": result.kind,
            "seconds": result.seconds,
        }
    chosen, main = tables[curves_on], fitted[first]
    return {
        "dataset": {
            "rows": {split: len(label) for split, label in labels.items()},
            "positives": {split: int(label.sum()) for split, label in labels.items()},
        },
        "models": models,
        "importance": importance(main.predict, chosen, labels[curves_on], main.features, seed),
        "groups": groups(labels[curves_on], main.predict(chosen), _group_values(chosen, by, day)),
        "tuning": [],
        "epochs": results[first].history,
    }


def _measure(
    model: Fitted, tables: Mapping[str, pa.Table], labels: Mapping[str, Floats], seed: int, curves_on: str
) -> dict[str, Any]:
    started = time.perf_counter()
    predicted = {split: model.predict(table) for split, table in tables.items()}
    predict_s = time.perf_counter() - started
    splits: dict[str, dict[str, Any]] = {}
    for split, probability in predicted.items():
        splits[split] = dict(score(labels[split], probability))
        if split != "train":
            splits[split]["interval"] = intervals(labels[split], probability, seed)
    return {
        "splits": splits,
        "curves": curves(labels[curves_on], predicted[curves_on]),
        "predict_seconds": round(predict_s, 3),
    }


def _group_values(table: pa.Table, by: Sequence[str], day: str) -> dict[str, list[Any]]:
    import pyarrow.compute as pc

    values = {column: table.column(column).to_pylist() for column in by}
    values["month"] = pc.strftime(table.column(day), format="%Y-%m").to_pylist()
    return values
