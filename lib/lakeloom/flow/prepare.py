"""From the decision about a step to its intent: at which versions, of which rows, it is to run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.names import TableName, quoted
from lakeloom.core.steps import Step, Window
from lakeloom.flow.asking import Answer
from lakeloom.flow.context import Context
from lakeloom.flow.decision import apart, at_tag, look
from lakeloom.flow.execute import committed
from lakeloom.flow.land import poll
from lakeloom.flow.pinned import Pinned
from lakeloom.flow.replay import Replay, intent_of
from lakeloom.flow.upkeep import look as look_after
from lakeloom.flow.write import forget_abandoned
from lakeloom.project.graph import is_table
from lakeloom.project.plan import Decision
from lakeloom.project.slices import reads_new
from lakeloom.store import refs
from lakeloom.store.identity import anew, identity
from lakeloom.store.intents import Intent, Record

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
    answer: Answer | None = None,
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
    answer : Answer, optional
        What the step's source has said; it is asked here where that does not hold any more.
    """
    good = at_tag(context, step, refs.good(context.lake) if versions is None else versions)
    latest = context.intents.latest(step.name)
    if latest is not None and latest.crashed:
        done = committed(context, step, latest.intent)
        # Of an input that was dropped and made anew the rows are gone that it was to read.
        if done or (latest.intent.code == step.code and anew(context.lake, latest.intent.ids) is None):
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
    clock, batch = _said(context, step, latest, answer, window)
    decision = look(context, step, good, batch=batch, full_refresh=full_refresh, latest=latest)
    if promoted is not None:
        decision = Decision("run", (f"promoted from the branch {promoted.branch}",), full=True)
        batch = {"promote": promoted.promote, "branch": promoted.branch}
    again = window is not None and not decision.full and reads_new(step)
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


def _said(
    context: Context, step: Step, latest: Record | None, answer: Answer | None, window: Window | None
) -> tuple[datetime, dict[str, Any] | None]:
    """Return the execution's clock, and of a landing the batch of what is new in the window."""
    clock = datetime.now(UTC)
    if step.kind != "land":
        return clock, None
    if answer is not None and answer.holds(step, latest):
        return answer.clock, _within(answer.given(), window)
    return clock, _within(poll(context, step, clock, runs=True), window)


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
    """Keep the files or objects that were last changed in the window; the others stay new for a later run."""
    if batch is None or window is None or not {"files", "objects"} & set(batch):
        return batch
    name = "files" if "files" in batch else "objects"
    kept = [each for each in batch[name] if window.holds(_changed(each))]
    return batch | {name: kept} if kept else None


def _changed(told: dict[str, Any]) -> datetime:
    if "changed" in told:
        return datetime.fromisoformat(told["changed"])
    return datetime.fromtimestamp(told["mtime_ns"] / 1e9, UTC)


def asks(
    context: Context, step: Step, good: dict[str, int], *, window: Window | None = None, replay: Replay | None = None
) -> bool:
    """Return whether `prepare` will want to know what is new at the step's source."""
    if step.kind != "land" or replay is not None or (window is not None and window.by == "event"):
        return False
    latest = context.intents.latest(step.name)
    goes_on = latest is not None and latest.crashed and latest.intent.code == step.code
    return not goes_on and apart(context, step, good) is None
