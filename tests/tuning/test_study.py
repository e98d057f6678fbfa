import json

import pytest

from lakeloom.core.errors import TrainError
from lakeloom.training.spec import ModelSpec
from lakeloom.tuning.space import check_space, stored_values, true_values
from lakeloom.tuning.study import _suggest, documents, finished_trials, study, task_of
from lakeloom.tuning.trial import Trial, run_trial
from tests.training.made import make

SPACE = {
    "strength": {"log": [0.001, 10.0]},
    "min_count": {"choice": [5, 50]},
    "iterations": {"int": [20, 40]},
}


def spec(trials=8, **tune):
    return ModelSpec(
        dataset="made",
        estimator={"kind": "logistic"},
        tune={"trials": trials, "startup": 4, "subsample": 0.5, "space": SPACE} | tune,
    )


@pytest.mark.parametrize(
    "dimension",
    [3, {"log": [0, 1]}, {"log": [2, 1]}, {"int": [1, 2.5]}, {"choice": []}, {"normal": [0, 1]}, {"uniform": [1]}, {}],
)
def test_malformed_spaces_are_refused(dimension):
    with pytest.raises(TrainError, match="LL-TRAIN-004"):
        check_space({"lr": dimension})


def test_values_go_in_and_out_of_hyperopts_form():
    parameters = {"strength": 0.5, "min_count": 50, "iterations": 30}
    assert stored_values(SPACE, parameters) == {"strength": 0.5, "min_count": 1, "iterations": 30.0}
    assert true_values(SPACE, parameters | {"iterations": 30.0}) == parameters


def test_parameters_go_to_the_estimator_or_the_training():
    changed = spec().with_parameters({"strength": 2.0, "lr": 0.5})
    assert changed.estimator["strength"] == 2.0 and changed.train.lr == 0.5
    with pytest.raises(ValueError, match="wdith"):
        spec().with_parameters({"wdith": 3})


def test_a_trial_is_one_file_and_is_not_run_twice(tmp_path):
    data, model = make(tmp_path / "data"), spec()
    task = task_of(data, model, model.tune, tmp_path / "study", 0)
    parameters = {"strength": 1.0, "min_count": 5, "iterations": 20}
    first = run_trial(task, parameters)
    (place,) = (tmp_path / "study" / "trials").glob("*.json")
    stamp = place.stat().st_mtime_ns
    assert run_trial(task, parameters) == first
    assert place.stat().st_mtime_ns == stamp
    page = json.loads(place.read_text())
    assert page["parameters"] == parameters and page["loss"] == 1 - page["value"]
    assert finished_trials(place.parent, "another study") == []


def test_a_failing_trial_is_a_result(tmp_path):
    data, model = make(tmp_path / "data"), spec(space={"strength": {"choice": [1.0, -1.0]}})
    task = task_of(data, model, model.tune, tmp_path / "study", 0)
    assert run_trial(task, {"strength": -1.0}) == {"status": "fail"}
    (trial,) = finished_trials(tmp_path / "study" / "trials", task["key"])
    assert trial.status == "failed" and "strength" in trial.problem


def test_a_resumed_study_proposes_what_is_missing():
    import functools

    from hyperopt import Trials, rand
    from hyperopt.base import Domain

    from lakeloom.tuning.space import to_hyperopt

    domain = Domain(print, to_hyperopt(SPACE))
    propose = functools.partial(_suggest, rand.suggest, 10, 7)

    def after(observed):
        trials = Trials()
        trials.insert_trial_docs(documents(SPACE, observed))
        trials.refresh()
        (doc,) = propose(trials.new_trial_ids(1), domain, trials, 0)
        vals = {name: values[0] for name, values in doc["misc"]["vals"].items()}
        parameters = vals | {"min_count": SPACE["min_count"]["choice"][vals["min_count"]]}
        return Trial(true_values(SPACE, parameters), "ok", 0.5, 0.5, 1.0, float(len(observed)))

    whole = []
    for _ in range(4):
        whole.append(after(whole))
    assert len({json.dumps(trial.parameters) for trial in whole}) == 4
    assert after([whole[0], whole[2], whole[3]]).parameters == whole[1].parameters


def test_a_study_on_spark_loses_no_finished_trial(spark, tmp_path):
    data, out = make(tmp_path / "data"), tmp_path / "study"
    found = study(spark, data, spec(), out)
    assert len(found.trials) == 8 and found.best == min(range(8), key=lambda at: found.trials[at].loss)
    assert all(set(row["parameters"]) == set(SPACE) for row in found.rows())
    assert study(spark, data, spec(), out) == found
    (out / "study.json").unlink()
    for place in sorted((out / "trials").glob("*.json"))[:2]:
        place.unlink()
    kept = {place.name: place.read_bytes() for place in (out / "trials").glob("*.json")}
    again = study(spark, data, spec(), out)
    assert again.resumed == 6 and len(again.trials) == 8
    assert all((out / "trials" / name).read_bytes() == page for name, page in kept.items())


def test_a_study_whose_trials_all_fail_says_why(spark, tmp_path):
    model = spec(trials=2, space={"strength": {"uniform": [-2.0, -1.0]}})
    with pytest.raises(TrainError, match=r"(?s)no trial of 2 succeeded.*strength"):
        study(spark, make(tmp_path / "data"), model, tmp_path / "study")
