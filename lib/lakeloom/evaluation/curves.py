"""Curves for a report: ROC, precision-recall, calibration, each thinned to at most 200 points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lakeloom.evaluation.metrics import Floats, last_of_each

POINTS = 200
BINS = 10

Curve = dict[str, list[float]]


def curves(label: Floats, probability: Floats, points: int = POINTS, bins: int = BINS) -> dict[str, Curve]:
    """Return the three curves as plain lists: ``roc``, ``precision_recall`` and ``calibration``."""
    down = np.argsort(-probability, kind="stable")
    ends = last_of_each(probability[down])
    positives = np.cumsum(label[down])[ends]
    return {
        "roc": _roc(positives, ends + 1.0, points),
        "precision_recall": _precision_recall(positives, ends + 1.0, points),
        "calibration": calibration(label, probability, bins),
    }


def calibration(label: Floats, probability: Floats, bins: int = BINS) -> Curve:
    """Return mean prediction, observed share and rows of `bins` groups of equal size, lowest first."""
    up = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(up, bins) if len(part)]
    return {
        "predicted": [float(np.mean(probability[part])) for part in parts],
        "observed": [float(np.mean(label[part])) for part in parts],
        "rows": [len(part) for part in parts],
    }


def _roc(positives: Floats, rows: Floats, points: int) -> Curve:
    negatives = rows - positives
    if not len(rows) or not positives[-1] or not negatives[-1]:
        return {"fpr": [], "tpr": []}
    fpr = np.concatenate(([0.0], negatives / negatives[-1]))
    tpr = np.concatenate(([0.0], positives / positives[-1]))
    chosen = _thin(fpr + tpr, points)
    return {"fpr": fpr[chosen].tolist(), "tpr": tpr[chosen].tolist()}


def _precision_recall(positives: Floats, rows: Floats, points: int) -> Curve:
    if not len(rows) or not positives[-1]:
        return {"recall": [], "precision": []}
    recall, precision = positives / positives[-1], positives / rows
    chosen = _thin(recall, points)
    return {"recall": recall[chosen].tolist(), "precision": precision[chosen].tolist()}


def _thin(along: Floats, points: int) -> NDArray[np.int64]:
    """Return at most `points` indices spread evenly over the ascending values `along`, both ends kept."""
    wanted = np.linspace(along[0], along[-1], points)
    return np.unique(np.clip(np.searchsorted(along, wanted), 0, len(along) - 1))
