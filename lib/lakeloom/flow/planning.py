"""What a run would do and why, by the same decisions that the run takes; nothing is started or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import LakeloomError
from lakeloom.core.extras import command
from lakeloom.core.steps import Step
from lakeloom.flow.asking import Answer, answers
from lakeloom.flow.context import Context
from lakeloom.flow.decision import apart, at_tag, can_ask, look, pinned
from lakeloom.flow.prepare import asks
from lakeloom.flow.radius import Radius
from lakeloom.flow.upkeep import look as look_after
from lakeloom.project.extras import lacking
from lakeloom.project.graph import steps as graph
from lakeloom.project.plan import Action, Decision, depends
from lakeloom.project.select import select
from lakeloom.project.spec import Project
from lakeloom.store import refs


@dataclass(frozen=True)
class PlannedStep:
    """A step, what would happen to it, and why."""

    step: Step
    action: Action
    reasons: tuple[str, ...]
    reads: dict[str, int | None]

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``plan --json``."""
        return {
            "name": self.step.name,
            "kind": self.step.kind,
            "action": self.action,
            "reasons": list(self.reasons),
            "reads": self.reads,
            "writes": list(self.step.writes),
        }


class Plan(list[PlannedStep]):
    """The steps of a run, and how far what was changed since the last one reaches.

    Attributes
    ----------
    radius : Radius
    """

    def __init__(self, steps: Iterable[PlannedStep], radius: Radius) -> None:
        super().__init__(steps)
        self.radius = radius

    @property
    def idle(self) -> bool:
        """Whether nothing would run."""
        return all(step.action == "skip" for step in self)


def plan(project: Project, patterns: Sequence[str] = (), *, full_refresh: bool = False) -> list[PlannedStep]:
    """Return what `run` with the same arguments would do, step by step.

    A source that can be asked only through a JVM (JDBC) is ``depends``; so is a step whose inputs may
    change in the same run.
    """
    chosen = select(graph(project), patterns)
    context = Context.of(project, "plan")
    good = refs.good(context.lake)
    moving: dict[str, str] = {}
    said = answers(context, [step for step in chosen if asks(context, step, good) and can_ask(context, step)])
    planned = []
    for step in chosen:
        decision = _decision(context, step, good, moving, full_refresh, said)
        if decision.action != "skip":
            moving |= dict.fromkeys(step.writes, step.name)
        reads = _reads(context, step, good)
        # What would fail is said before it does; a step that is skipped needs nothing.
        gone = () if decision.action == "skip" else lacking(step)
        reasons = (*decision.reasons, *(f"a package is missing, it will fail: {command(extra)}" for extra in gone))
        planned.append(PlannedStep(step, decision.action, reasons, reads))
    return planned


def _reads(context: Context, step: Step, good: dict[str, int]) -> dict[str, int | None]:
    try:
        versions: Mapping[str, int] = at_tag(context, step, good)
    except LakeloomError:  # the reason says it
        versions = {}
    return {read.table: versions.get(read.table) for read in step.reads}


def _decision(
    context: Context,
    step: Step,
    good: dict[str, int],
    moving: dict[str, str],
    full_refresh: bool,
    said: Mapping[str, Answer],
) -> Decision:
    latest = context.intents.latest(step.name)
    if latest is not None and latest.crashed:
        return Decision("run", (f"goes on with epoch {latest.intent.epoch}, which did not finish",))
    still = apart(context, step, good)
    if still is not None:
        return still
    if step.kind == "land":
        if step.name not in said:
            return Decision("depends", ("the source is asked when it runs",))
        try:
            batch = said[step.name].given()
        except LakeloomError as error:
            return Decision("run", (f"the source can't be asked: {error.message}",))
        return look(context, step, good, batch=batch, latest=latest)
    if step.kind == "upkeep":
        moved = any(read.table in moving for read in step.reads)
        return look_after(context, step, datetime.now(UTC), moving=moved)
    missing = [read.table for read in step.reads if read.table not in good and read.table not in moving]
    if missing:
        return Decision("run", (f"{missing[0]} has not been made yet: it will fail",))
    try:
        decision = look(context, step, at_tag(context, step, good), full_refresh=full_refresh, latest=latest)
    except LakeloomError as error:
        return Decision("run", (f"it will fail: {error.message}",))
    if pinned(step):
        return decision
    above = sorted({moving[read.table] for read in step.reads if read.table in moving and read.mode != "look"})
    if above and (decision.action == "skip" or decision.reasons != ("it never ran",)):
        return decision if decision.action == "run" else depends(above)
    return decision
