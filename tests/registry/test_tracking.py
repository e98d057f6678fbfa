import json

import pytest

from lakeloom.core.errors import TrainError
from lakeloom.core.secrets import Secret
from lakeloom.registry.client import connect
from lakeloom.registry.load import load_model
from lakeloom.registry.promotion import promote
from lakeloom.registry.tracking import RunFacts, experiment_of, flat, upload, upload_trials
from lakeloom.training.fit import train
from lakeloom.training.loader import read_split
from lakeloom.training.spec import TrainConfig
from tests.training.made import make

MEASURE = "average_precision on valid"
EPOCHS = [{"epoch": 1, "valid_loss": 0.5}, {"epoch": 2, "valid_loss": 0.4}]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    data = make(folder / "data")
    result = train(None, data, {"kind": "logistic"}, TrainConfig(), folder / "out")
    tracking = f"sqlite:///{folder}/mlflow.db"
    return tracking, experiment_of(tracking, "late", f"file://{folder}/artifacts"), result, read_split(data, "valid")


def facts(result, rows, key="models.late/1"):
    return RunFacts(
        key,
        "late",
        {"train": {"lr": 0.1}},
        {"valid.roc_auc": 0.7},
        EPOCHS,
        {"seed": 7},
        model=result.model,
        example=rows.slice(0, 5),
    )


def test_a_run_is_uploaded_once_with_all_it_has(made):
    tracking, experiment, result, rows = made
    found = upload(tracking, experiment, facts(result, rows))
    assert upload(tracking, experiment, facts(result, rows)) == found
    client = connect(tracking)
    run = client.get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["train.lr"] == "0.1" and run.data.metrics["valid.roc_auc"] == 0.7
    assert [each.value for each in client.get_metric_history(found.run_id, "valid_loss")] == [0.5, 0.4]
    assert "manifest.json" in [each.path for each in client.list_artifacts(found.run_id)]
    assert len(client.search_runs([experiment], "tags.`lakeloom.key` = 'models.late/1'")) == 1


def test_an_upload_that_broke_off_is_completed_and_not_doubled(made, monkeypatch):
    tracking, experiment, result, rows = made
    run = facts(result, rows, "models.late/2")
    with monkeypatch.context() as patch:
        patch.setattr("lakeloom.registry.tracking._log_model", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            upload(tracking, experiment, run)
    found = upload(tracking, experiment, run)
    client = connect(tracking)
    runs = client.search_runs([experiment], "tags.`lakeloom.key` = 'models.late/2'")
    assert [each.info.run_id for each in runs] == [found.run_id] and found.model_uri
    assert len(client.get_metric_history(found.run_id, "valid_loss")) == 2


def test_trials_are_nested_with_their_true_values(made):
    tracking, experiment, result, rows = made
    parent = upload(tracking, experiment, facts(result, rows)).run_id
    trial = {"parameters": {"lr": 0.25, "width": 64}, "status": "ok", "loss": 0.3, "value": 0.7, "seconds": 1.0}
    failed = trial | {"status": "failed", "loss": None, "value": None, "problem": "lr is too large"}
    ids = upload_trials(tracking, experiment, parent, "late:tune/1", [trial, failed], "average_precision")
    assert ids == upload_trials(tracking, experiment, parent, "late:tune/1", [trial, failed], "average_precision")
    run = connect(tracking).get_run(ids[0])
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.data.params == {"lr": "0.25", "width": "64"}


def test_the_champion_is_replaced_by_a_better_one_only(made):
    tracking, experiment, result, rows = made
    run = upload(tracking, experiment, facts(result, rows))

    def at(key, score, measure=MEASURE, when="better"):
        return promote(tracking, "late", key, run, score, measure, True, when)

    assert at("a/1", 0.4).champion and at("a/1", 0.4).version == 1
    assert not at("a/2", 0.3).champion
    assert at("a/3", 0.5).champion
    assert not at("a/4", 0.9, "roc_auc on valid").champion
    assert not at("a/5", float("nan")).champion
    assert not at("a/6", 0.9, when="never").champion
    model = load_model(tracking, "late@champion")
    assert model.version == 3 == load_model(tracking, "late").version
    assert (model.predict(rows) == result.fitted().predict(rows)).all()
    assert load_model(tracking, "late@1").version == 1


def test_mlflow_itself_can_load_and_score(made):
    import mlflow

    tracking, experiment, result, rows = made
    uri = upload(tracking, experiment, facts(result, rows)).model_uri
    frame = rows.to_pandas()
    frame["x"], frame["hour"] = float("nan"), frame["hour"].astype(float)
    frame.loc[3, "hour"] = float("nan")
    loaded = mlflow.pyfunc.load_model(uri)
    assert (loaded.predict(frame) == result.fitted().predict(frame)).all()
    assert "x" in loaded.metadata.get_input_schema().input_names()


@pytest.mark.parametrize("reference", ["nobody@champion", "nobody@3", "late@99", "late@nothing"])
def test_what_is_not_there_is_named(made, reference):
    with pytest.raises(TrainError, match="LL-TRAIN-003"):
        load_model(made[0], reference)


def test_parameters_are_flat_text_and_no_secret():
    Secret("hunter2hunter2")
    found = flat({"a": {"b": [1, 2]}, "url": "x?password=hunter2hunter2"})
    assert found["a.b"] == "[1, 2]" and "hunter2" not in json.dumps(found)
