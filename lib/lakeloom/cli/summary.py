"""The end of a run: what each step did, the model beside its baselines, where things are, what to try next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from lakeloom.cli.shell import Shell
from lakeloom.core.errors import LakeloomError

if TYPE_CHECKING:
    from lakeloom.api.lakehouse import Lakehouse
    from lakeloom.flow.backfill import BackfillResult
    from lakeloom.flow.result import RunResult

_SCORES = {"roc_auc": "ROC AUC", "average_precision": "average precision", "brier": "Brier", "log_loss": "log loss"}


def ended(out: Shell, lake: Lakehouse, result: RunResult) -> None:
    """Print a run's result and leave with its exit code."""
    report = _report(lake, result)
    if out.as_json:
        failures(lake, result, debug=out.debug)
        out.document(result.as_dict())
    else:
        steps_of(out, result)
        _changed(out, result)
        _warnings(result)
        _undelivered(result)
        failures(lake, result, debug=out.debug)
        for name, facts in lake.evaluations(result.run_id).items():
            _model(out, name, facts)
        _places(out, lake, result, report)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def ended_backfill(out: Shell, lake: Lakehouse, result: BackfillResult) -> None:
    """Print a backfill's result and leave with its exit code."""
    if out.as_json:
        out.document(result.as_dict())
    else:
        numbers = ("slice", "rows in", "rows out", "quarantined", "seconds")
        rows = []
        for each in result.slices:
            times = (each.start[:19], each.end[:19])
            counts = (each.rows_in, each.rows_out, each.quarantined) if each.status == "done" else (None,) * 3
            rows.append((each.number, *times, each.status, *counts, f"{each.seconds:.1f}", each.run_id))
        out.table((numbers[0], "from", "to (UTC)", "status", *numbers[1:], "run"), rows, right=numbers)
        if result.tail:
            steps_of(out, result.tail)
        done = sum(each.status in ("done", "earlier") for each in result.slices)
        out.say(f"{result.status}: {done} of {len(result.slices)} slices, backfill {result.backfill}")
        if result.status != "done":
            out.say("the same command, or 'lakeloom retry', goes on with the first slice not done")
    if result.broken:
        _undelivered(result.broken)
        failures(lake, result.broken, debug=out.debug)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def steps_of(out: Shell, result: RunResult) -> None:
    """Print what each step of a run did."""
    numbers = ("rows in", "rows out", "quarantined", "version", "seconds")
    rows = []
    for step in result.steps:
        did = step.status == "done"
        counts = [step.rows_in, step.rows_out, step.quarantined] if did else [None, None, None]
        version = None if step.version is None else str(step.version)
        rows.append([step.name, step.status, *counts, version, f"{step.seconds:.1f}", step.reason])
    out.table(("step", "status", *numbers, "why"), rows, right=numbers)


def _changed(out: Shell, result: RunResult) -> None:
    """Say how many rows each cleansing verb changed, where there are verbs."""
    for step in result.steps:
        told = ", ".join(f"{verb.replace('_', ' ', 1)} {rows:,}" for verb, rows in step.changed.items() if rows)
        if told:
            out.say(f"{step.name}  cleansed: {told}")


def _warnings(result: RunResult) -> None:
    for step in result.steps:
        for text in step.warnings:
            sys.stderr.write(f"{step.name}  {text}\n")


def _undelivered(result: RunResult) -> None:
    for told in result.notifications:
        if told["error"]:
            error = told["error"]
            sys.stderr.write(f"{error['code']}  {told['channel']}\n  {error['message']}\n  fix: {error['fix']}\n")


def failures(lake: Lakehouse, result: RunResult, *, debug: bool) -> None:
    """Write what failed to standard error: with where in the code, from the run's log, only for --debug."""
    frames: dict[str, list[str]] = {}
    if debug:
        frames = {entry["step"]: entry["traceback"] for entry in lake.logs(result.run_id) if "traceback" in entry}
    for step in result.steps:
        if step.error:
            where = f"  {step.error['where']}" if step.error.get("where") else ""
            fix = f"\n  fix: {step.error['fix']}" if step.error.get("fix") else ""
            at = "".join(f"\n    {frame}" for frame in frames.get(step.name, ()))
            sys.stderr.write(f"{step.error['code']}{where}\n  {step.error['message']}{fix}{at}\n")


def _model(out: Shell, name: str, facts: dict[str, Any]) -> None:
    models = facts.get("models") or {}
    splits = [split for split in ("valid", "test") if any(split in (m.get("splits") or {}) for m in models.values())]
    heads = [f"{split} {label}" for split in splits for label in _SCORES.values()]
    rows = []
    for model, found in models.items():
        scores = [(found.get("splits") or {}).get(split, {}).get(score) for split in splits for score in _SCORES]
        rows.append([model, found.get("kind"), *[None if each is None else f"{each:.4f}" for each in scores]])
    out.say(f"model {name} beside its baselines")
    out.table(("model", "kind", *heads), rows, right=heads)


def _places(out: Shell, lake: Lakehouse, result: RunResult, report: str | None) -> None:
    done = sum(step.status == "done" for step in result.steps)
    out.say(f"{result.status}: {done} of {len(result.steps)} steps ran in {result.seconds:.1f} s, run {result.run_id}")
    if report:
        out.say(f"report  {report}")
    out.say(f"MLflow  {lake.tracking}")
    again = f" --branch {lake.on}" if lake.on else ""
    if lake.sample:
        from lakeloom.project.sampling import shown

        again += f" --sample {shown(lake.sample)}"
        out.say(f"sample  {shown(lake.sample)} of the data, under {lake.root}")
    if result.status == "done":
        last = next((step.name for step in reversed(result.steps) if step.name.startswith("gold.")), None)
        table = last or next((step.name for step in reversed(result.steps) if step.version is not None), "bronze.x")
        out.say("try next:")
        out.say(f"  lakeloom show {table}{again}")
        out.say(f'  lakeloom sql "select count(*) from {table}"{again}')  # noqa: S608 - shown, not run
        out.say(f"  lakeloom diff{again}" if lake.on else f"  lakeloom lineage {table} --up")
    elif result.status == "stopped":
        out.say("'lakeloom run' goes on where this run stopped")
    else:
        out.say("try next:\n  lakeloom logs\n  lakeloom retry\n  lakeloom doctor")


def _report(lake: Lakehouse, result: RunResult) -> str | None:
    """Write the run's report where it did something; a report that fails must not fail the run."""
    if all(step.status == "skipped" for step in result.steps):
        return None
    try:
        return str(lake.report(result.run_id))
    except LakeloomError as error:
        sys.stderr.write(f"no report: {error}\n")
        return None
