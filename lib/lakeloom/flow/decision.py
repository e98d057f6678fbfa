"""Whether a step runs, against the last good versions of what it reads: asked by ``plan`` and by a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakeloom.core.names import TableRef
from lakeloom.core.steps import Step
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.flow.context import Context
from lakeloom.flow.land import needs_spark
from lakeloom.flow.rejudge import relanded
from lakeloom.project.graph import is_stream, is_table
from lakeloom.project.plan import Decision, Last, decide
from lakeloom.store.checkpoints import damage
from lakeloom.store.identity import anew
from lakeloom.store.intents import Record
from lakeloom.store.log import unchanged
from lakeloom.store.tags import find, resolve


def look(
    context: Context,
    step: Step,
    good: dict[str, int],
    *,
    batch: dict[str, Any] | None = None,
    full_refresh: bool = False,
    latest: Record | None = None,
) -> Decision:
    """Return the pure decision about a step against the last good versions.

    A version that only upkeep has made since the step read its input is the one that it read.

    Parameters
    ----------
    latest : Record, optional
        The step's newest execution, where it is known: where it has published, no other is looked for.
    """
    published = latest is not None and latest.facts is not None
    record = latest if published else context.intents.published(step.name)
    last = Last(record.intent.epoch, record.intent.code, record.intent.reads) if record else None
    read = last.reads if last else {}
    versions = {each.table: _as_read(context, each.table, read.get(each.table), good) for each in step.reads}
    lost = _forgotten(context, step, record) or _anew(context, record)
    lost = lost or (_put_right(context, step, good, last) if last else None)
    return decide(step, last, versions, new=_words(batch), full_refresh=full_refresh, lost=lost)


def apart(context: Context, step: Step, good: Mapping[str, int]) -> Decision | None:
    """Return the decision about a step that a branch does not carry out; None for all others.

    What a branch reads stands still, so that its difference to main is that of the code, and can be made on main of
    the same inputs; a source that main has never landed is landed.
    """
    if step.kind == "export" and context.project.settings.sample is not None:
        return Decision("skip", ("a sample exports nothing: it is not the data",))
    if context.project.settings.branch is None:
        return None
    if step.kind == "upkeep":
        return Decision("skip", ("files are kept in order on main",))
    if step.kind == "export":
        return Decision("skip", ("a branch exports nothing: what goes out is main's",))
    if step.kind == "land" and step.name in good:
        return Decision("skip", ("a branch lands nothing: it works on what main had when it was made",))
    return None


def can_ask(context: Context, step: Step) -> bool:
    """Return whether a landing's source can be asked without a JVM."""
    return not needs_spark(context, step)


def pinned(step: Step) -> bool:
    """Return whether a step reads the versions of a tag, whatever has come to its tables since."""
    return isinstance(step.spec, DatasetSpec) and step.spec.at is not None


def at_tag(context: Context, step: Step, good: Mapping[str, int]) -> dict[str, int]:
    """Return the versions that a step reads: the last good ones, or those of the tag that a dataset is made at.

    Raises LL-STORE-002, LL-STORE-012, LL-STORE-016 where the tag does not name them, or they are gone.
    """
    if not pinned(step):
        return dict(good)
    tag = find(context.lake, step.spec.at)
    refs_of = {read.table: TableRef.parse(f"{read.table}@{tag.name}") for read in step.reads}
    return dict(good) | {table: resolve(context.lake, ref, None, tag) for table, ref in refs_of.items()}


def _forgotten(context: Context, step: Step, record: Record | None) -> str | None:
    """Return in words that what a stream remembers is not what its last execution left, None where it is."""
    told = (record.facts or {}).get("stream") if record else None
    if not is_stream(step) or told is None or record is None:
        return None
    return damage(context.project.root, step.name, record.intent.epoch, told["checkpoint"])


def _anew(context: Context, record: Record | None) -> str | None:
    """Return in words that an input was dropped and made anew since it was read: its numbers begin again."""
    gone = anew(context.lake, record.intent.ids) if record else None
    return f"{gone} was dropped and made anew" if gone else None


def _put_right(context: Context, step: Step, good: Mapping[str, int], last: Last) -> str | None:
    """Return in words that rows came into the place of old ones, where a few of them would replace a whole group."""
    if step.kind != "transform" or step.spec.write.mode != "replace":
        return None
    for read in step.reads:
        if read.mode == "new" and {read.table} <= good.keys() & last.reads.keys():
            since = context.lake.epoch(read.table, read.table, last.reads[read.table])
            if relanded(context, read.table, since, good[read.table]):
                return f"rows of {read.table} were put right in their old place"
    return None


def _as_read(context: Context, table: str, before: int | None, good: dict[str, int]) -> int | None:
    now = good.get(table)
    if before is None or now is None or before == now or not is_table(table):
        return now
    return before if unchanged(context.lake, table, before, now) else now


def _words(batch: dict[str, Any] | None) -> str | None:
    if batch is None:
        return None
    if "files" in batch:
        count = len(batch["files"])
        return f"{count} new file{'' if count == 1 else 's'}"
    if "objects" in batch:
        count = len(batch["objects"])
        return f"{count:,} new object{'' if count == 1 else 's'}"
    return f"rows up to {batch['upper']}" if batch.get("upper") else "rows at the source"
