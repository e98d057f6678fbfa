"""A study: trials proposed by TPE, run by hyperopt's SparkTrials, resumable.

SparkTrials keeps nothing on disk and can't resume. Here each finished trial is a file (`trial`); a
resumed study hands those to a new SparkTrials as already observed and runs only the rest. What is not
promised: the same proposals as an undisturbed study. Trials run at once, TPE sees those that have
finished by then, so proposals depend on timing from the first TPE proposal on; the seed of each
proposal is a function of (study's seed, trial number), and a trial is a function of its parameters.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import logging
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lakeloom.core.errors import TrainError
from lakeloom.core.kinds import pick
from lakeloom.core.secrets import mask
from lakeloom.core.steps import digest
from lakeloom.session.connect import require_driver
from lakeloom.training.loader import Pinned
from lakeloom.training.spec import ModelSpec, TuneConfig
from lakeloom.tuning import ALGORITHMS
from lakeloom.tuning.reuse import ReusingSession
from lakeloom.tuning.space import Space, check_space, stored_values, to_hyperopt
from lakeloom.tuning.trial import Task, Trial, read_trial, run_trial

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STUDY_FILE = "study.json"
ATTEMPTS = 10


@dataclass(frozen=True)
class StudyResult:
    """A finished study: its trials in the order they started, the best one's number and parameters."""

    trials: list[Trial]
    best: int
    parameters: dict[str, Any]
    resumed: int

    def rows(self) -> list[dict[str, Any]]:
        """Return the trials as the evaluation's ``tuning`` facts."""
        return [
            {
                "trial": number,
                "loss": trial.loss,
                "status": trial.status,
                "seconds": trial.seconds,
                "parameters": trial.parameters,
            }
            for number, trial in enumerate(self.trials)
        ]


def study(spark: SparkSession, data: Pinned, spec: ModelSpec, out: Path, seed: int | None = None) -> StudyResult:
    """Search the space of ``spec.tune``.

    Parameters
    ----------
    spark : SparkSession
    data : Pinned
        The dataset at its version.
    spec : ModelSpec
        With `tune`. Each trial trains in one process.
    out : Path
        The study's folder; what is finished in it is not run again.
    seed : int, optional
        Over ``spec.tune.seed``.

    Raises
    ------
    TrainError
        LL-TRAIN-004 for a malformed space; LL-TRAIN-002 where every trial failed, with the last reason.
    """
    if spec.tune is None:
        raise TrainError("LL-TRAIN-004", "the model has no 'tune'", fix="declare one with a space")
    check_space(spec.tune.space)
    task = task_of(data, spec, spec.tune, out, spec.tune.seed if seed is None else seed)
    done = _finished(out, task["key"])
    if done is not None:
        return done
    observed = finished_trials(Path(task["folder"]), task["key"])
    lost = _search(spark, task, spec.tune, observed) if len(observed) < spec.tune.trials else ""
    return _finish(out, task["key"], len(observed), finished_trials(Path(task["folder"]), task["key"]), lost)


def task_of(data: Pinned, spec: ModelSpec, tune: TuneConfig, out: Path, seed: int) -> Task:
    """Return what a trial needs, as plain data; ``key`` is a digest of all that its result depends on."""
    task: Task = {
        "data": dataclasses.asdict(data),
        "model": spec.model_dump(mode="json"),
        "space": tune.space,
        "metric": spec.promote.metric,
        "on": spec.promote.on,
        "subsample": tune.subsample,
        "epochs": tune.epochs,
        "seed": seed,
    }
    return task | {"key": digest(task), "folder": str(out / "trials")}


def finished_trials(folder: Path, key: str) -> list[Trial]:
    """Return the trials of the study `key` that stand in `folder`, in the order they started."""
    found = [read_trial(place, key) for place in sorted(folder.glob("*.json"))]
    return sorted((trial for trial in found if trial is not None), key=lambda trial: trial.started)


def documents(space: Space, observed: list[Trial]) -> list[dict[str, Any]]:
    """Return finished trials as the documents that hyperopt's algorithms read."""
    from hyperopt.base import JOB_STATE_DONE
    from hyperopt.utils import coarse_utcnow

    found = []
    for number, trial in enumerate(observed):
        stored = stored_values(space, trial.parameters)
        found.append(
            {
                "state": JOB_STATE_DONE,
                "tid": number,
                "spec": None,
                "result": {"loss": trial.loss, "status": "ok"} if trial.status == "ok" else {"status": "fail"},
                "misc": {
                    "tid": number,
                    "cmd": ("domain_attachment", "FMinIter_Domain"),
                    "workdir": None,
                    "idxs": {name: [number] for name in stored},
                    "vals": {name: [value] for name, value in stored.items()},
                },
                "exp_key": None,
                "owner": None,
                "version": 0,
                "book_time": coarse_utcnow(),
                "refresh_time": coarse_utcnow(),
            }
        )
    return found


def _search(spark: SparkSession, task: Task, tune: TuneConfig, observed: list[Trial]) -> str:
    """Run the trials that are missing; return what the last one met that never reached `run_trial`."""
    require_driver(spark, "SparkTrials")
    from hyperopt import SparkTrials, fmin
    from hyperopt.exceptions import AllTrialsFailed

    for name in ("hyperopt", "hyperopt-spark", "hyperopt.tpe", "hyperopt.fmin"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # SparkTrials' dispatcher threads inherit no job tags; none are set.
    warnings.filterwarnings("ignore", message="Spark session is not provided")
    algorithm = pick(tune.algorithm, ALGORITHMS)
    if tune.algorithm == "tpe":
        algorithm = functools.partial(algorithm, n_startup_jobs=tune.startup, verbose=False)
    trials = SparkTrials(parallelism=tune.parallel, spark_session=ReusingSession(spark))
    if observed:
        trials.insert_trial_docs(documents(tune.space, observed))
        trials.refresh()
    with contextlib.suppress(AllTrialsFailed):  # told by `_finish`, with the trials' own reasons
        fmin(
            functools.partial(run_trial, task),
            to_hyperopt(tune.space),
            algo=functools.partial(_suggest, algorithm, tune.startup, task["seed"]),
            max_evals=tune.trials,
            trials=trials,
            rstate=np.random.default_rng(task["seed"]),
            show_progressbar=False,
            verbose=False,
            return_argmin=False,
        )
    errors = [str(doc["misc"]["error"][1]) for doc in trials.trials if "error" in doc["misc"]]
    named = [line for error in errors for line in error.splitlines() if "Error" in line]
    return mask((named or errors or [""])[-1].strip()[:300])


def _suggest(algorithm: Any, startup: int, seed: int, new_ids: list[int], domain: Any, trials: Any, drawn: int) -> Any:
    """Propose what stands in no trial yet, with a seed that is a function of (seed, place) alone.

    hyperopt's own draw (`drawn`) is left out: it depends on how often was drawn before. Among the
    first, random trials the places are tried from 0 on, so that a resumed study proposes just those
    that are missing. A small, discrete space may have nothing new left: then a proposal repeats.
    """
    taken = [doc["misc"]["vals"] for doc in trials.trials]
    first = 0 if len(taken) < startup else new_ids[0]
    for place in range(first, first + len(taken) + ATTEMPTS):
        own = int(np.random.SeedSequence([seed, place]).generate_state(1)[0]) % (2**31 - 1)
        proposed = algorithm(new_ids, domain, trials, own)
        if all(doc["misc"]["vals"] not in taken for doc in proposed):
            break
    return proposed


def _finish(out: Path, key: str, resumed: int, trials: list[Trial], lost: str) -> StudyResult:
    good = [(trial.loss, number) for number, trial in enumerate(trials) if trial.loss is not None]
    if not good:
        reason = trials[-1].problem if trials else lost or "none was started"
        raise TrainError(
            "LL-TRAIN-002", f"no trial of {len(trials)} succeeded; the last: {reason}", fix="see the cause"
        )
    best = min(good)[1]
    page = {"key": key, "trials": [dataclasses.asdict(trial) for trial in trials], "best": best, "resumed": resumed}
    beside = out / f".{STUDY_FILE}.{os.getpid()}"
    beside.write_text(json.dumps(page, indent=1))
    beside.replace(out / STUDY_FILE)
    return StudyResult(trials, best, trials[best].parameters, resumed)


def _finished(out: Path, key: str) -> StudyResult | None:
    try:
        page = json.loads((out / STUDY_FILE).read_text())
    except (OSError, ValueError):
        return None
    if page["key"] != key:
        return None
    trials = [Trial(**each) for each in page["trials"]]
    return StudyResult(trials, page["best"], trials[page["best"]].parameters, page["resumed"])
