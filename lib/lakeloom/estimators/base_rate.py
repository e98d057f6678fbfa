"""The baseline of baselines: everybody gets the train split's share of positives."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from lakeloom.estimators.base import Data, EstimatorConfig, Fitted, Floats
from lakeloom.preparation.columns import as_table
from lakeloom.preparation.prepare import Preparation


class BaseRateConfig(EstimatorConfig):
    """No settings."""

    kind: Literal["base_rate"] = "base_rate"


class FittedBaseRate(Fitted):
    """One probability for all rows."""

    def __init__(self, preparation: Preparation, rate: float) -> None:
        super().__init__(preparation)
        self.rate = rate

    def predict(self, frame: Any) -> Floats:
        """Return the rate for each row."""
        return np.full(as_table(frame).num_rows, self.rate)

    def write(self, folder: Path) -> dict[str, Any]:
        """Write nothing but the rate."""
        return {"rate": self.rate}

    @classmethod
    def read(cls, folder: Path, preparation: Preparation, facts: dict[str, Any]) -> Self:
        """Read the rate."""
        return cls(preparation, float(facts["rate"]))


class BaseRate:
    """Fits the share of positives."""

    Config = BaseRateConfig

    @staticmethod
    def fit(data: Data, config: BaseRateConfig, seed: int) -> FittedBaseRate:
        """Return the train split's share of positives as a model."""
        del config, seed
        return FittedBaseRate(Preparation(features=(), categories=(), scalings=()), float(np.mean(data.label)))
