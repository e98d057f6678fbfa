"""The runner: walks the graph, side by side within the slots, and never loses what a step has done.

A failed step blocks what depends on it and nothing else. Ctrl-C stops: no new step starts, running
Spark jobs are cancelled, and their intents are replayed by the next run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import LakeloomError, RunError
from lakeloom.core.steps import Step, Window
from lakeloom.flow import contracts
from lakeloom.flow.after import after
from lakeloom.flow.asking import Answer, Ask, waiting_s
from lakeloom.flow.context import Context
from lakeloom.flow.execute import give_up, perform
from lakeloom.flow.explain import explained
from lakeloom.flow.journal import Journal
from lakeloom.flow.pinned import Pinned
from lakeloom.flow.prepare import asks, prepare
from lakeloom.flow.replay import Replay
from lakeloom.flow.restoring import settle
from lakeloom.flow.result import STREAM, Listener, RunResult, Silent, StepResult
from lakeloom.flow.runs import new_run_id
from lakeloom.flow.tell import tell_of_breakdown
from lakeloom.notify.events import EventKind
from lakeloom.project.graph import heights, is_stream, upstream
from lakeloom.project.graph import steps as graph
from lakeloom.project.plan import Decision
from lakeloom.project.select import select
from lakeloom.project.slices import reads_new
from lakeloom.project.spec import Project
from lakeloom.store import audit, refs
from lakeloom.store.lock import locked


def run(
    project: Project,
    patterns: Sequence[str] = (),
    *,
    full_refresh: bool = False,
    window: Window | None = None,
    listener: Listener | None = None,
    part: Mapping[str, Any] | None = None,
    replay: Replay | None = None,
    upkeep: bool = False,
    pins: Mapping[str, Pinned] | None = None,
    before: Callable[[], None] | None = None,
    allow_breaking: bool = True,
    answers: Mapping[str, Answer] | None = None,
    resting: Mapping[str, str] | None = None,
) -> RunResult:
    """Run the selected steps of a project; steps with nothing to do are skipped.

    Parameters
    ----------
    patterns : sequence of str
        As in `lakeloom.project.select`; all steps without any.
    full_refresh : bool
        Build the selected tables anew from all of their inputs.
    window : Window, optional
        Land only files last changed in it; read rows that arrived in it again.
    part : mapping, optional
        Of what the run is a part (``backfill``, ``slice``), for its log; with ``quiet`` people are told only of
        failures and much quarantine.
    replay : Replay, optional
        Run rows in quarantine of one selected table again, and nothing else.
    upkeep : bool
        Upkeep is asked for: also of tables without a policy, and however long ago it was done.
    pins : mapping, optional
        Of a promote: step → what it takes over from the branch.
    before : callable, optional
        Called under the root's lock, before anything is done; it may refuse the run.
    allow_breaking : bool
        Whether the run may break what readers of published tables lean on; users are asked (`lakeloom.api`).
    answers : mapping, optional
        What sources have said a moment ago: step → answer. Those that hold are not asked again.
    resting : mapping, optional
        Steps that are left out, with why: what is made of them goes on with what there is.

    Raises
    ------
    RunError
        LL-RUN-001 for a pattern that selects nothing, LL-RUN-002 where another run holds the root, LL-RUN-007 for
        a window over a table to which its rows would be appended again.
    ContractError
        LL-TABLE-011 for a change that breaks a published table, unless that is allowed.
    """
    everything = graph(project, upkeep=upkeep)
    chosen = select(everything, patterns)
    if window is not None:
        _refuse_appended(chosen)
    with locked(project.root, project.settings.wait_s):
        if before is not None:
            before()
        if not allow_breaking:
            contracts.keep(project, patterns)
        context = Context.of(project, new_run_id(project.work))
        context.allow_breaking = allow_breaking
        wish = _Wish(
            full_refresh, window, dict(part or {}), replay, upkeep, dict(pins or {}), answers or {}, resting or {}
        )
        walk = _Walk(context, everything, chosen, wish, listener or Silent())
        try:
            settle(context)
            result = walk.go()
        except LakeloomError as error:
            tell_of_breakdown(context, error)
            raise
    # The root is free again: a receiver that is slow keeps no other run waiting.
    told = after(context, chosen, result, walk.journal, only=wish.told_of)
    return replace(result, notifications=tuple(delivery.as_dict() for delivery in told))


def _refuse_appended(chosen: Sequence[Step]) -> None:
    for step in chosen:
        if is_stream(step):
            raise RunError(
                "LL-RUN-007", f"{step.name} is a stream: it would take rows that are read again for new ones",
                where=step.name, fix=f"build it anew: lakeloom run {step.name} --full-refresh",
            )  # fmt: skip
        if reads_new(step) and step.spec.write.mode == "append":
            raise RunError(
                "LL-RUN-007", f"{step.name} is appended to: rows that are read again would stand there twice",
                where=step.name, fix="give it keys: and write: {mode: merge}, or leave it out of the selection",
            )  # fmt: skip


@dataclass(frozen=True)
class _Wish:
    """What the user asked for beyond the selection."""

    full_refresh: bool
    window: Window | None
    part: Mapping[str, Any] = field(default_factory=dict)
    replay: Replay | None = None
    upkeep: bool = False
    pins: Mapping[str, Pinned] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    resting: Mapping[str, str] = field(default_factory=dict)

    @property
    def told_of(self) -> tuple[EventKind, ...] | None:
        """What people are told of; None for all."""
        if self.replay is not None:
            return ("failure",)
        return ("failure", "quarantine") if self.part.get("quiet") else None


class _Walk:
    """One walk over the chosen steps."""

    def __init__(
        self, context: Context, everything: list[Step], chosen: list[Step], wish: _Wish, listener: Listener
    ) -> None:
        self.context, self.chosen, self.wish, self.listener = context, chosen, wish, listener
        self.above = {step.name: upstream(everything, step.name) for step in chosen}
        self.high = heights(everything)
        self.journal = Journal(context.lake, context.run, context.folder)
        self.results: dict[str, StepResult] = {}
        self.asked: dict[str, Ask] = {}
        self.stopped = threading.Event()

    def go(self) -> RunResult:
        started, begun = datetime.now(UTC), time.monotonic()
        wish = dict(self.wish.part) | ({"window": self.wish.window.as_dict()} if self.wish.window else {})
        wish |= {"replay": self.wish.replay.as_dict()} if self.wish.replay else {}
        self.journal.log("run started", steps=[step.name for step in self.chosen], **wish, **self.context.provenance)
        with ThreadPoolExecutor(self.context.project.settings.slots, "step") as pool:
            try:
                self._walk(pool)
            except KeyboardInterrupt:
                self.stopped.set()
                self.context.engine.cancel()
        failed = any(result.status in ("failed", "blocked") for result in self.results.values())
        status = "stopped" if self.stopped.is_set() else "failed" if failed else "done"
        ended = tuple(self.results[step.name] for step in self.chosen if step.name in self.results)
        result = RunResult(self.context.run, status, started.isoformat(), round(time.monotonic() - begun, 3), ended)  # type: ignore[arg-type]  # mypy widens the literal
        self.journal.close(result, refs.good(self.context.lake), self.context.project.name)
        audit.note(self.context.lake)
        return result

    def _walk(self, pool: ThreadPoolExecutor) -> None:
        # What most steps wait for starts first: at the end no long chain is left to run alone.
        waiting = sorted(self.chosen, key=lambda step: -self.high[step.name])
        running: dict[Future[StepResult], Step] = {}
        self._ask()
        while waiting or running:
            for step in list(waiting):
                if not self._may_start(step, waiting, running):
                    continue
                waiting.remove(step)
                blocker = next((name for name in self.above[step.name] if self._lost(name)), None)
                if blocker is not None:
                    self._end(StepResult(step.name, step.kind, "blocked", f"{blocker} failed"), None)
                elif step.exclusive:
                    # It runs alone, so the main thread is free; Horovod's launcher sets signal handlers, which
                    # Python allows nowhere else.
                    self._step(step)
                else:
                    running[pool.submit(self._step, step)] = step
            asking = [ask for ask in self.asked.values() if not ask.future.done()]
            if running or asking:
                awaited: list[Future[Any]] = [*running, *(ask.future for ask in asking)]
                done, _ = wait(awaited, waiting_s(asking), return_when=FIRST_COMPLETED)
                for future in [each for each in running if each in done]:
                    del running[future]
                    future.result()
                for ask in asking:
                    ask.expire()

    def _ask(self) -> None:
        """Ask all sources what is new, side by side and apart from the slots: one that hangs takes none."""
        good = refs.good(self.context.lake)
        for step in self.chosen:
            if step.name in self.wish.resting or self._answer(step) is not None:
                continue
            if asks(self.context, step, good, window=self.wish.window, replay=self.wish.replay):
                self.asked[step.name] = Ask(self.context, step)

    def _may_start(self, step: Step, waiting: list[Step], running: dict[Future[StepResult], Step]) -> bool:
        unfinished = {other.name for other in waiting} | {other.name for other in running.values()}
        if self.above[step.name] & unfinished or self._is_asked(step):
            return False
        if step.exclusive:
            return not running
        full = len(running) >= self.context.project.settings.slots
        return not full and not any(other.exclusive for other in running.values())

    def _is_asked(self, step: Step) -> bool:
        return step.name in self.asked and not self.asked[step.name].future.done()

    def _answer(self, step: Step) -> Answer | None:
        if step.name in self.asked:
            return self.asked[step.name].future.result()
        said = self.wish.answers.get(step.name)
        return said if said is not None and said.holds(step, self.context.intents.latest(step.name)) else None

    def _lost(self, name: str) -> bool:
        return name in self.results and self.results[name].status in ("failed", "blocked")

    def _step(self, step: Step) -> StepResult:
        with self.context.engine.metering(alone=step.exclusive):
            return self._measured(step)

    def _measured(self, step: Step) -> StepResult:
        begun = time.monotonic()
        intent = None
        error: LakeloomError
        try:
            good = refs.good(self.context.lake)
            missing = next((read.table for read in step.reads if read.table not in good), None)
            if missing:
                raise RunError(
                    "LL-RUN-003", f"{missing} has not been made yet", where=step.name, fix=f"run '+{step.name}'"
                )
            wish = self.wish
            if step.name in wish.resting:
                rests = Decision("skip", (wish.resting[step.name],))
                return self._end(_skipped(step, rests, good, time.monotonic() - begun), None)
            ready = prepare(
                self.context, step, full_refresh=wish.full_refresh, window=wish.window, versions=good,
                replay=wish.replay, asked=wish.upkeep, promoted=wish.pins.get(step.name), answer=self._answer(step),
            )  # fmt: skip
            if isinstance(ready, Decision):
                result = _skipped(step, ready, good, time.monotonic() - begun)
                return self._end(result, None)
            intent = ready.intent
            self.listener.started(step.name, step.kind, ready.reason)
            self.journal.log("step started", step=step.name, reason=ready.reason, epoch=intent.epoch)
            facts = perform(self.context, step, intent)
            if step.kind in ("train", "tune"):
                at = datetime.fromisoformat(intent.clock)
                self.journal.model(step.name, step.kind, facts, at, intent.reads)
            result = StepResult(
                step.name, step.kind, "done", ready.reason,
                facts.get("rows_in", 0), facts.get("rows_out", 0), facts.get("quarantined", 0),
                facts.get("version"), round(time.monotonic() - begun, 3), facts.get("bytes", 0),
                resources=facts.get("resources"), warnings=tuple(facts.get("warnings", ())),
                changed=facts.get("changed") or {}, upkeep=tuple(facts.get("upkeep", ())), stream=_of_stream(facts),
                export=facts.get("export") or {},
                latency_s=facts.get("latency_s"),
            )  # fmt: skip
        except Exception as cause:  # a step's failure must not end the run: it is coded, noted, and blocks what follows
            if self.stopped.is_set():
                error = RunError("LL-RUN-005", "stopped", where=step.name, fix="run again")
            else:
                error = explained(cause, step.name)
                if intent is not None:
                    give_up(self.context, step, intent, error)
            seconds = round(time.monotonic() - begun, 3)
            self.journal.log("step error", step=step.name, traceback=_traceback(cause))
            taken = self.context.engine.measured()
            result = StepResult(
                step.name, step.kind, "failed", error.message, seconds=seconds, error=error.as_dict(),
                resources=taken.as_dict() if taken else None,
            )  # fmt: skip
        slots = self.context.project.settings.slots if step.exclusive else 1
        return self._end(result, intent.epoch if intent else None, slots)

    def _end(self, result: StepResult, epoch: int | None, slots: int = 1) -> StepResult:
        self.results[result.name] = result
        self.journal.step(result, epoch, slots)
        self.listener.finished(result)
        return result


def _skipped(step: Step, decision: Decision, good: Mapping[str, int], seconds: float) -> StepResult:
    version, reason = good.get(step.writes[0]), "; ".join(decision.reasons)
    return StepResult(step.name, step.kind, "skipped", reason, version=version, seconds=round(seconds, 3))


def _of_stream(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what people want to know of a stream, from a step's facts."""
    told = facts.get("stream") or {}
    return {name: told[name] for name in STREAM if name in told}


def _traceback(cause: BaseException) -> list[str]:
    """Return where it broke, without the message: a message may carry a row's values."""
    import traceback

    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(cause.__traceback__)
    ][-8:]
