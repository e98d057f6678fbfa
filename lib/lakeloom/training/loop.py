"""The training loop of a worker: epochs of equal steps, one sum over the workers a step.

Every worker holds the same weights; each computes the gradient of the summed loss over its share of
the global batch, divided by the global batch's rows, and the sum over workers is the gradient of the
global batch. The loss rides in the same tensor, so that all workers see a NaN in the same step and
stop together (LL-TRAIN-005). Rank 0 evaluates on valid, writes a checkpoint and a line of
``metrics.jsonl`` an epoch. Nothing here knows MLflow.
"""

from __future__ import annotations

import io
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from lakeloom.core.errors import TrainError
from lakeloom.core.kinds import pick
from lakeloom.core.steps import digest
from lakeloom.estimators import ESTIMATORS
from lakeloom.estimators.tabular_net import predict_arrays, weights_hash
from lakeloom.evaluation.metrics import average_precision, log_loss, roc_auc
from lakeloom.preparation.prepare import Preparation
from lakeloom.training.checkpoint import State, read_checkpoint, write_checkpoint
from lakeloom.training.communicators.base import Communicator, Job, Result
from lakeloom.training.loader import Batch, Pinned, Rows, batches, read_split
from lakeloom.training.optimizer import FlatAdamW
from lakeloom.training.order import steps as steps_of
from lakeloom.training.schedule import rate
from lakeloom.training.spec import TrainConfig

METRICS_FILE = "metrics.jsonl"


def work(communicator: Communicator, job: Job) -> Result:
    """Train on one worker and return history, hash and weights; a `TrainError` returns as data.

    Parameters
    ----------
    communicator : Communicator
    job : dict
        What `lakeloom.training.fit.job_of` makes: plain data.
    """
    try:
        return Trainer(communicator, job).run()
    except TrainError as error:
        return {"error": error.as_dict()}


class Trainer:
    """One worker's state between epochs."""

    def __init__(self, communicator: Communicator, job: Job) -> None:
        torch.set_num_threads(1)
        torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms imports the compiler: 6 s
        self.communicator, self.job = communicator, job
        self.seed = int(job["seed"])
        self.config = TrainConfig.model_validate(job["train"])
        self.folder = Path(job["folder"]) if job["folder"] else None
        kind = pick(job["estimator"]["kind"], ESTIMATORS)
        preparation = Preparation.model_validate(job["preparation"])
        torch.manual_seed(self.seed)
        self.network = kind.network(preparation, kind.Config.model_validate(job["estimator"]))
        self.rows = self._read(preparation, "train", float(job["part"]))
        self.valid = self._read(preparation, "valid", 1.0) if communicator.rank == 0 else None
        self.optimizer = FlatAdamW(self.network, self.config.weight_decay)
        self.averaged = self.optimizer.parameters.clone()
        self.best: State = {"epoch": 0, "score": -math.inf, "weights": self.averaged}
        self.history: list[dict[str, Any]] = []

    def _read(self, preparation: Preparation, split: str, part: float) -> Rows:
        data = Pinned(**(self.job["data"] | {"features": tuple(self.job["data"]["features"])}))
        return Rows.of(read_split(data, split, part=part, seed=self.seed), preparation)

    def run(self) -> Result:
        """Resume, train the epochs that are missing, and return the chosen weights."""
        self._resume()
        for epoch in range(len(self.history) + 1, self.config.epochs + 1):
            started = time.perf_counter()
            loss = self._epoch(epoch)
            self._close(epoch, loss, started)
        self.optimizer.parameters.copy_(self.best["weights"] if self.config.keep == "best" else self.averaged)
        box = io.BytesIO()
        torch.save(self.network.state_dict(), box)
        return {
            "history": self.history,
            "best_epoch": self.best["epoch"] if self.config.keep == "best" else self.config.epochs,
            "weights_hash": weights_hash(self.network),
            "weights": box.getvalue(),
            "rows": len(self.rows),
        }

    def _epoch(self, epoch: int) -> float:
        """Train one epoch and return the mean loss of its rows over all workers."""
        self.network.train()
        total, each = 0.0, steps_of(len(self.rows), self.config.batch)
        for batch in batches(
            self.rows, self.seed, epoch, self.config.batch, self.communicator.rank, self.communicator.size
        ):
            step = (epoch - 1) * each + batch.step
            loss = self._step(batch, epoch, rate(step, each * self.config.epochs, self.config.lr, self.config.warmup))
            if not math.isfinite(loss):
                raise TrainError(
                    "LL-TRAIN-005",
                    f"the loss became {loss} in epoch {epoch}, step {batch.step + 1} of {each}",
                    fix=f"lower lr ({self.config.lr:g}) or batch ({self.config.batch})",
                )
            total += loss * batch.total
        return total / len(self.rows)

    def _step(self, batch: Batch, epoch: int, lr: float) -> float:
        """Take one step and return the mean loss of the global batch."""
        self.network.chance.at(self.seed, epoch, batch.step, batch.start, batch.stop, batch.total)
        gradient = self.optimizer.gradient
        gradient.zero_()
        if batch.stop > batch.start:
            logits = self.network(batch.categories, batch.numbers)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.label, reduction="sum") / batch.total
            loss.backward()
            gradient[-1] = loss.detach()
        self.communicator.add(gradient)
        self.optimizer.clip(self.config.norm)
        self.optimizer.step(lr)
        taken = self.optimizer.taken
        decay = min(self.config.average, taken / (9 + taken))  # the first weights are soon forgotten
        self.averaged.lerp_(self.optimizer.parameters, 1 - decay)
        return float(gradient[-1])

    def _close(self, epoch: int, loss: float, started: float) -> None:
        """Evaluate on valid and record, on rank 0; the other workers learn the line from it."""
        line = self._evaluate(epoch, loss, started) if self.communicator.rank == 0 else None
        line = self.communicator.share(line)
        self.history.append(line)
        if line["valid_average_precision"] > self.best["score"]:
            self.best = {"epoch": epoch, "score": line["valid_average_precision"], "weights": self.averaged.clone()}
        if self.communicator.rank == 0 and self.folder is not None:
            write_checkpoint(self.folder / "checkpoints", epoch, self._state())
            _append(self.folder / METRICS_FILE, [line])

    def _evaluate(self, epoch: int, loss: float, started: float) -> dict[str, Any]:
        assert self.valid is not None
        trained = self.optimizer.parameters.clone()
        self.optimizer.parameters.copy_(self.averaged)
        probability = predict_arrays(self.network, self.valid.arrays)
        self.optimizer.parameters.copy_(trained)
        label = self.valid.label.astype(np.float64)
        return {
            "epoch": epoch,
            "train_loss": loss,
            "valid_loss": log_loss(label, probability),
            "valid_average_precision": average_precision(label, probability),
            "valid_roc_auc": roc_auc(label, probability),
            "seconds": round(time.perf_counter() - started, 3),
        }

    def _job_digest(self) -> str:
        return digest({name: value for name, value in self.job.items() if name != "folder"}, self.communicator.size)

    def _state(self) -> State:
        return {
            "job": self._job_digest(),
            "optimizer": self.optimizer.state(),
            "averaged": self.averaged,
            "best": self.best,
            "history": self.history,
        }

    def _resume(self) -> None:
        """Take up rank 0's newest checkpoint of this very job on all workers."""
        state = None
        if self.communicator.rank == 0 and self.folder is not None:
            state = read_checkpoint(self.folder / "checkpoints", self._job_digest())
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / METRICS_FILE).unlink(missing_ok=True)
            _append(self.folder / METRICS_FILE, state["history"] if state else [])
        state = self.communicator.share(state)
        if state is not None:
            self.optimizer.load(state["optimizer"])
            self.averaged.copy_(state["averaged"])
            self.best, self.history = state["best"], list(state["history"])


def _append(place: Path, lines: list[dict[str, Any]]) -> None:
    with place.open("a") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
