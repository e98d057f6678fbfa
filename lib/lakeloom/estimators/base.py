"""What every estimator has: a frozen config, a fitted form with `predict`, and a folder on disk.

A fitted model's folder holds ``model.json`` (the class that loads it, features, config, seed),
``preparation.json`` and the kind's own files. It appears whole or not at all: it is written beside
its place and renamed. Pickles in it are read back only from folders that lakeloom wrote.
"""

from __future__ import annotations

import json
import os
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from lakeloom.core.errors import TrainError
from lakeloom.core.kinds import load
from lakeloom.preparation.prepare import Preparation

Floats = NDArray[np.float64]


class EstimatorConfig(BaseModel):
    """The base of each kind's config: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Data:
    """What an estimator that fits on the driver gets: two splits and the features' names."""

    train: pa.Table
    valid: pa.Table
    features: tuple[str, ...]

    @property
    def label(self) -> Floats:
        """The train split's labels, float64 [n]."""
        return labels_of(self.train)


def labels_of(table: pa.Table) -> Floats:
    """Return the column ``label`` as float64."""
    return np.asarray(table.column("label").to_numpy(), dtype=np.float64)


class Fitted(ABC):
    """A fitted estimator: what it learnt, and the preparation that its rows go through."""

    def __init__(self, preparation: Preparation) -> None:
        self.preparation = preparation

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that `predict` needs."""
        return self.preparation.features

    @abstractmethod
    def predict(self, frame: Any) -> Floats:
        """Return the probability of label 1 of each row, float64 [n]; `frame` is Arrow or pandas."""

    @abstractmethod
    def write(self, folder: Path) -> dict[str, Any]:
        """Write the kind's own files into `folder`; what is returned stands in ``model.json``."""

    @classmethod
    @abstractmethod
    def read(cls, folder: Path, preparation: Preparation, facts: dict[str, Any]) -> Self:
        """Read what `write` wrote."""

    def save(self, folder: Path) -> Path:
        """Write the model to `folder`, whole or not at all, over what was there."""
        beside = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        facts = self.write(beside)
        (beside / "preparation.json").write_text(self.preparation.model_dump_json())
        kind = f"{type(self).__module__}:{type(self).__name__}"
        (beside / "model.json").write_text(json.dumps({"class": kind, "facts": facts}, indent=1, sort_keys=True))
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
        return folder


def load_fitted(folder: Path) -> Any:
    """Return the fitted model that lies in `folder`.

    Raises
    ------
    TrainError
        LL-TRAIN-007 where the folder is incomplete or names a class that is no `Fitted`.
    """
    try:
        page = json.loads((folder / "model.json").read_text())
        preparation = Preparation.model_validate_json((folder / "preparation.json").read_text())
        kind = load(page["class"])
        if not issubclass(kind, Fitted):
            raise TypeError(f"{page['class']} is not a fitted model")
        return kind.read(folder, preparation, page["facts"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise TrainError(
            "LL-TRAIN-007", f"no model can be read from {folder.name}: {cause}", fix="train it again"
        ) from cause
