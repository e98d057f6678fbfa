import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from lakeloom.evaluation.curves import curves
from lakeloom.evaluation.groups import groups
from lakeloom.evaluation.importance import importance
from lakeloom.evaluation.intervals import intervals
from lakeloom.evaluation.metrics import average_precision, brier, log_loss, roc_auc, score


def drawn(rows, seed=0, ties=False):
    draw = np.random.default_rng(seed)
    probability = draw.random(rows)
    label = (draw.random(rows) < probability).astype(float)
    return label, np.round(probability, 1) if ties else probability


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 200), st.integers(0, 50), st.booleans())
def test_metrics_equal_scikit_learns(rows, seed, ties):
    label, probability = drawn(rows, seed, ties)
    label[0], label[-1] = 0.0, 1.0
    assert roc_auc(label, probability) == pytest.approx(sk.roc_auc_score(label, probability))
    assert average_precision(label, probability) == pytest.approx(sk.average_precision_score(label, probability))
    assert brier(label, probability) == pytest.approx(sk.brier_score_loss(label, probability))
    assert log_loss(label, probability) == pytest.approx(sk.log_loss(label, np.clip(probability, 1e-15, 1 - 1e-15)))


def test_an_undefined_area_is_nan_and_no_guess():
    ones = np.ones(3)
    assert np.isnan(roc_auc(ones, ones))
    assert np.isnan(average_precision(np.zeros(3), ones))
    assert np.isnan(intervals(ones, ones, seed=0)["roc_auc"]).all()
    assert score(np.empty(0), np.empty(0))["rows"] == 0


def test_intervals_hold_the_value_and_are_a_function_of_the_seed():
    label, probability = drawn(2000, ties=True)
    found = intervals(label, probability, seed=3)
    assert found == intervals(label, probability, seed=3) != intervals(label, probability, seed=4)
    for name, value in (("roc_auc", roc_auc), ("average_precision", average_precision)):
        low, high = found[name]
        assert low < value(label, probability) < high
        assert high - low < 0.1


def test_curves_are_short_and_calibration_counts_every_row():
    label, probability = drawn(5000)
    found = json.loads(json.dumps(curves(label, probability)))
    assert 50 < len(found["roc"]["fpr"]) <= 200
    assert len(found["precision_recall"]["recall"]) <= 200
    assert found["roc"]["fpr"][-1] == found["roc"]["tpr"][-1] == 1.0
    assert sum(found["calibration"]["rows"]) == 5000
    assert np.allclose(found["calibration"]["predicted"], found["calibration"]["observed"], atol=0.1)


def test_groups_name_nulls_and_leave_undefined_areas_empty():
    label, probability = np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.9, 0.5])
    found = groups(label, probability, {"carrier": ["a", "a", None]})
    assert [(row["value"], row["rows"], row["roc_auc"]) for row in found] == [("a", 2, 1.0), ("null", 1, None)]


def test_importance_finds_the_column_that_counts():
    label, probability = drawn(3000)
    table = pa.table({"noise": np.zeros(3000), "signal": probability})
    found = importance(lambda rows: rows.column("signal").to_numpy(), table, label, ["noise", "signal"], seed=1)
    assert [row["feature"] for row in found] == ["signal", "noise"]
    assert found[0]["drop"] > 0.1 and found[1]["drop"] == 0
