"""Permutation importance (Breiman 2001): how much a metric drops when one feature is shuffled.

A feature that others can stand in for shows a small drop though the model uses it: the numbers rank
what this model leans on, they are not causes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lakeloom.evaluation.metrics import GREATER_IS_BETTER, METRICS, Floats

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 10_000
REPEATS = 3


def importance(
    predict: Callable[[pa.Table], Floats],
    table: pa.Table,
    label: Floats,
    features: Sequence[str],
    seed: int,
    metric: str = "average_precision",
    rows: int = ROWS,
    repeats: int = REPEATS,
) -> list[dict[str, Any]]:
    """Return ``{"feature", "drop", "std"}`` for each feature, the largest drop first.

    Parameters
    ----------
    predict : callable
        Table to probabilities.
    table : pyarrow.Table
        At least the columns `features`; more than `rows` rows are cut to a seeded sample.
    label : array of float64, shape [n]
    features : sequence of str
    seed : int
    metric : str
        A key of `lakeloom.evaluation.metrics.METRICS`; a drop is always "gets worse by".
    rows, repeats : int
        Size of the sample and number of shuffles a feature.
    """
    draw = np.random.Generator(np.random.Philox(key=seed))
    if len(label) > rows:
        sample = np.sort(draw.permutation(len(label))[:rows])
        table, label = table.take(sample), label[sample]
    sign = 1.0 if GREATER_IS_BETTER[metric] else -1.0
    whole = METRICS[metric](label, predict(table))
    found = []
    for feature in features:
        drops = []
        for _ in range(repeats):
            shuffled = table.column(feature).take(draw.permutation(len(label)))
            changed = table.set_column(table.column_names.index(feature), feature, shuffled)
            drops.append(sign * (whole - METRICS[metric](label, predict(changed))))
        found.append({"feature": feature, "drop": float(np.mean(drops)), "std": float(np.std(drops))})
    return sorted(found, key=lambda row: (-row["drop"], row["feature"]))
