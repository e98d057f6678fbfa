"""A span of time cut into slices, and which steps of a selection a backfill does slice by slice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lakeloom.core.durations import Duration
from lakeloom.core.errors import RunError
from lakeloom.core.steps import Basis, Step, Window
from lakeloom.project.graph import upstream

MOST = 10_000


@dataclass(frozen=True)
class Parts:
    """The steps of a selection, as a backfill does them.

    Attributes
    ----------
    sliced : tuple of str
        In each slice: landings (by ingestion time), what reads new rows, and what those read.
    tail : tuple of str
        Once, when all slices are done: what is built anew as a whole.
    """

    sliced: tuple[str, ...]
    tail: tuple[str, ...]


def cut(start: datetime, end: datetime, length: Duration | None, by: Basis) -> list[Window]:
    """Return ``[start, end)`` in slices of `length`, the last one cut at `end`; one slice without a length.

    Raises
    ------
    RunError
        LL-RUN-008 where the span is empty, or has more than 10,000 slices.
    """
    if start >= end:
        raise RunError(
            "LL-RUN-008",
            f"the span from {start.isoformat()} to {end.isoformat()} is empty",
            fix="give --from before --to",
        )
    step = timedelta(seconds=length.seconds) if length else end - start
    count = -((start - end) // step)
    if count > MOST:
        raise RunError(
            "LL-RUN-008", f"the span has {count:,} slices; {MOST:,} is the most", fix="give a longer --slice"
        )
    return [Window(start + number * step, min(start + (number + 1) * step, end), by) for number in range(count)]


def parts(everything: list[Step], chosen: Sequence[Step], by: Basis) -> Parts:
    """Return which of the chosen steps go slice by slice, and which once at the end.

    Raises
    ------
    RunError
        LL-RUN-007 where a table can't be backfilled in slices: it is not merged by keys in a sequence, declares no
        event time, or nothing of the selection reads new rows.
    """
    reading = [step for step in chosen if reads_new(step)]
    for step in reading:
        if step.spec.write.mode != "merge":
            raise RunError(
                "LL-RUN-007", f"{step.name} is not merged: rows that are read again would stand there twice, or"
                " replace those of the slice before", where=step.name,
                fix="give it keys: and write: {mode: merge}, or leave it out of the selection",
            )  # fmt: skip
        if step.spec.write.sequence_by is None:
            raise RunError(
                "LL-RUN-007",
                f"{step.name} has no sequence_by: a row of the span could replace a newer one from after it",
                where=step.name,
                fix="add sequence_by: _position to write:",
            )
        if by == "event" and step.spec.event_time is None:
            raise RunError(
                "LL-RUN-007",
                f"{step.name} declares no event time",
                where=step.name,
                fix="add event_time: a column of it",
            )
    if not reading:
        raise RunError("LL-RUN-007", "nothing of the selection reads new rows", fix="select a table that reads 'new'")
    names = {step.name for step in reading}
    above = set().union(*(upstream(everything, name) for name in names))
    landing = {step.name for step in chosen if step.kind == "land"}
    names |= {step.name for step in chosen if step.name in above} - landing
    names |= landing if by == "ingestion" else set()
    sliced = tuple(step.name for step in chosen if step.name in names)
    return Parts(sliced, tuple(step.name for step in chosen if step.name not in names | landing))


def reads_new(step: Step) -> bool:
    """Return whether a step takes only the new rows of an input into its table."""
    return step.kind != "export" and any(read.mode == "new" for read in step.reads)
