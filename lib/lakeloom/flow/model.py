"""Tuning and training: a pinned dataset → a study's best parameters → a registered model.

Everything a training makes lies in files under ``<root>/models/<name>/<epoch>`` before MLflow hears
of it; an MLflow that can't be reached loses nothing, and the upload is repeated by the next replay.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.secrets import mask
from lakeloom.core.steps import Facts, Step
from lakeloom.flow.context import Context
from lakeloom.flow.near import near
from lakeloom.flow.unlabelled import notes
from lakeloom.store.intents import Intent, Record

if TYPE_CHECKING:
    from lakeloom.registry.promotion import Promoted
    from lakeloom.registry.tracking import RunFacts, Uploaded
    from lakeloom.training.loader import Pinned
    from lakeloom.training.spec import ModelSpec


def tune(context: Context, step: Step, intent: Intent) -> Facts:
    """Search the model's space; facts hold the trials, the best parameters and the study's MLflow run."""
    from lakeloom.registry.tracking import RunFacts, upload_trials
    from lakeloom.tuning.study import study

    name, spec = step.writes[0].partition(".")[2], step.spec
    data = pinned(context, spec, intent)
    found = study(context.engine.spark(), data, spec, folder(context, intent))
    trials = found.rows()
    run = RunFacts(
        key=key(intent),
        name=f"{name} study",
        parameters=spec.tune.model_dump(mode="json") | {"best": found.parameters},
        metrics={"trials": float(len(trials)), "best_loss": float(found.trials[found.best].loss or 0.0)},
        manifest=manifest(context, intent),
        tags={"lakeloom.step": step.name},
    )

    def send(tracking: str, experiment: str) -> str:
        uploaded = _upload(tracking, experiment, run)
        pages = [asdict(trial) for trial in found.trials]
        upload_trials(tracking, experiment, uploaded.run_id, run.key, pages, spec.promote.metric)
        return uploaded.run_id

    tracked = _tracked(context, send)
    return (
        _facts(context, intent, step)
        | tracked
        | {
            "trials": trials,
            "best": found.best,
            "parameters": found.parameters,
            "resumed": found.resumed,
            "rows_out": len(trials),
        }
    )


def train(context: Context, step: Step, intent: Intent) -> Facts:
    """Fit the model and its baselines, measure them, register the model, promote it where it is better."""
    from lakeloom.evaluation.metrics import GREATER_IS_BETTER
    from lakeloom.pages.plots import save_plots
    from lakeloom.training.evaluate import evaluate
    from lakeloom.training.fit import train_all

    name = step.writes[0].partition(".")[2]
    study = _study(context, name, intent)
    parameters = study["parameters"] if study else {}
    spec: ModelSpec = step.spec.with_parameters(parameters) if parameters else step.spec
    data, out = pinned(context, spec, intent), folder(context, intent)
    results = train_all(context.engine.spark(), data, spec, name, out)
    dataset = context.project.datasets[spec.dataset]
    types = context.lake.columns(f"datasets.{spec.dataset}", intent.reads[f"datasets.{spec.dataset}"])
    day = next((key for key in dataset.labels.keys if types[key] == "date"), "_as_of")
    evaluation = evaluate(data, results, intent.seed, by=spec.groups, day=day)
    evaluation["tuning"] = study["trials"] if study else []
    split, metric = spec.promote.on, spec.promote.metric
    score = float(evaluation["models"][name]["splits"][split][metric])
    about = manifest(context, intent) | {
        "rows": evaluation["dataset"]["rows"],
        "seeds": {"training": spec.train.seed, "evaluation": intent.seed},
        "workers": spec.train.workers,
        "communicator": spec.train.kind,
        "weights": results[name].weights_hash,
        "parameters": parameters,
    }
    run = _run(
        context, step, intent, spec, evaluation, about, results[name], save_plots(evaluation, out / "plots"), data
    )
    promoted: list[Promoted] = []

    def send(tracking: str, experiment: str) -> str:
        from lakeloom.registry.promotion import promote

        uploaded = _upload(tracking, experiment, run)
        promoted.append(
            promote(
                tracking, name, run.key, uploaded, score, f"{metric} on {split} of {data.path.rpartition('/')[2]}",
                GREATER_IS_BETTER[metric], spec.promote.when, {"lakeloom.epoch": str(intent.epoch)},
            )
        )  # fmt: skip
        return uploaded.run_id

    tracked = _tracked(context, send)
    facts = (
        _facts(context, intent, step)
        | tracked
        | {
            "evaluation": evaluation,
            "manifest": about,
            "notes": notes(data, dataset, results[name].fitted()),
        }
    )
    return facts | _serving(context, step, intent, name, promoted) | {"rows_out": 1}


def pinned(context: Context, spec: ModelSpec, intent: Intent) -> Pinned:
    """Return the model's dataset at the intent's version, with the columns that models may use."""
    from lakeloom.datasets.columns import feature_names
    from lakeloom.training.loader import Pinned

    table = f"datasets.{spec.dataset}"
    names = feature_names(context.project.datasets[spec.dataset], context.project.features)
    path, version = near(context.lake, table, intent.reads[table])
    return Pinned(path, version, tuple(names))


def folder(context: Context, intent: Intent) -> Path:
    """Return where an execution keeps its files."""
    area, _, name = intent.step.partition(".")
    return context.project.work / "models" / name / f"{area}-{intent.epoch:08d}"


def key(intent: Intent) -> str:
    """Return the idempotency key of an execution in MLflow."""
    return f"{intent.step}/{intent.epoch}"


def manifest(context: Context, intent: Intent) -> dict[str, Any]:
    """Return where an execution comes from: config, commit, lock, versions read, clock, seed."""
    return context.mark(intent, intent.step).manifest


def tracking_of(context: Context) -> str:
    """Return MLflow's URI: the setting, or SQLite under the storage root."""
    return context.project.settings.mlflow or f"sqlite:///{context.project.work}/mlflow.db"


def record_of(context: Context, step: str, epoch: int) -> Record | None:
    """Return the record of one execution."""
    return next((record for record in context.intents.history(step) if record.intent.epoch == epoch), None)


def _study(context: Context, name: str, intent: Intent) -> Facts | None:
    step = f"tuning.{name}"
    record = record_of(context, step, intent.reads[step]) if step in intent.reads else None
    return record.facts if record else None


def _facts(context: Context, intent: Intent, step: Step) -> Facts:
    rows = sum(context.lake.size(read.table, intent.reads[read.table]).rows for read in step.reads
               if read.table.startswith("datasets."))  # fmt: skip
    size = sum(file.stat().st_size for file in folder(context, intent).rglob("*") if file.is_file())
    return {"versions": {step.writes[0]: intent.epoch}, "version": intent.epoch, "rows_in": rows, "bytes": size}


def _run(
    context: Context, step: Step, intent: Intent, spec: ModelSpec, evaluation: dict[str, Any],
    about: dict[str, Any], result: Any, plots: list[Path], data: Pinned,
) -> RunFacts:  # fmt: skip
    from lakeloom.registry.tracking import RunFacts
    from lakeloom.training.loader import read_split

    name = step.writes[0].partition(".")[2]
    metrics = {
        f"{model}.{split}.{metric}" if model != name else f"{split}.{metric}": float(value)
        for model, measured in evaluation["models"].items()
        for split, values in measured["splits"].items()
        for metric, value in values.items()
        if isinstance(value, int | float)
    }
    lock = context.project.home / "environment" / "requirements.lock"
    (folder(context, intent) / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    return RunFacts(
        key=key(intent),
        name=name,
        parameters=spec.model_dump(mode="json", exclude={"tune"}),
        metrics=metrics,
        epochs=result.history,
        manifest=about,
        files=[*plots, folder(context, intent) / "evaluation.json", *([lock] if lock.is_file() else [])],
        tags={"lakeloom.step": step.name, "lakeloom.weights": result.weights_hash},
        model=result.model,
        example=read_split(data, "valid").slice(0, 5),
    )


def _upload(tracking: str, experiment: str, run: RunFacts) -> Uploaded:
    from lakeloom.registry.tracking import upload

    return upload(tracking, experiment, run)


def _tracked(context: Context, send: Any) -> Facts:
    """Upload by `send(tracking, experiment)`; a registry that fails is a fact, not a failure."""
    from lakeloom.registry.tracking import experiment_of

    tracking = tracking_of(context)
    artifacts = None if context.project.settings.mlflow else f"file://{context.project.work}/mlartifacts"
    try:
        return {"mlflow_run": send(tracking, experiment_of(tracking, context.project.name, artifacts))}
    except Exception as cause:  # MLflow's stores raise what their drivers raise; the files stay and can be uploaded
        return {"mlflow_run": None, "mlflow_problem": mask(f"{type(cause).__name__}: {cause}".splitlines()[0][:300])}


def _serving(context: Context, step: Step, intent: Intent, name: str, promoted: list[Promoted]) -> Facts:
    """Return which model scores: this one where it is champion (or nothing can be compared), else the last."""
    before = context.intents.published(step.name)
    made = promoted[0] if promoted else None
    mine = {"folder": str((folder(context, intent) / name / "model").relative_to(context.project.work)),
            "registered": made.version if made else None, "epoch": intent.epoch}  # fmt: skip
    champion = made.champion if made else before is None
    serving = mine if champion or before is None or before.facts is None else before.facts["serving"]
    reason = made.reason if made else "the registry was not reached"
    return {"serving": serving, "registered": mine["registered"], "champion": champion, "promotion": reason}
