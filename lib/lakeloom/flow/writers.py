"""Which execution may have written a row that stands in a version of a table: the commits behind it, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.rejudge import bronze_of, relanded
from lakeloom.lineage.reason import Execution
from lakeloom.store.intents import Intent

# Beyond so many executions of a table that is added to, people are told that older ones were not looked at.
MOST = 400


def writers(context: Context, step: Step, table: str, version: int) -> Iterator[tuple[Intent, Execution, str]]:
    """Yield the executions whose rows a version can hold, newest first, each with the hash of its flows.

    A version that was restored is what it was restored to. What an execution built anew ends the list, and so does
    one of a table that each execution writes whole.
    """
    entries = {int(entry["version"]): entry["manifest"] for entry in context.lake.history(table)}
    records = {record.intent.epoch: record.intent for record in context.intents.history(step.name)}
    at, seen = version, 0
    while at >= 0 and seen < MOST:
        said = entries.get(at, {})
        if "restored" in said:
            if said["restored"] is None:
                return
            at = int(said["restored"])
            continue
        intent = records.get(said.get("epoch", -1)) if said.get("step") == step.name else None
        if intent is not None:
            seen += 1
            yield intent, _told(step, intent, said, at), str(said.get("lineage") or "")
            if intent.full or writes_whole(step):
                return
        at -= 1


def may_have_read(context: Context, step: Step, intent: Intent, place: Mapping[str, Any] | None) -> bool:
    """Return whether an execution may have read the bronze row at a place; True where none is known.

    One that goes on from where the last had come to reads later landings alone, and what was laid into earlier ones.
    """
    bronze = bronze_of(step) if step.kind == "transform" else None
    if place is None or bronze is None or intent.full or intent.replay or intent.again or bronze not in intent.since:
        return True
    return bool(
        place["epoch"] > intent.since[bronze] or relanded(context, bronze, intent.since[bronze], intent.reads[bronze])
    )


def writes_whole(step: Step) -> bool:
    """Return whether each execution of a step writes all of its table."""
    write = getattr(step.spec, "write", None)
    return write is None or write.mode == "overwrite"


def _told(step: Step, intent: Intent, said: dict[str, object], version: int) -> Execution:
    now = step.made if intent.made and step.made else step.code
    then = intent.made if intent.made and step.made else intent.code
    return Execution(
        step.name, intent.epoch, intent.run, intent.clock, version, dict(intent.reads), str(said.get("git") or ""),
        now != then,
    )  # fmt: skip
