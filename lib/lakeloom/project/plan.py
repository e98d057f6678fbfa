"""Whether a step has to run, and why: a pure function of the step, its last execution and its inputs.

``plan`` and ``run`` ask the same `decide`, so that what is explained is what is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lakeloom.core.steps import Input, Step

Action = Literal["run", "skip", "depends"]


@dataclass(frozen=True)
class Last:
    """The last published execution of a step: its code and the versions it read."""

    epoch: int
    code: str
    reads: Mapping[str, int]


@dataclass(frozen=True)
class Decision:
    """What to do with a step: run or skip it, why, and whether its table is built anew."""

    action: Action
    reasons: tuple[str, ...]
    full: bool = False


def decide(
    step: Step,
    last: Last | None,
    versions: Mapping[str, int | None],
    *,
    new: str | None = None,
    full_refresh: bool = False,
    lost: str | None = None,
) -> Decision:
    """Return whether `step` runs.

    Parameters
    ----------
    last : Last, optional
        Its last published execution.
    versions : mapping
        Each input's last good version now; None where it does not exist yet.
    new : str, optional
        For a landing: what its source has that is new, in words; None for nothing.
    full_refresh : bool
        Whether the user asked to build the table anew.
    lost : str, optional
        In words, that what the step remembers of earlier executions is lost: its table is built anew.
    """
    if step.kind == "land":
        return Decision("run", (new,)) if new else Decision("skip", ("nothing new at the source",))
    if last is None:
        return Decision("run", ("it never ran",), full=True)
    if full_refresh:
        return Decision("run", ("--full-refresh was given",), full=True)
    reasons, full = [], False
    if last.code != step.code:
        if getattr(step.spec, "on_change", "rebuild") == "rebuild":
            return Decision("run", ("its code or config changed",), full=True)
        reasons.append("its code or config changed; it holds from here on")
    if lost is not None:
        return Decision("run", (lost,), full=True)
    for read in step.reads:
        if read.mode == "look" or _follows(step, read):
            continue
        before, now = last.reads.get(read.table), versions.get(read.table)
        if before != now:
            reasons.append(f"{read.table} moved from @{before} to @{now}")
            full = full or read.mode == "whole" or before is None or (now or 0) < before
    return Decision("run", tuple(reasons), full) if reasons else Decision("skip", ("nothing changed",))


def _follows(step: Step, read: Input) -> bool:
    """Return whether a new version of an input is taken up by the next new rows, and no reason to run by itself."""
    stream = getattr(step.spec, "stream", None)
    return stream is not None and read.mode == "whole" and stream.static == "forward"


def depends(upstream: list[str]) -> Decision:
    """Return the decision for a step whose inputs are about to change."""
    return Decision("depends", tuple(f"{name} may change" for name in upstream))
