import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pytest

from lakeloom.core.errors import TrainError
from lakeloom.training.communicators.single import Single
from lakeloom.training.fit import job_of, train
from lakeloom.training.loop import work
from lakeloom.training.spec import TrainConfig, config_of
from tests.training.made import make

NET = {"kind": "tabular_net", "embed": ["hour"], "width": 32, "layers": 1}
CONFIG = TrainConfig(epochs=4, batch=128, lr=0.01, average=0.9, seed=5)


class Broken(Single):
    """A worker that dies in its n-th sum."""

    def __init__(self, sums):
        self.left = sums

    def add(self, tensor):
        self.left -= 1
        if self.left < 0:
            raise SystemExit


def job(data, out, config=CONFIG):
    from lakeloom.estimators.tabular_net import TabularNet
    from lakeloom.preparation.prepare import Preparation
    from lakeloom.training.loader import read_split

    preparation = Preparation.fit(read_split(data, "train"), data.features, TabularNet.preparation(config_of(NET)))
    return job_of(data, NET, config, out, config.seed, 1.0, preparation)


def test_the_same_seed_gives_the_same_bits_and_another_others(tmp_path):
    data = make(tmp_path / "data")
    one, two = (work(Single(), job(data, None))["weights_hash"] for _ in range(2))
    assert one == two != work(Single(), job(data, None, CONFIG.model_copy(update={"seed": 6})))["weights_hash"]


@pytest.mark.parametrize("damaged", [False, True])
def test_a_broken_training_goes_on_to_the_same_bits(tmp_path, damaged):
    data = make(tmp_path / "data")
    whole = work(Single(), job(data, tmp_path / "whole"))
    with pytest.raises(SystemExit):
        work(Broken(9 * 2 + 3), job(data, tmp_path / "out"))
    checkpoints = sorted((tmp_path / "out" / "checkpoints").iterdir())
    assert [place.name for place in checkpoints] == ["epoch-0001.pt", "epoch-0002.pt"]
    if damaged:
        checkpoints[-1].write_bytes(checkpoints[-1].read_bytes()[:1000])
    resumed = work(Single(), job(data, tmp_path / "out"))
    assert resumed["weights_hash"] == whole["weights_hash"]
    lines = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert [line["valid_loss"] for line in lines] == [line["valid_loss"] for line in whole["history"]]


def test_a_checkpoint_of_another_job_is_not_taken_up(tmp_path):
    data = make(tmp_path / "data")
    work(Single(), job(data, tmp_path / "out"))
    other = CONFIG.model_copy(update={"lr": 0.02})
    assert (
        work(Single(), job(data, tmp_path / "out", other))["weights_hash"]
        == (work(Single(), job(data, None, other))["weights_hash"])
    )


def test_a_killed_training_goes_on_to_the_same_bits(tmp_path):
    data = make(tmp_path / "data")
    config = CONFIG.model_copy(update={"epochs": 60, "batch": 8})
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from lakeloom.training.fit import train\n"
        "from lakeloom.training.loader import Pinned\n"
        "from lakeloom.training.spec import TrainConfig\n"
        f"data = Pinned({data.path!r}, 0, {data.features!r})\n"
        f"config = TrainConfig.model_validate(json.loads({config.model_dump_json()!r}))\n"
        f"train(None, data, {NET!r}, config, Path({str(tmp_path / 'out')!r}))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": "lib"})
    folder = tmp_path / "out" / "checkpoints"
    deadline = time.monotonic() + 120
    while not (folder / "epoch-0003.pt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "result.json").exists()
    resumed = train(None, data, NET, config, tmp_path / "out")
    assert resumed.weights_hash == train(None, data, NET, config, tmp_path / "whole").weights_hash
    assert len(resumed.history) == 60


def test_a_loss_that_is_no_number_stops_with_a_code(tmp_path):
    data = make(tmp_path / "data")
    with pytest.raises(TrainError, match="LL-TRAIN-005"):
        train(None, data, NET, TrainConfig(epochs=2, batch=128, lr=1e30, norm=0), tmp_path / "out")
    assert not (tmp_path / "out" / "model").exists()


def test_splits_without_rows_or_with_one_class_are_refused(tmp_path):
    from deltalake import DeltaTable, write_deltalake

    data = make(tmp_path / "data")
    table = DeltaTable(data.path).to_pyarrow_table()
    place = table.column_names.index("label")
    zeros = table.set_column(place, "label", pa.array(np.zeros(table.num_rows)))
    write_deltalake(data.path, zeros, mode="overwrite")
    one_class = type(data)(data.path, 1, data.features)
    with pytest.raises(TrainError, match="one class"):
        train(None, one_class, NET, CONFIG, tmp_path / "out")
    write_deltalake(data.path, zeros.slice(0, 0), mode="overwrite")
    with pytest.raises(TrainError, match="no labelled rows"):
        train(None, type(data)(data.path, 2, data.features), NET, CONFIG, tmp_path / "out")
    assert train(None, data, {"kind": "base_rate"}, CONFIG, tmp_path / "out").rows > 0  # the old version stands


def test_our_optimizer_is_torchs():
    import torch

    from lakeloom.training.optimizer import FlatAdamW

    torch.manual_seed(0)
    ours, theirs = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
    theirs.load_state_dict(ours.state_dict())
    groups = [{"params": [theirs.weight], "weight_decay": 0.1}, {"params": [theirs.bias], "weight_decay": 0.0}]
    flat, reference = FlatAdamW(ours, 0.1), torch.optim.AdamW(groups, lr=0.01)
    for step in range(20):
        x = torch.from_numpy(np.random.default_rng(step).normal(size=(8, 4))).float()
        for model in (ours, theirs):
            flat.gradient.zero_() if model is ours else reference.zero_grad()
            model(x).pow(2).sum().backward()
        flat.step(0.01)
        reference.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6) and torch.allclose(ours.bias, theirs.bias, atol=1e-6)
