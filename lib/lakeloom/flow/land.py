"""Landing: what is new at a source → bronze, with the unreadable in quarantine, in one commit."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Any

from lakeloom.core.errors import LakeloomError
from lakeloom.core.kinds import pick
from lakeloom.core.steps import Facts, Step
from lakeloom.flow.arrival import first
from lakeloom.flow.context import Context
from lakeloom.flow.filing import APPENDED, filing
from lakeloom.flow.lineage import noted
from lakeloom.flow.renewal import REFUSED, renewed
from lakeloom.flow.write import Part, standing, write
from lakeloom.objects.path import Location
from lakeloom.session.spark import Opener, step_session
from lakeloom.sources import SOURCES
from lakeloom.sources.sample import Sample, sampled
from lakeloom.store.intents import Intent, replace
from lakeloom.tables import bronze


def poll(context: Context, step: Step, clock: datetime, *, runs: bool = False) -> dict[str, Any] | None:
    """Return the batch of what is new at the step's source, None for nothing; nothing is written.

    Parameters
    ----------
    runs : bool
        Whether the step is to run where something is new: Spark may be started meanwhile.
    """
    landed = _landed(context, step)
    engine = context.engine
    spark = Opener(engine.spark, engine.soon) if runs else engine.spark

    def ask(source: tuple[Any, Any]) -> dict[str, Any] | None:
        kind, config = source
        found: dict[str, Any] | None = kind.poll(config, landed, clock, spark, context.project.home)
        return found

    batch = renewed(lambda: context.source(step.spec), ask)
    if batch is None:
        return None
    arrived = first(batch, context.project.home)
    batch |= {"arrived": arrived} if arrived else {}
    share = context.project.settings.sample
    if share is None:
        return batch
    _, config = context.source(step.spec)
    by = tuple(step.spec.sample) if isinstance(step.spec.sample, list) else step.spec.sample
    return batch | {"sample": Sample(share, by, tuple(getattr(config, "keys", ()))).as_dict()}


def _landed(context: Context, step: Step) -> list[dict[str, Any]]:
    """Return the batches that the step has landed, oldest first: its source's ledger."""
    return context.intents.batches(step.name)


def needs_spark(context: Context, step: Step) -> bool:
    """Return whether asking the step's source needs a JVM."""
    return bool(pick(step.spec.kind, SOURCES).needs_spark)


def land(context: Context, step: Step, intent: Intent) -> Facts:
    """Read the intent's batch and append it to bronze.

    Where the read fails for a file's sake, the bad files are found, kept whole in quarantine, and the
    rest is loaded. What stands already is not read again: its files may be others by now, or on another machine.
    """
    table, kept = step.writes[0], _kept(context, step, intent)
    if kept is not None and context.lake.epoch(table, intent.step) >= intent.epoch:
        batch = _read(kept) if kept.is_file() else intent.batch
        return _told(standing(context, intent, table), batch)
    pinned = _brought(context, step, intent, kept)

    def read(source: tuple[Any, Any]) -> Facts:
        kind, config = source
        try:
            return _land(context, step, intent, kind, config, pinned)
        except LakeloomError:
            raise
        except Exception as cause:  # Spark's errors have no common base; which file it was is found by probing
            batch = kind.probe(context.engine.spark(), config, pinned, context.project.home)
            if batch == pinned:
                raise cause
            if kept is not None:
                replace(kept, json.dumps(batch))
            return _land(context, step, intent, kind, config, batch)

    return renewed(lambda: context.source(step.spec), read)


def _kept(context: Context, step: Step, intent: Intent) -> Location | None:
    """Return where the batch of an execution is kept with what was brought for it; None where nothing is brought."""
    if not hasattr(pick(step.spec.kind, SOURCES), "bring"):
        return None
    return context.project.root / "brought" / step.name / f"{intent.epoch}.json"


def _read(kept: Location) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def _brought(context: Context, step: Step, intent: Intent, kept: Location | None) -> dict[str, Any]:
    """Return the intent's batch with what had to be brought for it: the same ever after, whatever can be had by then.

    A replay after the commit must not take for landed what could not be had before it. One on another machine, or
    whose landing zone was emptied, brings the same once more.
    """
    if kept is None:
        return intent.batch
    before = _read(kept) if kept.is_file() else None
    spark = Opener(context.engine.spark, context.engine.soon)

    def bring(source: tuple[Any, Any]) -> dict[str, Any]:
        kind, config = source
        home, landed = context.project.home, partial(_landed, context, step)
        made: dict[str, Any] = (
            kind.bring(config, intent.batch, landed, spark, home)
            if before is None
            else kind.bring_again(config, intent.batch, before, landed, spark, home)
        )
        return made

    # What came before a token expired stays: only the rest is fetched again.
    found = renewed(lambda: context.source(step.spec), bring, lacks=lambda made: before is None and _was_refused(made))
    if found != (intent.batch if before is None else before):
        replace(kept, json.dumps(found))
    return found


def _was_refused(batch: dict[str, Any]) -> bool:
    return any(each.startswith(REFUSED) for each in batch.get("refused", ()))


def _land(context: Context, step: Step, intent: Intent, kind: Any, config: Any, batch: dict[str, Any]) -> Facts:
    table = step.writes[0]
    with step_session(context.engine.spark()) as session:
        known = context.lake.frame(session, table) if context.lake.exists(table) else None
        landing = kind.read(session, config, batch, known, context.project.home)
        mark = bronze.Stamp(intent.epoch, intent.clock, intent.run)
        with landing.around, filing(context, session, step, intent, landing, mark) as (landing, stage):
            if landing.shared is not None:
                landing.shared.persist()
            try:
                if "sample" in batch:
                    landing = sampled(landing, Sample.of(batch["sample"]), step.name)
                good = bronze.stamp(landing.good, step.spec.name, mark)
                broken = None
                if landing.broken is not None:
                    # Counting fills the cache, so that quarantine and table are written from one read.
                    rejected = bronze.rejected(landing.broken, step.name, mark)
                    broken = rejected if rejected.count() else None
                if landing.sound is not None:
                    if landing.broken is None and landing.shared is not None:
                        landing.shared.count()  # what is written must have been read before it is looked at again
                    landing.sound()
                lineage = noted(context, step, intent, good)
                if stage is not None and landing.shared is not None:
                    stage.write(good)
                part = Part(table, good, APPENDED, stage=stage.stage if stage is not None else None)
                facts = write(context, session, intent, [part], broken, lineage=lineage)
            finally:
                if landing.shared is not None:
                    landing.shared.unpersist()
    return _told(facts, batch)


def _told(facts: Facts, batch: dict[str, Any]) -> Facts:
    facts.pop("already")
    told = {"warnings": batch["refused"]} if batch.get("refused") else {}
    return facts | told | {"rows_in": facts["rows_out"] + facts["quarantined"], "batch": batch}
