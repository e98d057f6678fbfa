"""Telling a run's lineage to others, as OpenLineage's events: to a file, to a receiver over HTTP, or both."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from lakeloom.config.placeholders import resolve
from lakeloom.core.errors import LakeloomError, StoreError
from lakeloom.core.posting import post
from lakeloom.core.release import RELEASE
from lakeloom.core.secrets import mask
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.journal import Journal
from lakeloom.flow.result import RunResult, StepResult
from lakeloom.flow.sending import attempt, plain
from lakeloom.lineage.made import Kept
from lakeloom.notify.delivery import Delivery
from lakeloom.project.graph import is_stream, is_table
from lakeloom.project.personal import guarded
from lakeloom.project.spec import Project
from lakeloom.store.intents import Record
from lakeloom.tables.statistics import of_log
from lakeloom.telemetry.openlineage import Executed, Output, Told, events
from lakeloom.telemetry.spec import OpenLineageSpec


def emit(
    context: Context,
    steps: Sequence[Step],
    result: RunResult,
    journal: Journal,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> list[Delivery]:
    """Emit the run's events where the config asks for them; return what could not be delivered."""
    project, spec = context.project, context.project.settings.openlineage
    if spec is None:
        return []
    try:
        found = [mask(json.dumps(event)) for event in events(_told(context, spec, steps, result, journal))]
    except Exception as cause:  # telling others is a courtesy
        error = {
            "code": "LL-RUN-006",
            "where": "openlineage",
            "message": f"it raised {type(cause).__name__}",
            "fix": "",
        }
        return [_failed("openlineage", 1, result.run_id, error, journal)]
    works: list[tuple[str, Callable[[], None]]] = []
    if spec.file:
        works.append(("openlineage file", partial(_append, project, spec.file, found)))
    if spec.url:
        works += [("openlineage http", partial(_post, spec, event)) for event in found]
    failed: dict[str, Delivery] = {}
    for channel, work in works:
        if channel in failed:  # a receiver that took no event is not asked for all the others
            continue
        attempts, told = attempt(work, spec.attempts, "openlineage", pause)
        if told is not None:
            failed[channel] = _failed(channel, attempts, result.run_id, told, journal)
    return list(failed.values())


def _failed(channel: str, attempts: int, run: str, error: dict[str, str], journal: Journal) -> Delivery:
    delivery = Delivery(channel, False, attempts, f"lineage of run {run}", error)
    journal.log("not published", **delivery.as_dict())
    return delivery


def _append(project: Project, file: str, lines: list[str]) -> None:
    target = project.home / plain(resolve(file, "openlineage.file"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as stream:
            stream.write("".join(f"{line}\n" for line in lines))
    except OSError as cause:
        raise StoreError(
            "LL-STORE-004", f"the events can't be written ({cause.strerror})", where="openlineage.file",
            fix="mend the path or its rights",
        ) from cause  # fmt: skip


def _post(spec: OpenLineageSpec, event: str) -> None:
    headers = {key: plain(resolve(value, "openlineage.headers")) for key, value in spec.headers.items()}
    headers |= {"Content-Type": "application/json"}
    url = plain(resolve(spec.url, "openlineage.url"))
    post(url, event.encode(), headers, timeout_s=spec.timeout_s, where="openlineage http")


def _told(context: Context, spec: OpenLineageSpec, steps: Sequence[Step], result: RunResult, journal: Journal) -> Told:
    from importlib.metadata import version

    started = datetime.fromisoformat(result.started)
    ended = started + timedelta(seconds=result.seconds)
    begun = {each["step"]: each for each in journal.events if each["event"] == "step started"}
    by_name = {step.name: step for step in steps}
    kept = Kept(context.project.root)
    ran = [each for each in result.steps if each.name in begun and each.status in ("done", "failed")]
    name = context.project.name
    return Told(
        name, spec.namespace or name, result.run_id, result.status, started, ended, RELEASE, version("pyspark"),
        tuple(_executed(context, by_name[each.name], each, begun[each.name], kept) for each in ran),
    )  # fmt: skip


def _executed(context: Context, step: Step, result: StepResult, begun: dict[str, Any], kept: Kept) -> Executed:
    at = datetime.fromisoformat(begun["at"])
    newest = context.intents.newest(step.name, 3)
    record = next((each for each in newest if each.intent.epoch == begun["epoch"]), None)
    if record is None:
        return Executed(step.name, step.kind, at, at + timedelta(seconds=result.seconds), at, {}, error=_error(result))
    reads: dict[str, int | None] = dict(record.intent.reads)
    reads |= {f"sources.{step.spec.name}": None} if step.kind == "land" else {}
    outputs = [] if result.error else [*_outputs(context, step, record, kept)]
    return Executed(
        step.name, step.kind, at, max(at, at + timedelta(seconds=result.seconds)),
        datetime.fromisoformat(record.intent.clock), reads, outputs, _error(result), streams=is_stream(step),
    )  # fmt: skip


def _outputs(context: Context, step: Step, record: Record, kept: Kept) -> list[Output]:
    facts = record.facts or {}
    keys, found = facts.get("lineage") or {}, []
    for table, version in facts.get("versions", {}).items():
        try:
            columns = context.lake.columns(table, version) if is_table(table) else facts.get("columns") or {}
        except LakeloomError:  # its log was damaged since
            columns = {}
        own = table == step.writes[0]
        rules = facts.get("rules") or () if own else ()
        found.append(
            Output(
                table, version, columns, kept.of(keys.get(table, "")), facts.get("rows_out") if own else None,
                facts.get("bytes", 0), facts.get("files") or (facts.get("export") or {}).get("objects", 0), rules,
                _statistics(context, table, version) if rules else {},
            )
        )  # fmt: skip
    return found


def _statistics(context: Context, table: str, version: int) -> dict[str, dict[str, float]]:
    """Return what Delta's log tells of the columns: no value of one that may be personal, and numbers alone."""
    hidden = guarded(context.project)
    try:
        profile = of_log(context.lake, table, version, {})
    except LakeloomError:  # its log was damaged since
        return {}
    found: dict[str, dict[str, float]] = {}
    for column in profile.columns:
        told = column.told()
        if not told.rows:  # not among the columns that the log knows
            continue
        found[column.name] = {"nullCount": told.nulls}
        if column.name not in hidden:
            ends = {"min": _number(told.low), "max": _number(told.high)}
            found[column.name] |= {name: value for name, value in ends.items() if value is not None}
    return found


def _number(value: Any) -> float | None:
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if number else None


def _error(result: StepResult) -> str:
    return f"{result.error['code']} {result.error['message']}" if result.error else ""
