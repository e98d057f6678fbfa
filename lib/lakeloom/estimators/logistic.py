"""Logistic regression on one-hot categories and scaled numbers (scikit-learn, lbfgs, L2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from lakeloom.estimators.base import Data, EstimatorConfig, Fitted, Floats
from lakeloom.preparation.prepare import Preparation, PreparationConfig


class LogisticConfig(EstimatorConfig):
    """Settings of the regression.

    Attributes
    ----------
    embed : tuple of str
        Columns taken as categories besides the text columns.
    min_count : int
        Rows that a category needs for a column of its own.
    strength : float
        scikit-learn's ``C``, the inverse of the L2 penalty.
    iterations : int
        At most so many steps of lbfgs.
    """

    kind: Literal["logistic"] = "logistic"
    embed: tuple[str, ...] = ()
    min_count: int = Field(default=100, ge=1)
    strength: float = Field(default=0.1, gt=0)
    iterations: int = Field(default=100, ge=1)


class FittedLogistic(Fitted):
    """Coefficients over one-hot categories and scaled numbers."""

    def __init__(self, preparation: Preparation, coefficients: Floats, intercept: float) -> None:
        super().__init__(preparation)
        self.coefficients = coefficients
        self.intercept = intercept

    def predict(self, frame: Any) -> Floats:
        """Return the logistic function of the linear score."""
        score = one_hot(self.preparation, frame) @ self.coefficients + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(score, -40, 40))), dtype=np.float64)

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the coefficients as ``coefficients.npy``."""
        np.save(folder / "coefficients.npy", self.coefficients)
        return {"intercept": self.intercept}

    @classmethod
    def read(cls, folder: Path, preparation: Preparation, facts: dict[str, Any]) -> Self:
        """Read the coefficients."""
        return cls(preparation, np.load(folder / "coefficients.npy"), float(facts["intercept"]))


class Logistic:
    """Fits the regression on the driver."""

    Config = LogisticConfig

    @staticmethod
    def fit(data: Data, config: LogisticConfig, seed: int) -> FittedLogistic:
        """Fit on the train split."""
        from sklearn.linear_model import LogisticRegression

        settings = PreparationConfig(embed=config.embed, min_count=config.min_count)
        preparation = Preparation.fit(data.train, data.features, settings)
        model = LogisticRegression(C=config.strength, max_iter=config.iterations, random_state=seed)
        model.fit(one_hot(preparation, data.train), data.label)
        return FittedLogistic(preparation, np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0]))


def one_hot(preparation: Preparation, frame: Any) -> Any:
    """Return the rows as a sparse matrix: a column a code, then the scaled numbers."""
    from scipy import sparse

    arrays = preparation.arrays(frame)
    rows = np.arange(len(arrays))
    blocks = [
        sparse.csr_matrix((np.ones(len(rows)), (rows, arrays.categories[:, place])), shape=(len(rows), size))
        for place, size in enumerate(preparation.sizes)
    ]
    return sparse.hstack([*blocks, sparse.csr_matrix(arrays.numbers.astype(np.float64))], format="csr")
