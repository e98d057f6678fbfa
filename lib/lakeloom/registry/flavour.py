"""How MLflow loads our models: a pyfunc flavour whose data is the model's own folder.

The folder says in ``model.json`` which class reads it; that class is imported by name, so that this
room needs to know no estimator.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lakeloom.core.errors import TrainError
from lakeloom.core.kinds import load

READER = "lakeloom.estimators.base:load_fitted"
DATA = "model"


def read_model(folder: Path) -> Any:
    """Return the fitted model in `folder`, with ``predict(frame)`` and ``features``; raises LL-TRAIN-007."""
    if not (folder / "model.json").exists():
        raise TrainError("LL-TRAIN-007", f"{folder.name} holds no model of lakeloom", fix="train it again")
    return load(READER)(folder)


class Predictor:
    """What MLflow calls: a pandas frame to probabilities."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return the probability of label 1 of each row."""
        return self.model.predict(model_input)


def _load_pyfunc(data_path: str) -> Predictor:
    """Load for MLflow, which looks for this name."""
    return Predictor(read_model(Path(data_path)))
