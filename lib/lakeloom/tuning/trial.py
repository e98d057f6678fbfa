"""One trial: a module-level function and plain data, run on a Spark worker, never with a session.

A finished trial is one JSON file in the study's folder, written at once by the worker that ran it:
a study that is killed loses none. The file's name is a digest of the true parameters; a trial is a
pure function of them, so one that stands there is not run again.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lakeloom.core.errors import LakeloomError
from lakeloom.core.secrets import mask
from lakeloom.core.steps import digest
from lakeloom.estimators.base import labels_of
from lakeloom.evaluation.metrics import METRICS, loss_of
from lakeloom.training.fit import train
from lakeloom.training.loader import Pinned, read_split
from lakeloom.training.spec import ModelSpec
from lakeloom.tuning.space import true_values

Task = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """A finished trial.

    Attributes
    ----------
    parameters : dict
        True values.
    status : str
        ``ok`` or ``failed``.
    loss : float or None
        Smaller is better; ``1 - value`` for areas.
    value : float or None
        The promotion metric on its split.
    seconds : float
    started : float
        Seconds since 1970: the order of the trials.
    history : list of dict
        A line an epoch, for networks.
    problem : str
        Why it failed.
    """

    parameters: dict[str, Any]
    status: str
    loss: float | None
    value: float | None
    seconds: float
    started: float
    history: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""


def run_trial(task: Task, parameters: dict[str, Any]) -> dict[str, Any]:
    """Run a trial, write its file and return hyperopt's ``loss`` and ``status``."""
    values = true_values(task["space"], parameters)
    place = Path(task["folder"]) / f"{digest(task['key'], values)}.json"
    trial = read_trial(place, task["key"])
    if trial is None:
        trial = _measure(task, values)
        _write(place, asdict(trial) | {"key": task["key"]})
    return {"loss": trial.loss, "status": "ok"} if trial.status == "ok" else {"status": "fail"}


def read_trial(place: Path, key: str) -> Trial | None:
    """Return the trial in a file, or None where there is none of the study `key`."""
    try:
        page = json.loads(place.read_text())
    except (OSError, ValueError):
        return None
    return Trial(**page) if page.pop("key", None) == key else None


def _measure(task: Task, values: dict[str, Any]) -> Trial:
    started, clock = time.time(), time.perf_counter()
    try:
        value, history = _fit(task, values)
        loss = loss_of(task["metric"], value)
        if loss != loss:
            raise ValueError(f"{task['metric']} is undefined on {task['on']}")
    except Exception as cause:  # whatever one trial meets is that trial's result and must not end the study
        problem = cause.message if isinstance(cause, LakeloomError) else f"{type(cause).__name__}: {cause}"
        return Trial(values, "failed", None, None, time.perf_counter() - clock, started, problem=mask(problem)[:500])
    return Trial(values, "ok", loss, value, time.perf_counter() - clock, started, history)


def _fit(task: Task, values: dict[str, Any]) -> tuple[float, list[dict[str, Any]]]:
    data = Pinned(**(task["data"] | {"features": tuple(task["data"]["features"])}))
    spec = ModelSpec.model_validate(task["model"]).with_parameters(values)
    config = spec.train.model_copy(
        update={"kind": "single", "workers": 1, "epochs": task["epochs"] or spec.train.epochs}
    )
    with tempfile.TemporaryDirectory() as folder:
        result = train(None, data, spec.estimator, config, Path(folder), task["seed"], task["subsample"])
        table = read_split(data, task["on"])
        return METRICS[task["metric"]](labels_of(table), result.fitted().predict(table)), result.history


def _write(place: Path, page: dict[str, Any]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_suffix(f".{os.getpid()}.tmp")
    beside.write_text(json.dumps(page, indent=1))
    beside.replace(place)
