"""One fit of one of lakeloom's estimators on chosen rows, measured on others.

A journal keeps every finished fit until the bench is through, so that a bench that was interrupted
goes on where it stood; it lies in ``build/`` and is keyed by data, rows, features, settings and seed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.demo import Demo
from benchmarks.splits import Indices, Split
from lakeloom.core.kinds import pick
from lakeloom.core.steps import digest
from lakeloom.estimators import ESTIMATORS
from lakeloom.estimators.base import Data, Fitted, labels_of
from lakeloom.evaluation.metrics import average_precision, roc_auc
from lakeloom.training.spec import TrainConfig, config_of

JOURNAL = Path("build") / "bench" / "protocols.jsonl"


@dataclass(frozen=True)
class Score:
    """What a fitted model reaches on the rows that it is measured on, and how long it took to fit."""

    roc_auc: float
    average_precision: float
    seconds: float


class Fitter:
    """Fits on a demo's rows and remembers each fit in the journal."""

    def __init__(self, demo: Demo, journal: Path = JOURNAL) -> None:
        self.demo, self.journal = demo, journal
        self.known: dict[str, dict[str, Any]] = {}
        if journal.exists():
            for line in journal.read_text().splitlines():
                self.known.update(json.loads(line))

    def score(
        self,
        what: str,
        split: Split,
        estimator: dict[str, Any],
        seed: int = 0,
        features: Sequence[str] | None = None,
    ) -> Score:
        """Fit `estimator` (with a network's training under ``train``) and measure it; `what` is for progress."""
        chosen = tuple(features or self.demo.features)
        rows = [digest(each.tobytes().hex()) for each in (split.train, split.test)]
        key = digest(self.demo.identity, rows, list(chosen), estimator, seed)
        if key not in self.known:
            self._remember(key, self._fit(split, estimator, seed, chosen))
        found = Score(**self.known[key])
        print(
            f"{what}: {found.roc_auc:.4f} {found.average_precision:.4f} {found.seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )
        return found

    def finish(self) -> None:
        """Forget the journal: the next bench measures anew."""
        self.journal.unlink(missing_ok=True)

    def _remember(self, key: str, found: dict[str, float]) -> None:
        self.known[key] = found
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        with self.journal.open("a") as out:
            out.write(json.dumps({key: found}) + "\n")

    def _fit(self, split: Split, estimator: dict[str, Any], seed: int, features: tuple[str, ...]) -> dict[str, float]:
        columns = ["_row", "label", *features]
        train, test = (self.demo.rows.select(columns).take(each) for each in (split.train, split.test))
        started = time.perf_counter()
        if "train" in estimator:
            fitted = fit_network(train, estimator, seed, features)
        else:
            # The test rows are not handed in, not even as `valid`.
            data = Data(train, train.slice(0, 0), features)
            fitted = pick(estimator["kind"], ESTIMATORS).fit(data, config_of(estimator), seed)
        seconds = time.perf_counter() - started
        label, probability = labels_of(test), fitted.predict(test)
        return {
            "roc_auc": roc_auc(label, probability),
            "average_precision": average_precision(label, probability),
            "seconds": round(seconds, 2),
        }


def fit_network(train: pa.Table, estimator: dict[str, Any], seed: int, features: tuple[str, ...]) -> Fitted:
    """Train the network with lakeloom's own loop on one worker and keep the last epoch's weights.

    The loop wants a valid split to report on; it gets a slice of the training rows, which chooses
    nothing, since the last epoch is kept.
    """
    from deltalake import write_deltalake

    from lakeloom.training.fit import train as train_model
    from lakeloom.training.loader import Pinned

    shown = train.take(np.arange(0, train.num_rows, 50))
    whole = [_marked(train, "train"), _marked(shown, "valid")]
    config = TrainConfig.model_validate({"kind": "single", "keep": "last"} | estimator["train"])
    settings = {name: value for name, value in estimator.items() if name != "train"}
    with tempfile.TemporaryDirectory() as folder:
        write_deltalake(f"{folder}/data", pa.concat_tables(whole))
        data = Pinned(f"{folder}/data", 0, features)
        return train_model(None, data, settings, config, Path(folder) / "model", seed).fitted()


def _marked(rows: pa.Table, split: str) -> pa.Table:
    return rows.append_column("_split", pa.array([split] * rows.num_rows))


def sampled(split: Split, chosen: Indices) -> Split:
    """Return the split with `chosen` instead of its training rows."""
    return Split(chosen, split.test)
