"""One trained model: its scores for any rows, how good it was, and what it was made of.

Everything comes from the records of the storage root, so that a model answers without MLflow; only
an alias other than ``champion`` is asked of the registry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import TrainError
from lakeloom.core.extras import coded
from lakeloom.objects.path import Location, beside
from lakeloom.store.intents import Intent, Intents, Record

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from lakeloom.api.dataset import Dataset

CHAMPION = "champion"


@dataclass(frozen=True)
class Model:
    """A trained model at a fixed version.

    Attributes
    ----------
    name : str
    version : int or None
        In the registry; None where the registry was not reached when it was trained.
    epoch : int
        Which execution of the training made it.
    """

    name: str
    version: int | None
    epoch: int
    _record: Record = field(repr=False)
    _root: Location = field(repr=False)
    _dataset: Callable[[Intent], Dataset] = field(repr=False)

    @property
    def _facts(self) -> dict[str, Any]:
        return self._record.facts or {}

    @property
    def champion(self) -> bool:
        """Whether its training made it the champion."""
        return bool(self._facts.get("champion"))

    @property
    def manifest(self) -> dict[str, Any]:
        """What it was made of: config hash, commit, lock hash, table versions, row counts, seeds, workers, weights."""
        return dict(self._facts.get("manifest", {}))

    @property
    def parameters(self) -> dict[str, Any]:
        """The study's best parameters, with which it was trained; empty without a study."""
        return dict(self.manifest.get("parameters", {}))

    @property
    def evaluation(self) -> dict[str, Any]:
        """Metrics by split and group, curves, calibration, importance, for it and its baselines."""
        return dict(self._facts.get("evaluation", {}))

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Split → metric → value, of this model."""
        return dict(self.evaluation.get("models", {}).get(self.name, {}).get("splits", {}))

    @property
    def run(self) -> str | None:
        """The run in MLflow that holds it."""
        return self._facts.get("mlflow_run")

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset at the version that it was trained on; raises LL-STORE-012, LL-STORE-016 where that is gone."""
        return self._dataset(self._record.intent)

    @cached_property
    @coded()
    def fitted(self) -> Any:
        """The fitted estimator, with ``predict(frame)`` and ``features``; raises LL-TRAIN-007 where it is damaged."""
        from lakeloom.registry.flavour import read_model

        return read_model(beside(self._root) / "models" / self.name / f"models-{self.epoch:08d}" / self.name / "model")

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that `predict` needs."""
        return tuple(self.fitted.features)

    @coded()
    def predict(self, frame: Any) -> NDArray[float64]:
        """Return the probability of label 1 for each row of an Arrow table or a pandas frame, float64 [n].

        Raises
        ------
        TrainError
            LL-TRAIN-006 where a feature is missing or of a type that fits none.
        """
        scores: NDArray[float64] = self.fitted.predict(frame)
        return scores


def find(
    root: Location,
    tracking: str,
    name: str,
    version: int | str | None,
    dataset: Callable[[Intent], Dataset],
    *,
    trained: int | None = None,
) -> Model:
    """Return a model.

    Parameters
    ----------
    root : Path
        The storage root.
    tracking : str
        MLflow's URI; asked for an alias other than ``champion`` only.
    version : int, str or None
        A version of the registry, an alias, or None for the one that scores: the champion.
    dataset : callable
        (name, version) → Dataset.
    trained : int, optional
        The epoch of a training: the model that scored after it is meant, whatever `version` is.

    Raises
    ------
    TrainError
        LL-TRAIN-003 where there is no such model or version.
    """
    records = [record for record in Intents(root).history(f"models.{name}") if record.facts is not None]
    if not records:
        raise TrainError("LL-TRAIN-003", f"there is no model '{name}'", fix=f"run '+models.{name}'")
    if version is None or version == CHAMPION or trained is not None:
        last = next((record for record in records if record.intent.epoch == trained), records[-1])
        wanted = (last.facts or {})["serving"]["epoch"]
        made = next((record for record in records if record.intent.epoch == wanted), records[-1])
    else:
        number = version if isinstance(version, int) else _of_alias(tracking, name, version)
        known = {(record.facts or {}).get("registered"): record for record in records}
        if number not in known:
            there = ", ".join(str(each) for each in known if each is not None) or "none"
            raise TrainError(
                "LL-TRAIN-003", f"'{name}' has no version {number}; there are {there}", fix="name one of them"
            )
        made = known[number]
    return Model(name, (made.facts or {}).get("registered"), made.intent.epoch, made, root, dataset)


def _of_alias(tracking: str, name: str, alias: str) -> int:
    if alias.isdigit():
        return int(alias)
    from lakeloom.registry.load import resolve

    return int(resolve(tracking, f"{name}@{alias}").version)
