"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math

FLOOR = 0.01


def rate(step: int, steps: int, peak: float, warmup: float) -> float:
    """Return the rate of a step (from 0) of `steps`: a linear rise, then a cosine to 1 % of the peak.

    Parameters
    ----------
    step, steps : int
    peak : float
    warmup : float
        Share of the steps in which the rate rises.
    """
    rising = max(1, round(warmup * steps))
    if step < rising:
        return peak * (step + 1) / rising
    along = (step - rising) / max(1, steps - rising)
    return peak * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * along)))
