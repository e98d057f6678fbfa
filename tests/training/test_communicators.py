import pickle
import time

import pytest

from lakeloom.core.errors import TrainError
from lakeloom.training.communicators.distributed import Distributed
from lakeloom.training.communicators.horovod import Horovod, send_durations
from lakeloom.training.fit import train
from lakeloom.training.spec import TrainConfig
from tests.training.made import make

NET = {"kind": "tabular_net", "embed": ["hour"], "width": 32, "layers": 1, "dropout": 0.3}
CONFIG = TrainConfig(epochs=2, batch=100, lr=0.01)


def fail(communicator, job):
    raise RuntimeError("on purpose")


def test_torch_workers_train_what_one_worker_trains(tmp_path):
    """Global batches, gradients and dropout masks are the same: only the order of sums differs."""
    data = make(tmp_path / "data")
    one = train(None, data, NET, CONFIG, tmp_path / "one")
    two = train(None, data, NET, CONFIG.model_copy(update={"kind": "torch", "workers": 2}), tmp_path / "two")
    for alone, together in zip(one.history, two.history, strict=True):
        assert together["train_loss"] == pytest.approx(alone["train_loss"], rel=1e-4)
        assert together["valid_loss"] == pytest.approx(alone["valid_loss"], rel=1e-4)


def test_a_failing_torch_worker_is_an_error_with_a_code():
    with pytest.raises(TrainError, match="LL-TRAIN-002"):
        Distributed.launch(fail, {}, 1, None, 30)


def test_horovod_gives_the_same_bits_twice(spark, tmp_path):
    data = make(tmp_path / "data")
    config = CONFIG.model_copy(update={"kind": "horovod", "workers": 2})
    one = train(spark, data, NET, config, tmp_path / "one")
    two = train(spark, data, NET, config, tmp_path / "two")
    alone = train(None, data, NET, CONFIG, tmp_path / "alone")
    assert one.weights_hash == two.weights_hash
    assert one.history[-1]["train_loss"] == pytest.approx(alone.history[-1]["train_loss"], rel=1e-4)
    assert (tmp_path / "one" / "metrics.jsonl").read_text().count("\n") == 2


def test_horovod_without_a_session_says_so():
    with pytest.raises(TrainError, match="no session"):
        Horovod.launch(fail, {}, 2, None, 30)


@pytest.mark.parametrize("ahead_s", [86_400, -86_400])
def test_a_timeout_of_horovod_is_as_long_by_another_clock(monkeypatch, ahead_s):
    from horovod.runner.common.util.timeout import Timeout

    send_durations()
    sent = pickle.dumps(Timeout(30, "too late"))
    here = time.time()
    monkeypatch.setattr(time, "time", lambda: here + ahead_s)
    assert 25 < pickle.loads(sent).remaining() <= 30
