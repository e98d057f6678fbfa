"""Asking sources what is new: side by side, each within its time limit, so that one that hangs holds up no other.

Each source is asked by a thread of its own. A call that never returns can't be ended from here: the thread is left to
itself, its answer is not waited for, and it keeps no process from ending. Drivers and clients of stores are given the
same limit, so that they let go of their lines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, InvalidStateError, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import SourceError
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.land import needs_spark, poll
from lakeloom.store.intents import Record


@dataclass(frozen=True)
class Answer:
    """What a source said when it was asked.

    Attributes
    ----------
    code : str
        The step's code then.
    epoch : int
        Of the step's newest execution then; 0 before the first.
    clock : datetime
    batch : dict or None
        What is new; None for nothing.
    error : Exception or None
        Why it said nothing.
    """

    code: str
    epoch: int
    clock: datetime
    batch: dict[str, Any] | None = None
    error: Exception | None = None

    def given(self) -> dict[str, Any] | None:
        """Return the batch; raises what the source raised."""
        if self.error is not None:
            raise self.error
        return self.batch

    def holds(self, step: Step, latest: Record | None) -> bool:
        """Return whether nothing has come between: the step is the same, and has not run since."""
        return (self.code, self.epoch) == (step.code, latest.intent.epoch if latest else 0)


class Ask:
    """One source that is being asked.

    Parameters
    ----------
    runs : bool
        Whether the step is to run where something is new: Spark may be started meanwhile.

    Attributes
    ----------
    future : Future of Answer
        It never raises.
    """

    def __init__(self, context: Context, step: Step, *, runs: bool = True) -> None:
        self.step = step
        self.future: Future[Answer] = Future()
        self._context, self._runs = context, runs
        self._limit_s = step.spec.limit_s
        self._began: float | None = None
        latest = context.intents.latest(step.name)
        self._epoch = latest.intent.epoch if latest else 0
        threading.Thread(target=self._ask, name=f"ask {step.name}", daemon=True).start()

    def _ask(self) -> None:
        clock = datetime.now(UTC)
        try:
            if needs_spark(self._context, self.step):
                self._context.engine.spark()  # its start is no fault of the source
            self._began = time.monotonic()
            batch = poll(self._context, self.step, clock, runs=self._runs)
        except Exception as cause:  # whatever it is, it is this source's failure
            self._end(Answer(self.step.code, self._epoch, clock, error=cause))
        else:
            self._end(Answer(self.step.code, self._epoch, clock, batch))

    def _end(self, answer: Answer) -> None:
        with suppress(InvalidStateError):  # its time was up already
            self.future.set_result(answer)

    def left_s(self) -> float:
        """Return the seconds that the source still has; without an end while Spark starts."""
        return float("inf") if self._began is None else self._began + self._limit_s - time.monotonic()

    def expire(self) -> None:
        """End the asking where the source's time is up."""
        if self.left_s() <= 0:
            late = SourceError(
                "LL-SOURCE-010", f"it did not answer within {self._limit_s:g} s", where=self.step.name,
                fix="look whether it hangs; where it needs longer, raise timeout: of the source",
                transient=True,
            )  # fmt: skip
            self._end(Answer(self.step.code, self._epoch, datetime.now(UTC), error=late))


# So often time limits are looked at where nothing else happens.
_LOOK_S = 1.0


def waiting_s(asks: Iterable[Ask]) -> float | None:
    """Return how long to wait until the next time limit may be reached; None without any ask that is going on."""
    left = [ask.left_s() for ask in asks if not ask.future.done()]
    return min(max(min(left), 0.0), _LOOK_S) if left else None


def answers(context: Context, steps: Iterable[Step], *, runs: bool = False) -> dict[str, Answer]:
    """Ask all sources at once; return each one's answer when the last has answered, or its time is up."""
    asks = [Ask(context, step, runs=runs) for step in steps]
    while going := [ask.future for ask in asks if not ask.future.done()]:
        wait(going, waiting_s(asks), FIRST_COMPLETED)
        for ask in asks:
            ask.expire()
    return {ask.step.name: ask.future.result() for ask in asks}
