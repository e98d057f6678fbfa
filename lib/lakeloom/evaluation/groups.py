"""The areas by the values of a column, to see where a model is weak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lakeloom.evaluation.metrics import Floats, average_precision, roc_auc


def groups(
    label: Floats, probability: Floats, by: Mapping[str, Sequence[Any]], at_most: int = 30
) -> list[dict[str, Any]]:
    """Return one row a value of each column in `by`, the most frequent `at_most` of it, by value.

    Areas are None where a group has one class only; nulls are a group of their own, ``null``.
    """
    found: list[dict[str, Any]] = []
    for column, values in by.items():
        names = np.array(["null" if value is None or value != value else str(value) for value in values], dtype=object)
        unique, counts = np.unique(names, return_counts=True)
        chosen = sorted(unique[np.argsort(-counts, kind="stable")][:at_most])
        found += [_group(column, str(value), label[names == value], probability[names == value]) for value in chosen]
    return found


def _group(column: str, value: str, label: Floats, probability: Floats) -> dict[str, Any]:
    return {
        "by": column,
        "value": value,
        "rows": len(label),
        "positives": int(np.sum(label)),
        "roc_auc": _finite(roc_auc(label, probability)),
        "average_precision": _finite(average_precision(label, probability)),
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
