"""What Spark counts of rows while something else is done with them.

Source: Spark's ``Dataset.observe``; its figures come by a listener's queue, a moment after the work is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_LIMIT_S = 30.0  # a queue that is full drops events, and these never come


def observed(frame: DataFrame, figures: Sequence[Column]) -> tuple[DataFrame, Callable[[], dict[str, Any] | None]]:
    """Return the rows, and what tells the figures of them after they were computed once.

    Parameters
    ----------
    figures : sequence of Column
        Named aggregates.

    Returns
    -------
    (DataFrame, callable)
        The callable returns name → value; None where the figures don't come.
    """
    from pyspark.sql import Observation

    observation = Observation()
    seen = frame.observe(observation, *figures)

    def told() -> dict[str, Any] | None:
        waiting, until = observation._jo, time.monotonic() + _LIMIT_S
        while not waiting.future().isCompleted():
            if time.monotonic() > until:
                return None
            waiting.getOrEmpty()  # waits for a tenth of a second at most
        return observation.get or None

    return seen, told
