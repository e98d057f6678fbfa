"""A span of time done again in slices, each a run of its own; what was killed goes on with the first slice not done.

By ingestion time a slice lands the files last changed in it and reads the rows again that arrived in
it. By event time a slice lands nothing: it makes the rows again whose event time lies in it, from all
of the rows that were consumed before. What is built as a whole runs once, when all slices are done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from lakeloom.core.durations import Duration
from lakeloom.core.steps import Basis, Step, Window
from lakeloom.flow.prepare import REPLAYED, again_of
from lakeloom.flow.result import Listener, RunResult
from lakeloom.flow.runner import run
from lakeloom.project.graph import steps as graph
from lakeloom.project.select import select
from lakeloom.project.slices import cut, parts, reads_new
from lakeloom.project.spec import Project
from lakeloom.store.backfills import Backfills, Plan
from lakeloom.store.intents import Intents
from lakeloom.store.lock import locked

Status = Literal["done", "earlier", "failed", "stopped", "waiting"]
# A slice whose steps had to finish an older execution first is run again; once is enough unless steps fail.
_RUNS = 3


@dataclass(frozen=True)
class SliceResult:
    """What became of one slice; ``earlier`` was done by a call before this one, ``waiting`` was not reached."""

    number: int
    start: str
    end: str
    status: Status
    run_id: str | None = None
    seconds: float = 0.0
    rows_in: int = 0
    rows_out: int = 0
    quarantined: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``run --json``."""
        entry = asdict(self)
        return {"number": entry.pop("number"), "from": entry.pop("start"), "to": entry.pop("end")} | entry


@dataclass(frozen=True)
class BackfillResult:
    """What a backfill did.

    Attributes
    ----------
    tail : RunResult or None
        The run of what is built as a whole; None where there is nothing such, or it was not reached.
    broken : RunResult or None
        The run that did not end well.
    """

    backfill: str
    by: Basis
    status: Literal["done", "failed", "stopped"]
    slices: tuple[SliceResult, ...]
    tail: RunResult | None = None
    broken: RunResult | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 1 a step failed, 130 stopped by the user."""
        return {"done": 0, "failed": 1, "stopped": 130}[self.status]

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``run --slice … --json``."""
        return {
            "backfill": self.backfill,
            "by": self.by,
            "status": self.status,
            "slices": [each.as_dict() for each in self.slices],
            "tail": self.tail.as_dict() if self.tail else None,
            "broken": self.broken.as_dict() if self.broken else None,
        }


def backfill(
    project: Project,
    patterns: Sequence[str],
    start: datetime,
    end: datetime,
    *,
    by: Basis = "ingestion",
    length: Duration | None = None,
    listener: Listener | None = None,
) -> BackfillResult:
    """Do ``[start, end)`` again in slices, or go on where the same backfill was interrupted.

    Parameters
    ----------
    patterns : sequence of str
        As in `lakeloom.project.select`.
    length : Duration, optional
        Of a slice; the whole span without it.

    Raises
    ------
    RunError
        LL-RUN-001 for a selection without a step, LL-RUN-002 where another backfill or run holds the root,
        LL-RUN-007 for a table that can't be backfilled, LL-RUN-008 for a malformed span.
    """
    everything = graph(project)
    found = parts(everything, select(everything, patterns), by)
    windows = cut(start.astimezone(UTC), end.astimezone(UTC), length, by)
    plan = Plan(by, found.sliced, found.tail, tuple(_times(window) for window in windows))
    with locked(project.root / "backfills", project.settings.wait_s):
        return _go(project, Backfills(project.root).open(plan), plan, listener)


def resume(project: Project, name: str, *, listener: Listener | None = None) -> BackfillResult:
    """Go on with a backfill by its id; raises LL-RUN-003 where there is none."""
    plan = Backfills(project.root).plan(name)
    with locked(project.root / "backfills", project.settings.wait_s):
        return _go(project, name, plan, listener)


def _go(project: Project, name: str, plan: Plan, listener: Listener | None) -> BackfillResult:
    store = Backfills(project.root)
    earlier, windows = store.done(name), plan.windows()
    results: list[SliceResult] = []
    broken: RunResult | None = None
    for number, window in enumerate(windows, 1):
        span = (number, *_times(window))
        if number in earlier:
            results.append(SliceResult(*span, "earlier", earlier[number]["run_id"], earlier[number]["seconds"]))
        elif broken is not None:
            results.append(SliceResult(*span, "waiting"))
        else:
            ran = _slice(project, name, number, plan, window, listener)
            results.append(_result(span, ran))
            if ran.status == "done":
                store.note(name, number, {"run_id": ran.run_id, "seconds": ran.seconds})
            else:
                broken = ran
    tail = None
    if broken is None and plan.tail:
        tail = run(project, plan.tail, listener=listener, part={"backfill": name})
        broken = tail if tail.status != "done" else None
    if broken is None:
        store.end(name, {"at": datetime.now(UTC).isoformat()})
    return BackfillResult(name, plan.by, broken.status if broken else "done", tuple(results), tail, broken)


def _slice(
    project: Project, name: str, number: int, plan: Plan, window: Window, listener: Listener | None
) -> RunResult:
    """Run one slice; again where a step first had to finish an execution that was none of this slice."""
    steps = {step.name: step for step in graph(project)}
    for _ in range(_RUNS):
        part = {"backfill": name, "slice": number, "quiet": True}
        ran = run(project, plan.sliced, window=window, listener=listener, part=part)
        replayed = [each.name for each in ran.steps if each.reason.startswith(REPLAYED)]
        if ran.status != "done" or all(_own(project, steps[name], window) for name in replayed):
            break
    return ran


def _own(project: Project, step: Step, window: Window) -> bool:
    """Return whether the step's last execution was this very slice's."""
    record = Intents(project.root).published(step.name)
    if record is None:
        return False
    if step.kind == "land":
        return all(window.holds(at) for at in _changed(record.intent.batch))
    if not reads_new(step):
        return True
    return (record.intent.again, record.intent.within) == again_of(step, window)


def _changed(batch: dict[str, Any]) -> Iterator[datetime]:
    for file in batch.get("files", ()):
        yield datetime.fromtimestamp(file["mtime_ns"] / 1e9, UTC)


def _times(window: Window) -> tuple[str, str]:
    return window.start.isoformat() if window.start else "", window.end.isoformat() if window.end else ""


def _result(span: tuple[int, str, str], ran: RunResult) -> SliceResult:
    done = [step for step in ran.steps if step.status == "done"]
    totals = [sum(getattr(step, name) for step in done) for name in ("rows_in", "rows_out", "quarantined")]
    return SliceResult(*span, ran.status, ran.run_id, ran.seconds, *totals)
