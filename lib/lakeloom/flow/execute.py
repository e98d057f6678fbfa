"""One step from decision to publication, in the order that the design fixes.

Resolve versions → write the intent → read, transform, rules, write (the kind's own work) → publish
→ record. A crash anywhere leaves an intent that `pending` finds, and the same work is done again
under the same epoch, which Delta takes once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import LakeloomError, RuleError
from lakeloom.core.kinds import load
from lakeloom.core.names import TableName, TableRef, quoted
from lakeloom.core.steps import Facts, Step, Window
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.flow.advice import advice
from lakeloom.flow.context import Context
from lakeloom.flow.explain import explained
from lakeloom.flow.land import needs_spark, poll
from lakeloom.flow.lineage import noted_of_model, noted_prints
from lakeloom.flow.pinned import Pinned
from lakeloom.flow.replay import Replay, intent_of
from lakeloom.flow.upkeep import look as look_after
from lakeloom.flow.write import forget_abandoned
from lakeloom.project.graph import is_stream, is_table
from lakeloom.project.plan import Decision, Last, decide
from lakeloom.session.spark import step_session
from lakeloom.store import refs
from lakeloom.store.checkpoints import Workplace, damage
from lakeloom.store.foreign import foreign
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intent, Record
from lakeloom.store.log import unchanged
from lakeloom.store.tags import find, resolve
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
}

REPLAYED = "goes on with epoch"


@dataclass(frozen=True)
class Ready:
    """A step that is to run: why, and the intent under which it does."""

    intent: Intent
    reason: str


def prepare(
    context: Context,
    step: Step,
    *,
    full_refresh: bool = False,
    window: Window | None = None,
    versions: dict[str, int] | None = None,
    replay: Replay | None = None,
    asked: bool = False,
    promoted: Pinned | None = None,
) -> Ready | Decision:
    """Decide about a step and write its intent; a decision to skip comes back as it is.

    Parameters
    ----------
    window : Window, optional
        Land only files last changed in it; a transform reads rows that arrived in it again. By event time,
        land nothing; a transform makes the rows again that happened in it, of what it had consumed before.
    versions : dict, optional
        The last good versions; read from ``meta.refs`` where absent.
    replay : Replay, optional
        Rows in quarantine that are to run again, instead of what is new.
    asked : bool
        Upkeep is done now, however long ago it was done.
    promoted : Pinned, optional
        Of a promote: the table is built anew from the versions that the branch has read.
    """
    good = at_tag(context, step, refs.good(context.lake) if versions is None else versions)
    latest = context.intents.latest(step.name)
    if latest is not None and latest.crashed:
        done = _committed(context, step, latest.intent)
        if done or latest.intent.code == step.code:
            return Ready(latest.intent, f"{REPLAYED} {latest.intent.epoch}, which did not finish")
    still = apart(context, step, good)
    if still is not None and not asked:
        return still
    if step.kind == "upkeep":
        return _keeping(context, step, latest, asked=asked)
    if replay is not None:
        return _replaying(context, step, replay, latest)
    if step.kind == "land" and window is not None and window.by == "event":
        return Decision("skip", ("by event time nothing is landed",))
    clock = datetime.now(UTC)
    batch = _within(poll(context, step, clock, runs=True), window) if step.kind == "land" else None
    decision = look(context, step, good, batch=batch, full_refresh=full_refresh)
    if promoted is not None:
        decision = Decision("run", (f"promoted from the branch {promoted.branch}",), full=True)
        batch = {"promote": promoted.promote, "branch": promoted.branch}
    again = window is not None and not decision.full and any(read.mode == "new" for read in step.reads)
    if again and window:
        decision = Decision("run", _again_reasons(decision, window))
    if decision.action != "run":
        return decision
    if latest is not None and latest.facts is None and is_table(step.writes[0]):
        forget_abandoned(context, latest.intent, step.writes)
    reads, (again_sql, within) = {read.table: good[read.table] for read in step.reads}, ("", "")
    reads |= promoted.reads if promoted is not None else {}
    if again and window:
        again_sql, within = again_of(step, window)
        reads |= _consumed(context, step) if window.by == "event" else {}
    intent = Intent(
        step=step.name,
        epoch=latest.intent.epoch + 1 if latest else 1,
        run=context.run,
        clock=clock.isoformat(),
        seed=context.project.settings.seed,
        code=step.code,
        full=decision.full,
        reads=reads,
        since=_since(context, step),
        batch=batch or {},
        again=again_sql,
        within=within,
        made=step.made,
        side=_side(context, step) if decision.full or again else None,
        ids={table: identity(context.lake, table) for table in reads if is_table(table)},
        breaking=context.allow_breaking,
    )
    context.intents.begin(intent)
    return Ready(intent, "; ".join(decision.reasons))


def apart(context: Context, step: Step, good: Mapping[str, int]) -> Decision | None:
    """Return the decision about a step that a branch does not carry out; None for all others.

    What a branch reads stands still, so that its difference to main is that of the code, and can be made on main of
    the same inputs; a source that main has never landed is landed.
    """
    if context.project.settings.branch is None:
        return None
    if step.kind == "upkeep":
        return Decision("skip", ("files are kept in order on main",))
    if step.kind == "land" and step.name in good:
        return Decision("skip", ("a branch lands nothing: it works on what main had when it was made",))
    return None


def _replaying(context: Context, step: Step, replay: Replay, latest: Record | None) -> Ready | Decision:
    if latest is not None and latest.facts is None:
        forget_abandoned(context, latest.intent, step.writes)
    intent = intent_of(context, step, replay.choice, latest)
    if isinstance(intent, Decision):
        return intent
    context.intents.begin(intent)
    return Ready(intent, "a replay of rows in quarantine")


def _keeping(context: Context, step: Step, latest: Record | None, *, asked: bool) -> Ready | Decision:
    clock = datetime.now(UTC)
    decision = look_after(context, step, clock, asked=asked)
    if decision.action != "run":
        return decision
    intent = Intent(
        step.name, latest.intent.epoch + 1 if latest else 1, context.run, clock.isoformat(),
        context.project.settings.seed, step.code, batch={"asked": asked},
    )  # fmt: skip
    context.intents.begin(intent)
    return Ready(intent, "; ".join(decision.reasons))


def _side(context: Context, step: Step) -> int | None:
    """Return the version of the table's quarantine whose fixes hold, None where there is none."""
    if not is_table(step.writes[0]):
        return None
    side = TableName.parse(step.writes[0]).quarantine
    return context.lake.version(side) if context.lake.exists(side) else None


def look(
    context: Context,
    step: Step,
    good: dict[str, int],
    *,
    batch: dict[str, Any] | None = None,
    full_refresh: bool = False,
) -> Decision:
    """Return the pure decision about a step against the last good versions.

    A version that only upkeep has made since the step read its input is the one that it read.
    """
    record = context.intents.published(step.name)
    last = Last(record.intent.epoch, record.intent.code, record.intent.reads) if record else None
    read = last.reads if last else {}
    versions = {each.table: _as_read(context, each.table, read.get(each.table), good) for each in step.reads}
    lost = _forgotten(context, step, record) or _anew(context, record)
    return decide(step, last, versions, new=_words(batch), full_refresh=full_refresh, lost=lost)


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
    known = record.intent.ids if record else {}
    gone = next((table for table, was in known.items() if was != identity(context.lake, table)), None)
    return f"{gone} was dropped and made anew" if gone else None


def _as_read(context: Context, table: str, before: int | None, good: dict[str, int]) -> int | None:
    now = good.get(table)
    if before is None or now is None or before == now or not is_table(table):
        return now
    return before if unchanged(context.lake, table, before, now) else now


def perform(context: Context, step: Step, intent: Intent) -> Facts:
    """Do the step's work under its intent, publish and record it; return the facts."""
    started = time.monotonic()
    work = load(WORK["replay" if intent.replay else _kind(step)])
    facts: Facts = _retried(context, step.name, lambda: work(context, step, intent))
    if step.kind in ("tune", "train"):
        facts["lineage"] = noted_of_model(context, step, intent)
    facts["prints"] = noted_prints(context, step, intent)
    facts["seconds"] = round(time.monotonic() - started, 3)
    resources = context.engine.measured()
    facts["resources"] = resources.as_dict() if resources else None
    facts["warnings"] = list(advice(resources, facts.get("files", 0), facts.get("bytes", 0)))
    facts["warnings"] += _of_others(context, step, facts["versions"])
    refs.publish(
        context.lake, facts["versions"], step=step.name, epoch=intent.epoch, run=context.run, at=datetime.now(UTC)
    )
    _register(context, facts["versions"])
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
        stands = error.code != "LL-RULE-002" and _committed(context, step, intent)
    except LakeloomError:  # a table that can't even be opened holds no commit of this execution
        stands = False
    if not stands:
        judged = {"rules": list(error.results)} if isinstance(error, RuleError) and error.results else {}
        context.intents.fail(intent, error.as_dict() | judged)


def can_ask(context: Context, step: Step) -> bool:
    """Return whether a landing's source can be asked without a JVM."""
    return not needs_spark(context, step)


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


def _committed(context: Context, step: Step, intent: Intent) -> bool:
    return is_table(step.writes[0]) and context.lake.epoch(step.writes[0], step.name) >= intent.epoch


def again_of(step: Step, window: Window) -> tuple[str, str]:
    """Return the conditions of a window: on bronze rows to read again, and on the rows made of them."""
    if window.by == "event":
        return "true", window.condition(quoted(step.spec.event_time))
    return window.condition("_ingested_at"), ""


def _again_reasons(decision: Decision, window: Window) -> tuple[str, ...]:
    if window.by == "event":
        return (f"rows that happened {window} again",)
    return (*decision.reasons[: decision.action == "run"], f"rows that arrived {window} again")


def _consumed(context: Context, step: Step) -> dict[str, int]:
    """Return the versions up to which the inputs were consumed: rows that came later must stay new for the next run."""
    record = context.intents.published(step.name)
    reads = record.intent.reads if record else {}
    return {read.table: reads[read.table] for read in step.reads if read.mode == "new" and read.table in reads}


def _since(context: Context, step: Step) -> dict[str, int]:
    """Return, for each input read as new, the epoch of its last landing that was consumed; as changes, its version."""
    record = context.intents.published(step.name)
    if record is None:
        return {}
    reads = record.intent.reads
    return {
        read.table: reads[read.table]
        if read.mode == "changes"
        else context.lake.epoch(read.table, read.table, reads[read.table])
        for read in step.reads
        if read.mode in ("new", "changes") and read.table in reads
    }


def _within(batch: dict[str, Any] | None, window: Window | None) -> dict[str, Any] | None:
    """Keep the files of a batch that were last changed in the window; the others stay new for a later run."""
    if batch is None or window is None or "files" not in batch:
        return batch
    files = [file for file in batch["files"] if window.holds(datetime.fromtimestamp(file["mtime_ns"] / 1e9, UTC))]
    return batch | {"files": files} if files else None


def _words(batch: dict[str, Any] | None) -> str | None:
    if batch is None:
        return None
    if "files" in batch:
        count = len(batch["files"])
        return f"{count} new file{'' if count == 1 else 's'}"
    return f"rows up to {batch['upper']}" if batch.get("upper") else "rows at the source"
