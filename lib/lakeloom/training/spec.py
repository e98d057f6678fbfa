"""A model as ``models.yml`` declares it: frozen types, unknown keys refused, nothing heavy imported."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lakeloom.core.kinds import pick
from lakeloom.core.names import TableName
from lakeloom.estimators import ESTIMATORS
from lakeloom.estimators.base import EstimatorConfig
from lakeloom.evaluation.metrics import GREATER_IS_BETTER

Estimator = dict[str, Any]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def config_of(estimator: Estimator) -> EstimatorConfig:
    """Return an estimator's typed config; raises LL-CONF-020 for its kind, pydantic's error for the rest."""
    kind = pick(str(estimator.get("kind", "")), ESTIMATORS, "estimator")
    config: EstimatorConfig = kind.Config.model_validate(estimator)
    return config


def _checked(estimator: Estimator) -> Estimator:
    config_of(estimator)
    return estimator


def _checked_all(baselines: tuple[str | Estimator, ...]) -> tuple[str | Estimator, ...]:
    for each in baselines:
        kind = pick(str(each if isinstance(each, str) else each.get("kind", "")), ESTIMATORS, "baselines")
        if not hasattr(kind, "fit"):
            raise ValueError("a baseline is fitted on the driver; a network is trained as the model's estimator")
        kind.Config.model_validate({} if isinstance(each, str) else each)
    return baselines


def _metric(name: str) -> str:
    if name not in GREATER_IS_BETTER:
        raise ValueError(f"'{name}' is not a metric; the metrics are {', '.join(GREATER_IS_BETTER)}")
    return name


def _table(name: str) -> str:
    return str(TableName.parse(name))


class TrainConfig(_Frozen):
    """How a network is trained. Estimators that fit on the driver take only `seed` from it.

    Attributes
    ----------
    kind : str
        The communicator: ``single``, ``horovod``, ``torch``, or a dotted name.
    workers : int
        Processes; 1 for ``single``.
    epochs, batch : int
        `batch` is the global batch in rows, cut among the workers: it means the same at any number.
    seed : int
        Of the weights, the order and the dropout.
    lr, weight_decay : float
        Peak learning rate and decay of AdamW (Loshchilov and Hutter 2019).
    warmup : float
        Share of the steps in which the rate rises from 0; then it falls as a cosine to 1 % of the peak.
    norm : float
        Gradients are cut to this norm; 0: not at all.
    average : float
        Decay a step of the moving average of the weights that is evaluated and kept; 0: no average.
    keep : str
        ``best``: the epoch with the best average precision on valid; ``last``.
    start_timeout_s : int
        How long the workers may take to start.
    """

    kind: str = "single"
    workers: int = Field(default=1, ge=1)
    epochs: int = Field(default=8, ge=1)
    batch: int = Field(default=1024, ge=1)
    seed: int = Field(default=0, ge=0)
    lr: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    warmup: float = Field(default=0.1, ge=0, le=1)
    norm: float = Field(default=1.0, ge=0)
    average: float = Field(default=0.0, ge=0, lt=1)
    keep: Literal["best", "last"] = "best"
    start_timeout_s: int = Field(default=120, ge=1)


class TuneConfig(_Frozen):
    """How hyperparameters are searched.

    Attributes
    ----------
    algorithm : str
        ``tpe`` (Bergstra et al. 2011) or ``random``.
    trials, parallel : int
        How many in all, how many at once.
    startup : int
        How many are drawn at random before TPE learns from them (hyperopt's own 20 would leave a
        study of 16 trials all random).
    subsample : float
        Declared share of the train split that a trial trains on.
    epochs : int or None
        Epochs of a trial; None: those of `train`.
    seed : int
        Of the search.
    space : dict
        Name of a field of the estimator or of `train` to its range (`lakeloom.tuning.space`).
    """

    algorithm: Literal["tpe", "random"] = "tpe"
    trials: int = Field(default=16, ge=1)
    startup: int = Field(default=6, ge=1)
    parallel: int = Field(default=2, ge=1)
    subsample: float = Field(default=1.0, gt=0, le=1)
    epochs: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    space: dict[str, Any] = Field(min_length=1)


class Promotion(_Frozen):
    """When a new version becomes ``champion``: ``better`` by `metric` on a split, ``always``, ``never``."""

    metric: Annotated[str, AfterValidator(_metric)] = "average_precision"
    on: Literal["train", "valid"] = "valid"
    when: Literal["better", "always", "never"] = "better"


class ModelSpec(_Frozen):
    """An entry of ``models:``.

    Attributes
    ----------
    dataset : str
        Name of a declared dataset.
    estimator : dict
        ``kind`` and that kind's settings.
    train, tune, promote
        See their types; without `tune` nothing is searched.
    baselines : tuple
        Kinds, or mappings with ``kind`` and settings; fitted on the driver.
    groups : tuple of str
        Columns by whose values the model is measured in the evaluation.
    scores : str or None
        The table that batch scores go to.
    """

    dataset: str
    estimator: Annotated[Estimator, AfterValidator(_checked)]
    train: TrainConfig = TrainConfig()
    tune: TuneConfig | None = None
    baselines: Annotated[tuple[str | Estimator, ...], AfterValidator(_checked_all)] = ()
    promote: Promotion = Promotion()
    groups: tuple[str, ...] = ()
    scores: Annotated[str, AfterValidator(_table)] | None = None
    owner: str = ""
    description: str = ""

    def named_baselines(self) -> dict[str, Estimator]:
        """Return the baselines by name: the kind, numbered where a kind stands twice."""
        found: dict[str, Estimator] = {}
        for each in self.baselines:
            estimator = {"kind": each} if isinstance(each, str) else dict(each)
            name = str(estimator.get("kind", "")).rpartition(":")[2]
            count = sum(other == name or other.startswith(f"{name}_") for other in found)
            found[name if not count else f"{name}_{count + 1}"] = estimator
        return found

    def with_parameters(self, parameters: dict[str, Any]) -> ModelSpec:
        """Return the model with a trial's parameters set in its estimator or in its training.

        A name goes to the estimator where its kind has such a field, else to `train`; pydantic refuses
        a name that neither has.
        """
        fields = type(config_of(self.estimator)).model_fields
        estimator = {name: value for name, value in parameters.items() if name in fields}
        train = {name: value for name, value in parameters.items() if name not in fields}
        page = self.model_dump(mode="json")
        return ModelSpec.model_validate(
            page | {"estimator": self.estimator | estimator, "train": page["train"] | train}
        )
