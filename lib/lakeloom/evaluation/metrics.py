"""The metrics of a binary classifier, in numpy alone.

They stand here and not in scikit-learn's because the workers of a training compute them every
epoch, and importing scikit-learn takes them a second. The values equal scikit-learn's (tested), ties
included. Labels other than 0 and 1, and empty inputs, are refused where a metric is undefined: the
value is then NaN, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Metric = Callable[[Floats, Floats], float]

_EPSILON = 1e-15


def roc_auc(label: Floats, probability: Floats) -> float:
    """Return the area under the ROC curve (ties count half); NaN where one class is missing."""
    positives, rows = _cumulative(label, probability)
    if not len(rows) or positives[-1] in (0.0, rows[-1]):
        return float("nan")
    negatives = rows - positives
    heights = _from_zero(positives)
    area = np.sum(np.diff(_from_zero(negatives)) * (heights[1:] + heights[:-1]) / 2)
    return float(area / (positives[-1] * negatives[-1]))


def average_precision(label: Floats, probability: Floats) -> float:
    """Return the average precision, ``sum (R_n - R_n-1) P_n``; NaN where there is no positive."""
    positives, rows = _cumulative(label, probability)
    if not len(rows) or positives[-1] == 0.0:
        return float("nan")
    return float(np.sum(np.diff(_from_zero(positives)) * positives / rows) / positives[-1])


def brier(label: Floats, probability: Floats) -> float:
    """Return the mean squared difference of probability and label."""
    return float(np.mean((probability - label) ** 2)) if len(label) else float("nan")


def log_loss(label: Floats, probability: Floats) -> float:
    """Return the mean negative log-likelihood in nats, probabilities cut to [1e-15, 1 - 1e-15]."""
    if not len(label):
        return float("nan")
    cut = np.clip(probability, _EPSILON, 1 - _EPSILON)
    return float(-np.mean(label * np.log(cut) + (1 - label) * np.log1p(-cut)))


METRICS: dict[str, Metric] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "brier": brier,
    "log_loss": log_loss,
}
GREATER_IS_BETTER = {"roc_auc": True, "average_precision": True, "brier": False, "log_loss": False}


def loss_of(metric: str, value: float) -> float:
    """Turn a metric's value into a loss, smaller is better: ``1 - value`` for areas, else the value."""
    return 1.0 - value if GREATER_IS_BETTER[metric] else value


def score(label: Floats, probability: Floats) -> dict[str, float | int]:
    """Return every metric of `METRICS`, and the counts ``rows`` and ``positives``."""
    facts: dict[str, float | int] = {name: metric(label, probability) for name, metric in METRICS.items()}
    return facts | {"rows": len(label), "positives": int(np.sum(label))}


def _cumulative(label: Floats, probability: Floats) -> tuple[Floats, Floats]:
    """Return positives and rows counted from the highest score down, one entry a distinct score."""
    down = np.argsort(-probability, kind="stable")
    ends = last_of_each(probability[down])
    return np.cumsum(label[down])[ends].astype(np.float64), (ends + 1).astype(np.float64)


def last_of_each(ordered: Floats) -> NDArray[np.int64]:
    """Return the index of the last element of each run of equal values in `ordered`."""
    if not len(ordered):
        return np.empty(0, dtype=np.int64)
    return np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1).astype(np.int64)


def _from_zero(counts: Floats) -> Floats:
    return np.concatenate(([0.0], counts))
