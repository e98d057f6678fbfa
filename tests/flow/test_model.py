"""From a dataset to a registered model and its scores: once, traceable, and without MLflow nothing is lost."""

import json

from lakeloom.flow import journal
from lakeloom.flow.runner import run
from lakeloom.project.graph import steps
from lakeloom.registry.client import connect
from lakeloom.registry.load import load_model
from lakeloom.store import refs
from lakeloom.store.intents import Intents
from lakeloom.store.lake import Lake


def facts(project, step):
    return Intents(project.root).published(step).facts


def tracking(project):
    return f"sqlite:///{project.root}/mlflow.db"


def test_every_step_is_done_and_a_second_run_skips_them_all(trained):
    project, first = trained
    assert {step.name: step.status for step in first.steps} == dict.fromkeys(
        [step.name for step in first.steps], "done"
    )
    assert [step.kind for step in first.steps][-3:] == ["tune", "train", "materialise"]
    assert {step.status for step in run(project).steps} == {"skipped"}


def test_the_model_is_measured_beside_its_baseline_on_every_split(trained):
    project, _ = trained
    found = facts(project, "models.trip_late")["evaluation"]
    assert list(found["models"]) == ["trip_late", "base_rate"]
    assert found["models"]["trip_late"]["splits"]["test"]["roc_auc"] > 0.8
    assert found["models"]["base_rate"]["splits"]["test"]["roc_auc"] == 0.5
    assert found["dataset"]["rows"] == {"train": 450, "valid": 138, "test": 294}
    assert {group["by"] for group in found["groups"]} == {"line", "month"}
    assert {group["value"] for group in found["groups"] if group["by"] == "month"} == {"2026-03"}
    assert len(found["tuning"]) == 2


def test_unlabelled_rows_are_told_and_scored(trained):
    project, _ = trained
    told = facts(project, "models.trip_late")["notes"]
    assert told[0] == "Trips as known an hour before they leave."
    assert told[1].startswith("18 of 900 rows have no label (only rows with late is not null have one).")
    lake = Lake(project.root)
    scores = lake.arrow("gold.trip_scores").to_pylist()
    assert len(scores) == 900 and len({row["id"] for row in scores}) == 900
    assert all(0 < row["score"] < 1 for row in scores)
    assert sum(row["label"] is None for row in scores) == 18
    assert {row["_split"] for row in scores if row["label"] is None} == {"none"}
    assert {(row["_model"], row["_model_version"]) for row in scores} == {("trip_late", 1)}


def test_mlflow_holds_the_model_the_manifest_and_the_trials_with_their_true_values(trained):
    project, _ = trained
    client = connect(tracking(project))
    experiment = client.get_experiment_by_name("trips")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 4  # the study, its two trials, the training
    trials = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert len(trials) == 2
    assert all(0.01 <= float(run.data.params["strength"]) <= 1 for run in trials)
    version = client.get_model_version_by_alias("trip_late", "champion")
    made = client.get_run(version.run_id)
    names = {artifact.path for artifact in client.list_artifacts(version.run_id)}
    assert "manifest.json" in names
    assert made.data.metrics["test.roc_auc"] > 0.8
    manifest = facts(project, "models.trip_late")["manifest"]
    assert manifest["reads"]["datasets.late_trips"] == refs.good(Lake(project.root))["datasets.late_trips"]
    assert {"config", "git", "lock", "rows", "seeds", "workers", "weights"} <= set(manifest)


def test_the_registered_model_gives_the_scores_of_the_table(trained):
    project, _ = trained
    lake = Lake(project.root)
    model = load_model(tracking(project), "trip_late@champion")
    dataset = lake.arrow("datasets.late_trips").sort_by("_row")
    scores = lake.arrow("gold.trip_scores").sort_by("_row")
    assert model.predict(dataset).tolist() == scores.column("score").to_pylist()


def test_a_training_is_an_entry_of_the_runs(trained):
    project, first = trained
    entries = [entry for entry in journal.runs(Lake(project.root)) if entry["run_id"] == first.run_id]
    assert sorted(entry["kind"] for entry in entries) == ["run", "train", "tune"]
    training = next(entry for entry in entries if entry["kind"] == "train")
    assert training["mlflow_run"] and "datasets.late_trips" in training["reads"]


def test_without_mlflow_nothing_is_lost(trained, tmp_path):
    project, _ = trained
    (tmp_path / "file").write_text("")
    settings = project.settings.model_copy(update={"mlflow": f"sqlite:///{tmp_path}/file/no.db"})
    from dataclasses import replace

    cut_off = replace(project, settings=settings)
    again = run(cut_off, ["models.trip_late", "gold.trip_scores"], full_refresh=True)
    assert {step.status for step in again.steps} == {"done"}
    found = facts(project, "models.trip_late")
    assert found["mlflow_run"] is None and found["mlflow_problem"]
    assert found["evaluation"]["models"]["trip_late"]["splits"]["test"]["roc_auc"] > 0.8
    assert found["serving"]["epoch"] == 1  # nothing could be compared: the champion goes on serving
    assert json.dumps(found).count("Traceback") == 0


def test_the_graph_has_the_model_and_its_scores(trained):
    project, _ = trained
    names = [step.name for step in steps(project)]
    assert names.index("tuning.trip_late") < names.index("models.trip_late") < names.index("gold.trip_scores")
