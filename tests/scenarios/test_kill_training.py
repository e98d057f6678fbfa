"""SIGKILL in the middle of a training and of a study: the same weights, and no finished trial lost."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.long

MODEL = """
  late:
    dataset: late
    estimator: {kind: tabular_net, embed: [origin], width: 64, layers: 2, dropout: 0.2}
    train: {kind: single, epochs: 25, batch: 256, lr: 0.002, seed: 7}
    baselines: [base_rate]
    promote: {metric: average_precision, on: valid, when: better}
"""
TUNED = """
  searched:
    dataset: late
    estimator: {kind: tabular_net, embed: [origin], width: 32, layers: 1}
    train: {kind: single, epochs: 2, batch: 256, lr: 0.002, seed: 7}
    tune: {algorithm: tpe, trials: 6, parallel: 2, subsample: 0.5, epochs: 4, seed: 7, space: {lr: {log: [0.0005, 0.01]}}}
    baselines: [base_rate]
    promote: {metric: average_precision, on: valid, when: better}
"""


@pytest.fixture(scope="module")
def ready(flights, tmp_path_factory):
    """Give a root on which the dataset lies and nothing has been trained; copy it before use."""
    models = flights.conf / "flights" / "models.yml"
    models.write_text(models.read_text() + "\nmodels:" + MODEL + TUNED)
    root = tmp_path_factory.mktemp("ready") / "root"
    flights.finish(root, "+datasets.late")
    return root


def kill_once(flights, root, selected, reached):
    """Start a run and kill its process group as soon as `reached` says so; return what it said then."""
    process = flights.start(root, *selected, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while process.poll() is None and not reached() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)


def facts(root, step):
    return json.loads((root / "intents" / step / "00000001.done.json").read_text())


def test_a_training_killed_halfway_ends_with_the_weights_of_an_undisturbed_one(flights, ready, tmp_path):
    whole, killed = (shutil.copytree(ready, tmp_path / name) for name in ("whole", "killed"))
    flights.finish(whole, "models.late")
    kill_once(flights, killed, ["models.late"], lambda: any((killed / "models").rglob("epoch-0003.pt")))
    assert not (killed / "intents" / "models.late" / "00000001.done.json").exists()
    flights.finish(killed, "models.late")
    first, second = facts(whole, "models.late"), facts(killed, "models.late")
    assert first["manifest"]["weights"] == second["manifest"]["weights"]
    assert first["evaluation"]["models"]["late"]["splits"] == second["evaluation"]["models"]["late"]["splits"]
    assert second["registered"] == 1 and second["champion"]


def test_a_study_whose_driver_is_killed_loses_no_finished_trial(flights, ready, tmp_path):
    root = shutil.copytree(ready, tmp_path / "root")
    trials = root / "models" / "searched" / "tuning-00000001" / "trials"
    kill_once(flights, root, ["tuning.searched"], lambda: len(list(trials.glob("*.json"))) >= 2)
    finished = {file.name: file.read_bytes() for file in trials.glob("*.json")}
    assert 2 <= len(finished) < 6
    flights.finish(root, "tuning.searched")
    assert {name: (trials / name).read_bytes() for name in finished} == finished
    found = facts(root, "tuning.searched")
    assert len(found["trials"]) == 6 and found["resumed"] == len(finished)
    losses = {trial["loss"] for trial in found["trials"]}
    assert {json.loads(text)["loss"] for text in finished.values()} <= losses
