"""A model as a scientist takes it: last month's back, with its data, its parameters and its scores."""

import json
from dataclasses import replace

import pytest

import lakeloom
from lakeloom.core.errors import LakeloomError
from lakeloom.registry.client import connect


@pytest.fixture
def trips(trained):
    return lakeloom.open(trained[0].home / "conf")


def test_its_scores_are_those_of_the_scores_table(trips):
    model = trips.model("trip_late", version=1)
    rows = trips.table("datasets.late_trips", version=0).arrow().sort_by("_row")
    scores = trips.table("gold.trip_scores", version=0).arrow().sort_by("_row")
    assert model.predict(rows).tolist() == scores.column("score").to_pylist()
    assert model.predict(rows.to_pandas()).tolist() == scores.column("score").to_pylist()
    assert set(model.features) <= set(rows.column_names)


def test_it_says_how_good_it_is_and_what_it_was_made_of(trips):
    model = trips.model("trip_late", version=1)
    assert model.champion and model.run
    assert model.metrics["test"]["roc_auc"] == model.evaluation["models"]["trip_late"]["splits"]["test"]["roc_auc"]
    assert model.manifest["reads"]["datasets.late_trips"] == model.dataset.version == 0
    assert set(model.parameters) == {"strength"}
    assert model.dataset.split("train").num_rows == model.manifest["rows"]["train"]


def test_a_dataset_that_was_dropped_and_made_anew_is_not_given_for_the_one_of_before(trips):
    model = trips.model("trip_late", version=1)
    intent = model._record.intent
    other = replace(intent, ids=intent.ids | {"datasets.late_trips": "of the one before"})
    with pytest.raises(LakeloomError, match="dropped and made anew") as caught:
        _ = replace(model, _record=replace(model._record, intent=other)).dataset
    assert (caught.value.code, caught.value.where) == ("LL-STORE-016", "datasets.late_trips")


def test_without_a_version_it_is_the_one_that_scores(trips):
    assert trips.model("trip_late").epoch == trips.model("trip_late", "champion").epoch == 1


def test_an_alias_of_the_registry_is_followed(trips):
    connect(trips.tracking).set_registered_model_alias("trip_late", "before", "1")
    assert trips.model("trip_late", "before").version == trips.model("trip_late", "1").version == 1


@pytest.mark.parametrize(
    ("name", "version", "says"),
    [("trip_lat", None, "no model 'trip_lat'"), ("trip_late", 99, "no version 99"), ("trip_late", "x", "trip_late@x")],
)
def test_what_does_not_exist_is_coded(trips, name, version, says):
    with pytest.raises(LakeloomError, match=says) as caught:
        trips.model(name, version)
    assert caught.value.code == "LL-TRAIN-003"


def test_a_damaged_model_is_named(trips, trained, tmp_path, monkeypatch):
    import shutil

    root = tmp_path / "root"
    shutil.copytree(trained[0].root, root)
    monkeypatch.setenv("LAKELOOM_HOME", str(root))
    place = next(root.glob("models/trip_late/models-00000001/trip_late/model/model.json"))
    place.write_text(json.dumps({"class": "builtins:dict", "facts": {}}))
    with pytest.raises(LakeloomError) as caught:
        lakeloom.open(trained[0].home / "conf").model("trip_late", 1).predict(None)
    assert caught.value.code == "LL-TRAIN-007"


def test_of_a_tag_it_is_the_one_that_scored_then_with_its_data(trips):
    trips.tag("release-7")
    assert trips.model("trip_late", "release-7").epoch == trips.at("release-7").model("trip_late").epoch == 1
    assert trips.dataset("late_trips", "release-7").version == trips.at("release-7").dataset("late_trips").version == 0
