"""Load a registered model by ``name@champion`` or ``name@3``: our own object, without MLflow's wrapper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lakeloom.core.errors import TrainError
from lakeloom.registry.client import connect
from lakeloom.registry.flavour import read_model
from lakeloom.registry.promotion import CHAMPION


def load_model(tracking: str, reference: str) -> Any:
    """Return the model that `reference` names, with ``predict(frame)``, ``features`` and ``version``.

    Parameters
    ----------
    tracking : str
        MLflow's URI.
    reference : str
        ``name``, ``name@version`` or ``name@alias``; a bare name means the champion.

    Raises
    ------
    TrainError
        LL-TRAIN-003 where the registry has no such model, version or alias.
    """
    import mlflow

    version = resolve(tracking, reference)
    folder = Path(
        mlflow.artifacts.download_artifacts(f"models:/{version.name}/{version.version}", tracking_uri=tracking)
    )
    inner = [place.parent for place in folder.rglob("model.json")]
    if not inner:
        raise TrainError("LL-TRAIN-007", f"{reference} holds no model of lakeloom", fix="train it again")
    model = read_model(inner[0])
    model.version = int(version.version)
    return model


def resolve(tracking: str, reference: str) -> Any:
    """Return MLflow's model version for `reference`; raises LL-TRAIN-003."""
    client = connect(tracking)
    from mlflow.exceptions import MlflowException

    name, _, point = reference.partition("@")
    point = point or CHAMPION
    try:
        return (
            client.get_model_version(name, point) if point.isdigit() else client.get_model_version_by_alias(name, point)
        )
    except MlflowException as cause:
        raise TrainError(
            "LL-TRAIN-003",
            f"the registry has no '{name}@{point}'",
            fix="train the model, or name a version that exists",
        ) from cause
