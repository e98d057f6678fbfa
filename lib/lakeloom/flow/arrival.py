"""From the arrival of rows at a source to the commit of the tables that are made of them: the end-to-end latency.

A file has arrived when it was put or moved into its folder, an object when its store took it, a row of a database when
its watermark says, where that is a time with a zone; of others the moment is not known, and neither is a latency. Of
what arrived at different times the first counts: a latency is that of the row that waited longest.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.project.graph import is_table
from lakeloom.sources import listing
from lakeloom.store.intents import Intent


def first(batch: Mapping[str, Any], base: Path) -> str | None:
    """Return when the first of a batch arrived at its source, as ISO time in UTC; None where nothing says so."""
    if "objects" in batch:
        return min((each["changed"] for each in batch["objects"]), key=datetime.fromisoformat, default=None)
    if "files" in batch:
        times = [time for each in batch["files"] if (time := _put(each, base)) is not None]
        return datetime.fromtimestamp(min(times), UTC).isoformat() if times else None
    return batch.get("first_new")


def _put(entry: Mapping[str, Any], base: Path) -> float | None:
    """Return when a file came into its folder: a copy keeps the time of the original's last change, not this one."""
    try:
        return Path(listing.full_path(entry.get("at") or entry["path"], base)).stat().st_ctime
    except OSError:  # moved away meanwhile
        return None


def told(context: Context, step: Step, intent: Intent, done: datetime) -> dict[str, Any]:
    """Return ``arrived`` and ``latency_s`` of an execution that was published at `done`; nothing where unknown."""
    arrived = intent.batch.get("arrived") if step.kind == "land" else _of_inputs(context, step, intent)
    if arrived is None:
        return {}
    seconds = (done - datetime.fromisoformat(arrived)).total_seconds()
    return {"arrived": arrived, "latency_s": round(max(seconds, 0.0), 3)}


def _of_inputs(context: Context, step: Step, intent: Intent) -> str | None:
    """Return when the first of what an execution has consumed anew arrived."""
    before = context.intents.published(step.name)
    found: list[str] = []
    for read in step.reads:
        if read.mode == "look" or not is_table(read.table) or read.table not in intent.reads:
            continue
        upto = context.lake.epoch(read.table, read.table, intent.reads[read.table])
        since = 0
        if before is not None and read.table in before.intent.reads:
            since = context.lake.epoch(read.table, read.table, before.intent.reads[read.table])
        for record in context.intents.after(read.table, since):
            # What a first execution finds there has waited for the table to be declared.
            counts = before is not None or record.intent.run == context.run
            if record.intent.epoch <= upto and counts and record.facts and record.facts.get("arrived"):
                found.append(record.facts["arrived"])
    return min(found, key=datetime.fromisoformat, default=None)
