"""Train a model: networks on workers by the loop, everything else on the driver.

`train` is idempotent: the folder that it writes holds the finished model and its facts, and a second
call with the same inputs returns them; a call after a kill goes on from the last checkpoint.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import TrainError
from lakeloom.core.kinds import pick
from lakeloom.core.steps import digest
from lakeloom.estimators import ESTIMATORS
from lakeloom.estimators.base import Data, Fitted, labels_of, load_fitted
from lakeloom.preparation.prepare import Preparation
from lakeloom.training.communicators import COMMUNICATORS
from lakeloom.training.communicators.base import Job, Result
from lakeloom.training.loader import Pinned, need_both_classes, read_split
from lakeloom.training.spec import Estimator, ModelSpec, TrainConfig, config_of

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

RESULT_FILE = "result.json"


@dataclass(frozen=True)
class TrainResult:
    """What a training made.

    Attributes
    ----------
    kind : str
        Of the estimator.
    model : Path
        The folder that `lakeloom.estimators.base.load_fitted` reads.
    seconds : float
        Of the training, without what an earlier, killed attempt took.
    rows : int
        Rows of the train split that it was fitted on.
    weights_hash : str
        Over the network's weights, or over the model's files.
    history : list of dict
        One line an epoch; empty for estimators without epochs.
    best_epoch : int
        The epoch kept (from 1); 0 without epochs.
    """

    kind: str
    model: Path
    seconds: float
    rows: int
    weights_hash: str
    history: list[dict[str, Any]]
    best_epoch: int

    def fitted(self) -> Fitted:
        """Load the model."""
        loaded: Fitted = load_fitted(self.model)
        return loaded


def train(
    spark: SparkSession | None,
    data: Pinned,
    estimator: Estimator,
    config: TrainConfig,
    out: Path,
    seed: int | None = None,
    part: float = 1.0,
) -> TrainResult:
    """Fit one estimator on the train split.

    Parameters
    ----------
    spark : SparkSession or None
        Needed by the communicator ``horovod`` only.
    data : Pinned
        The dataset at its version.
    estimator : dict
        ``kind`` and its settings, as in ``models.yml``.
    config : TrainConfig
    out : Path
        Folder of this training: ``model/``, ``result.json``, ``metrics.jsonl``, ``checkpoints/``.
    seed : int, optional
        Over ``config.seed``.
    part : float
        Share of the train split, a sample seeded by the seed.

    Raises
    ------
    TrainError
        LL-TRAIN-001 (empty split, one class), LL-TRAIN-002 (a worker failed), LL-TRAIN-005 (NaN loss),
        LL-TRAIN-006 (a feature missing or of a wrong type).
    """
    seed = config.seed if seed is None else seed
    key = digest(dataclasses.asdict(data), estimator, config.model_dump(mode="json"), seed, part)
    finished = _finished(out, key)
    if finished is not None:
        return finished
    started = time.perf_counter()
    table = read_split(data, "train", part=part, seed=seed)
    need_both_classes(labels_of(table), "train")
    kind = pick(estimator["kind"], ESTIMATORS)
    if hasattr(kind, "network"):
        model, facts = _on_workers(spark, data, estimator, config, out, seed, part, table)
    else:
        split = Data(table, read_split(data, "valid"), data.features)
        model, facts = kind.fit(split, config_of(estimator), seed), {}
    model.save(out / "model")
    result = TrainResult(
        kind=str(estimator["kind"]),
        model=out / "model",
        seconds=round(time.perf_counter() - started, 3),
        rows=table.num_rows,
        weights_hash=facts.get("weights_hash") or files_hash(out / "model"),
        history=facts.get("history", []),
        best_epoch=int(facts.get("best_epoch", 0)),
    )
    _finish(out, key, result)
    return result


def train_all(
    spark: SparkSession | None, data: Pinned, spec: ModelSpec, name: str, out: Path, seed: int | None = None
) -> dict[str, TrainResult]:
    """Fit the model and its baselines, each in ``out/<its name>``; the model stands first, under `name`."""
    results = {name: train(spark, data, spec.estimator, spec.train, out / name, seed)}
    for baseline, estimator in spec.named_baselines().items():
        results[baseline] = train(None, data, estimator, spec.train, out / baseline, seed)
    return results


def _on_workers(
    spark: SparkSession | None,
    data: Pinned,
    estimator: Estimator,
    config: TrainConfig,
    out: Path,
    seed: int,
    part: float,
    table: pa.Table,
) -> tuple[Fitted, Result]:
    import torch

    kind, settings = pick(estimator["kind"], ESTIMATORS), config_of(estimator)
    preparation = Preparation.fit(table, data.features, kind.preparation(settings))
    job = job_of(data, estimator, config, out, seed, part, preparation)
    facts = launch(spark, config, job)
    network = kind.network(preparation, settings)
    network.load_state_dict(torch.load(io.BytesIO(facts["weights"]), weights_only=True))
    return kind.finish(preparation, settings, network), facts


def job_of(
    data: Pinned,
    estimator: Estimator,
    config: TrainConfig,
    out: Path | None,
    seed: int,
    part: float,
    preparation: Preparation,
) -> Job:
    """Return what a worker needs, as plain data; without `out` it writes nothing."""
    return {
        "data": dataclasses.asdict(data),
        "estimator": estimator,
        "train": config.model_dump(mode="json"),
        "preparation": preparation.model_dump(mode="json"),
        "seed": seed,
        "part": part,
        "folder": str(out) if out is not None else "",
    }


def launch(spark: SparkSession | None, config: TrainConfig, job: Job) -> Result:
    """Run the loop on the communicator's workers; raises what they met."""
    from lakeloom.training.loop import work

    communicator = pick(config.kind, COMMUNICATORS, "train.kind")
    result: Result = communicator.launch(work, job, config.workers, spark, config.start_timeout_s)
    if "error" in result:
        error = result["error"]
        raise TrainError(error["code"], error["message"], where=error["where"], fix=error["fix"])
    return result


def files_hash(folder: Path) -> str:
    """Return 32 hexadecimal digits over the names and bytes of a folder's files."""
    import hashlib

    taken = hashlib.blake2b(digest_size=16)
    for place in sorted(path for path in folder.rglob("*") if path.is_file()):
        taken.update(place.relative_to(folder).as_posix().encode())
        taken.update(place.read_bytes())
    return taken.hexdigest()


def _finished(out: Path, key: str) -> TrainResult | None:
    try:
        page = json.loads((out / RESULT_FILE).read_text())
    except (OSError, ValueError):
        return None
    if page.pop("key", None) != key or not (out / "model" / "model.json").exists():
        return None
    return TrainResult(**(page | {"model": out / "model"}))


def _finish(out: Path, key: str, result: TrainResult) -> None:
    page = dataclasses.asdict(result) | {"key": key, "model": "model"}
    beside = out / f".{RESULT_FILE}.{os.getpid()}"
    beside.write_text(json.dumps(page, indent=1))
    beside.replace(out / RESULT_FILE)
