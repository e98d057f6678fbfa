"""One execution of a step from its intent to its publication, in the order that the design fixes.

Resolve versions and write the intent (`prepare`) → read, transform, rules, write (the kind's own work) → publish
→ record. A crash anywhere leaves an intent that `pending` finds, and the same work is done again
under the same epoch, which Delta takes once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import LakeloomError, RuleError
from lakeloom.core.kinds import load
from lakeloom.core.steps import Facts, Step
from lakeloom.flow import arrival
from lakeloom.flow.advice import advice
from lakeloom.flow.context import Context
from lakeloom.flow.explain import explained
from lakeloom.flow.export import stands as exported
from lakeloom.flow.lineage import noted_of_model, noted_prints
from lakeloom.project.graph import is_stream, is_table
from lakeloom.session.spark import import_spark, step_session
from lakeloom.store import refs
from lakeloom.store.checkpoints import Workplace
from lakeloom.store.foreign import foreign
from lakeloom.store.intents import Intent
from lakeloom.tables.catalog import register

WORK = {
    "land": "lakeloom.flow.land:land",
    "transform": "lakeloom.flow.transform:transform",
    "stream": "lakeloom.flow.stream:stream",
    "features": "lakeloom.flow.materialise:view",
    "datasets": "lakeloom.flow.materialise:dataset",
    "tune": "lakeloom.flow.model:tune",
    "train": "lakeloom.flow.model:train",
    "scores": "lakeloom.flow.score:score",
    "replay": "lakeloom.flow.replay:replay",
    "upkeep": "lakeloom.flow.upkeep:upkeep",
    "export": "lakeloom.flow.export:export",
}


def perform(context: Context, step: Step, intent: Intent) -> Facts:
    """Do the step's work under its intent, publish and record it; return the facts."""
    started = time.monotonic()
    import_spark()  # a kind's own modules may do so before they ask for a session, while another step opens one
    work = load(WORK["replay" if intent.replay else _kind(step)])
    facts: Facts = _retried(context, step.name, lambda: work(context, step, intent))
    if step.kind in ("tune", "train"):
        facts["lineage"] = noted_of_model(context, step, intent)
    facts["prints"] = noted_prints(context, step, intent)
    facts["seconds"] = round(time.monotonic() - started, 3)
    resources = context.engine.measured()
    facts["resources"] = resources.as_dict() if resources else None
    facts["warnings"] = [*facts.get("warnings", ()), *advice(resources, facts.get("files", 0), facts.get("bytes", 0))]
    facts["warnings"] += _of_others(context, step, facts["versions"])
    # For the audit a replay is what somebody decided to do, and no ordinary execution.
    by = f"replay.{step.name}" if intent.replay else step.name
    refs.publish(context.lake, facts["versions"], step=by, epoch=intent.epoch, run=context.run, at=datetime.now(UTC))
    _register(context, facts["versions"])
    facts |= arrival.told(context, step, intent, datetime.now(UTC))
    context.intents.finish(intent, facts)
    if is_stream(step):
        Workplace.of(context.project.root, step.name, intent.epoch).tidy()
    return facts


def _kind(step: Step) -> str:
    """Return which work a step is, of `WORK`."""
    if is_stream(step):
        return "stream"
    kind = step.name.partition(".")[0] if step.kind == "materialise" else step.kind
    return kind if kind in WORK else "scores"


def give_up(context: Context, step: Step, intent: Intent, error: LakeloomError) -> None:
    """Note that an execution failed cleanly, unless its commit stands: then only the publication is missing.

    Such an intent is replayed, which commits nothing again; a new one would write the same rows twice.
    A table whose audit failed is given up all the same: its rows are to be made anew.
    """
    try:
        if step.kind == "export":
            stands = exported(context, step, intent)
        else:
            stands = error.code != "LL-RULE-002" and committed(context, step, intent)
    except LakeloomError:  # a table that can't even be opened holds no commit of this execution
        stands = False
    if not stands:
        judged = {"rules": list(error.results)} if isinstance(error, RuleError) and error.results else {}
        context.intents.fail(intent, error.as_dict() | judged)


def committed(context: Context, step: Step, intent: Intent) -> bool:
    """Return whether the commit of an execution stands in its table."""
    return is_table(step.writes[0]) and context.lake.epoch(step.writes[0], step.name) >= intent.epoch


def _register(context: Context, tables: Iterable[str]) -> None:
    """Register what was published in the project's catalog; a failure leaves the intent to the next run."""
    catalog = context.project.settings.catalog
    if catalog.kind != "none":
        with step_session(context.engine.spark()) as session:
            register(session, context.lake, catalog, tables)


def _of_others(context: Context, step: Step, versions: dict[str, int]) -> list[str]:
    """Return a sentence for each table into which another writer has written since this step published it last."""
    record = context.intents.published(step.name)
    before: dict[str, int] = (record.facts or {}).get("versions", {}) if record else {}
    told = []
    for table, version in versions.items():
        if not is_table(table) or version <= before.get(table, version) + 1:
            continue
        found = foreign(context.lake, table, before[table], version)
        if found:
            shown = ", ".join(str(each) for each in found[:5]) + (" …" if len(found) > 5 else "")
            told.append(
                f"another writer changed {table} (version {shown}): its rows were not judged row by row."
                f" See 'lakeloom history {table}', or build the table anew: lakeloom run {step.name} --full-refresh"
            )
    return told


def _retried(context: Context, where: str, work: Any) -> Facts:
    """Do the work, again where what stopped it may pass; under one intent, that writes nothing twice."""
    for attempt in range(context.project.settings.retries + 1):
        try:
            return work()
        except Exception as cause:
            if not explained(cause, where).transient or attempt == context.project.settings.retries:
                raise
            time.sleep(min(2.0**attempt, 30.0) / 2)
    raise AssertionError("unreachable")
