"""Upload a training after the fact: what the files and the facts say becomes MLflow runs.

Every run carries the tag ``lakeloom.key``: a replay finds it and completes it instead of doubling it,
and a finished one (tag ``lakeloom.done``) is left as it is. Nothing is taken from a live training, so
an upload that failed can be repeated from the same files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.secrets import mask
from lakeloom.registry.client import connect
from lakeloom.registry.flavour import DATA, read_model

if TYPE_CHECKING:
    import pyarrow as pa

KEY, DONE = "lakeloom.key", "lakeloom.done"
PARAMETER_LENGTH = 6000
AT_ONCE = 500


@dataclass(frozen=True)
class RunFacts:
    """A run to upload, as plain data.

    Attributes
    ----------
    key : str
        Unique and the same at each replay: ``<step>/<epoch>``, trials add ``/trial-<n>``.
    name : str
    parameters : dict
        Any depth; nested names are joined by dots.
    metrics : dict of str to float
    epochs : sequence of dict
        Lines of ``metrics.jsonl``: ``epoch`` and numbers.
    manifest : dict or None
        Becomes ``manifest.json``.
    files : sequence of Path
        Plots, reports, the environment's lock; to ``files/``.
    tags : dict
    model : Path or None
        The folder of a fitted model.
    example : pyarrow.Table or None
        A few rows with the model's features: input example and signature.
    """

    key: str
    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs: Sequence[Mapping[str, Any]] = ()
    manifest: Mapping[str, Any] | None = None
    files: Sequence[Path] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    model: Path | None = None
    example: pa.Table | None = None


@dataclass(frozen=True)
class Uploaded:
    """Where a run stands in MLflow: its id, and the model's URI where it has one."""

    run_id: str
    model_uri: str | None


def experiment_of(tracking: str, name: str, artifacts: str | None) -> str:
    """Return the id of the experiment `name`, made with artifacts at `artifacts` where it is new."""
    client = connect(tracking)
    known = client.get_experiment_by_name(name)
    return str(known.experiment_id) if known else str(client.create_experiment(name, artifact_location=artifacts))


def upload(tracking: str, experiment: str, run: RunFacts, parent: str | None = None) -> Uploaded:
    """Bring a run to MLflow, once: found by its key and completed where a former upload broke off.

    Parameters
    ----------
    tracking : str
        MLflow's URI.
    experiment : str
        Id of the experiment (`experiment_of`).
    run : RunFacts
    parent : str, optional
        Id of the run that this one is nested in.
    """
    client = connect(tracking)
    known = find(client, experiment, run.key)
    if known is not None and known.data.tags.get(DONE):
        return Uploaded(known.info.run_id, known.data.tags.get("lakeloom.model_uri"))
    run_id = known.info.run_id if known is not None else _create(client, experiment, run, parent)
    _log_numbers(client, run_id, run)
    if run.manifest is not None:
        client.log_dict(run_id, json.loads(json.dumps(run.manifest, default=str)), "manifest.json")
    for place in run.files:
        client.log_artifact(run_id, str(place), "files")
    uri = _log_model(run_id, run) if run.model is not None else None
    if uri is not None:
        client.set_tag(run_id, "lakeloom.model_uri", uri)
    client.set_tag(run_id, DONE, "1")
    client.set_terminated(run_id, "FINISHED")
    return Uploaded(run_id, uri)


def upload_trials(
    tracking: str, experiment: str, parent: str, key: str, trials: Sequence[Mapping[str, Any]], metric: str
) -> list[str]:
    """Bring the trials of a study as runs nested in `parent`, with their true parameter values.

    Parameters
    ----------
    trials : sequence of dict
        ``parameters``, ``status``, ``loss``, ``value``, ``seconds``, ``history``, ``problem``.
    metric : str
        The name of ``value``.
    """
    ids = []
    for number, trial in enumerate(trials):
        numbers = {"loss": trial["loss"], f"valid.{metric}": trial["value"], "seconds": trial["seconds"]}
        run = RunFacts(
            key=f"{key}/trial-{number}",
            name=f"trial-{number}",
            parameters=trial["parameters"],
            metrics={name: value for name, value in numbers.items() if value is not None},
            epochs=trial.get("history", ()),
            tags={"lakeloom.status": trial["status"], "lakeloom.problem": trial.get("problem", "")},
        )
        ids.append(upload(tracking, experiment, run, parent).run_id)
    return ids


def find(client: Any, experiment: str, key: str) -> Any | None:
    """Return the run with the tag ``lakeloom.key`` = `key`, or None."""
    runs = client.search_runs([experiment], f"tags.`{KEY}` = '{_quoted(key)}'", max_results=1)
    return runs[0] if runs else None


def flat(parameters: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Return nested parameters as text by dotted names, secrets masked."""
    found: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = mask(str(value))[:PARAMETER_LENGTH]
    return found


def _create(client: Any, experiment: str, run: RunFacts, parent: str | None) -> str:
    tags = {KEY: run.key} | {name: mask(str(value)) for name, value in run.tags.items()}
    if parent is not None:
        tags["mlflow.parentRunId"] = parent
    return str(client.create_run(experiment, run_name=run.name, tags=tags).info.run_id)


def _log_numbers(client: Any, run_id: str, run: RunFacts) -> None:
    from mlflow.entities import Metric, Param

    there = _there(client, run_id)
    now = int(time.time() * 1000)
    metrics = [Metric(name, float(value), now, 0) for name, value in run.metrics.items()]
    for line in run.epochs:
        numbers = {name: value for name, value in line.items() if name != "epoch" and isinstance(value, int | float)}
        metrics += [Metric(name, float(value), now, int(line["epoch"])) for name, value in numbers.items()]
    metrics = [each for each in metrics if (each.key, each.step) not in there]
    params = [Param(name, value) for name, value in flat(run.parameters).items()]
    for start in range(0, max(len(metrics), 1), AT_ONCE):
        client.log_batch(run_id, metrics=metrics[start : start + AT_ONCE], params=params[:100] if not start else [])
    for start in range(100, len(params), 100):
        client.log_batch(run_id, params=params[start : start + 100])


def _there(client: Any, run_id: str) -> set[tuple[str, int]]:
    """Return (name, epoch) of what a broken upload has brought already: MLflow would keep both."""
    names = list(client.get_run(run_id).data.metrics)
    return {(name, each.step) for name in names for each in client.get_metric_history(run_id, name)}


def _log_model(run_id: str, run: RunFacts) -> str:
    import mlflow

    assert run.model is not None
    example, signature = _example(run.model, run.example) if run.example is not None else (None, None)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name=DATA,
            loader_module="lakeloom.registry.flavour",
            data_path=str(run.model),
            code_paths=[str(Path(__file__).resolve().parents[1])],
            signature=signature,
            input_example=example,
            pip_requirements=_requirements(),
        )
    return str(logged.model_uri)


def _example(folder: Path, rows: pa.Table) -> tuple[Any, Any]:
    """Return input example and signature: every feature may be null, so integers are declared doubles.

    (MLflow's advice: pandas has no null integer. Whoever calls MLflow's wrapper hands in floats.)
    """
    from mlflow.models import infer_signature
    from mlflow.types import ColSpec, Schema

    model = read_model(folder)
    example = rows.select(list(model.features)).to_pandas() if model.features else rows.to_pandas()
    whole = example.select_dtypes("integer").columns
    example = example.astype(dict.fromkeys(whole, "float64"))
    signature = infer_signature(example, model.predict(example))
    signature.inputs = Schema([ColSpec(each.type, each.name, required=False) for each in signature.inputs])
    return example, signature


def _requirements() -> list[str]:
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ("numpy", "pandas", "pyarrow", "pydantic", "scikit-learn", "torch")]


def _quoted(text: str) -> str:
    return text.replace("'", "")
