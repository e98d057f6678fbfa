import pytest
from pydantic import ValidationError

from lakeloom.core.errors import TrainError
from lakeloom.core.kinds import pick
from lakeloom.estimators import ESTIMATORS
from lakeloom.estimators.base import labels_of, load_fitted
from lakeloom.evaluation.metrics import roc_auc
from lakeloom.training.fit import train
from lakeloom.training.loader import read_split
from lakeloom.training.spec import TrainConfig
from tests.training.made import make

SMALL = {"boosting": {"rounds": 20}, "tabular_net": {"embed": ["hour"], "width": 32, "layers": 1}}


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_each_kind_fits_predicts_and_survives_the_disk(kind, tmp_path):
    data = make(tmp_path / "data")
    estimator = {"kind": kind} | SMALL.get(kind, {})
    result = train(None, data, estimator, TrainConfig(epochs=3, batch=128, lr=0.01), tmp_path / "out")
    test = read_split(data, "test")
    predicted = result.fitted().predict(test)
    assert ((predicted >= 0) & (predicted <= 1)).all()
    assert (predicted == load_fitted(result.model).predict(test.to_pandas())).all()
    assert roc_auc(labels_of(test), predicted) >= (0.5 if kind == "base_rate" else 0.65)
    assert train(None, data, estimator, TrainConfig(epochs=3, batch=128, lr=0.01), tmp_path / "out") == result


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_each_config_refuses_what_it_does_not_know(kind):
    with pytest.raises(ValidationError):
        pick(kind, ESTIMATORS).Config.model_validate({"kind": kind, "deepth": 3})


def test_a_damaged_model_is_refused(tmp_path):
    (tmp_path / "model.json").write_text('{"class": "json:dumps", "facts": {}}')
    with pytest.raises(TrainError, match="LL-TRAIN-007"):
        load_fitted(tmp_path)
