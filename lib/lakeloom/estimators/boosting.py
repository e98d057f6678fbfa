"""Gradient boosting: scikit-learn's HistGradientBoostingClassifier on raw numbers and codes.

Nulls and unknown categories go their own way in each split of a tree. A column has 254 categories at
most (the histograms' limit), the most frequent; the others count as unknown. Several seeds may be
averaged, which costs their time and takes away some variance.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from lakeloom.estimators.base import Data, EstimatorConfig, Fitted, Floats
from lakeloom.preparation.prepare import Preparation, PreparationConfig

CATEGORIES = 254


class BoostingConfig(EstimatorConfig):
    """Settings of the trees; names in brackets are scikit-learn's.

    Attributes
    ----------
    embed : tuple of str
        Columns taken as categories besides the text columns.
    min_count : int
        Rows that a category needs for a code of its own.
    rounds : int
        Trees (``max_iter``).
    rate : float
        Learning rate.
    leaves : int
        Leaves a tree (``max_leaf_nodes``).
    leaf_rows : int
        Rows a leaf at least (``min_samples_leaf``).
    l2 : float
        ``l2_regularization``.
    columns : float
        Share of the features tried at each split (``max_features``).
    seeds : int
        Models averaged.
    """

    kind: Literal["boosting"] = "boosting"
    embed: tuple[str, ...] = ()
    min_count: int = Field(default=20, ge=1)
    rounds: int = Field(default=300, ge=1)
    rate: float = Field(default=0.06, gt=0)
    leaves: int = Field(default=31, ge=2)
    leaf_rows: int = Field(default=40, ge=1)
    l2: float = Field(default=1.0, ge=0)
    columns: float = Field(default=0.5, gt=0, le=1)
    seeds: int = Field(default=1, ge=1)


class FittedBoosting(Fitted):
    """The mean of one or more boosted models."""

    def __init__(self, preparation: Preparation, models: list[Any]) -> None:
        super().__init__(preparation)
        self.models = models

    def predict(self, frame: Any) -> Floats:
        """Return the mean of the models' probabilities."""
        matrix = self.preparation.matrix(frame)
        return np.asarray(np.mean([model.predict_proba(matrix)[:, 1] for model in self.models], axis=0))

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the trees as ``trees.pickle``."""
        import sklearn

        with (folder / "trees.pickle").open("wb") as out:
            pickle.dump(self.models, out)
        return {"sklearn": sklearn.__version__}

    @classmethod
    def read(cls, folder: Path, preparation: Preparation, facts: dict[str, Any]) -> Self:
        """Read the trees."""
        with (folder / "trees.pickle").open("rb") as page:
            return cls(preparation, pickle.load(page))  # noqa: S301 - from a folder that lakeloom wrote


class Boosting:
    """Fits the trees on the driver, with all cores."""

    Config = BoostingConfig

    @staticmethod
    def fit(data: Data, config: BoostingConfig, seed: int) -> FittedBoosting:
        """Fit on the train split; the same number of cores gives the same trees."""
        settings = PreparationConfig(embed=config.embed, min_count=config.min_count, at_most=CATEGORIES)
        preparation = Preparation.fit(data.train, data.features, settings)
        matrix, label = preparation.matrix(data.train), data.label
        models = [_fit_one(preparation, matrix, label, config, seed + place) for place in range(config.seeds)]
        return FittedBoosting(preparation, models)


def _fit_one(preparation: Preparation, matrix: Floats, label: Floats, config: BoostingConfig, seed: int) -> Any:
    import os

    # Waiting threads that spin take the processor from others on a busy machine; read when OpenMP is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from sklearn.ensemble import HistGradientBoostingClassifier

    categorical = np.arange(matrix.shape[1]) < len(preparation.categories)
    model = HistGradientBoostingClassifier(
        max_iter=config.rounds,
        learning_rate=config.rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=config.leaf_rows,
        l2_regularization=config.l2,
        max_features=config.columns,
        categorical_features=categorical,
        early_stopping=False,
        random_state=seed,
    )
    return model.fit(matrix, label)
