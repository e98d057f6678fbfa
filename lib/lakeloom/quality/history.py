"""Figures of now against those of the executions before, by a robust z-score; and how far shares moved (PSI).

Pure numbers. The z-score is the distance from the median of what was before, in units of 1.4826 times
the median absolute deviation (Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993), which a few
odd executions among those before do not move. A floor under that spread keeps figures that hardly ever
change from crying at every change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

# The median absolute deviation of a normal distribution, as a share of its standard deviation.
_NORMAL = 1.4826
# A share below this counts as this: an empty bucket would make the index infinite.
_LEAST = 1e-4


def robust_z(value: float, before: Sequence[float], least: float) -> float:
    """Return how far `value` is from what was before, without sign.

    Parameters
    ----------
    before : sequence of float
        At least one.
    least : float
        The smallest spread that counts, in the figure's own unit.

    Examples
    --------
    >>> robust_z(100.0, [99.0, 100.0, 101.0, 100.0], 5.0)
    0.0
    >>> round(robust_z(200.0, [99.0, 100.0, 101.0, 100.0], 5.0), 1)
    20.0
    """
    middle = median(before)
    spread = max(_NORMAL * median(abs(each - middle) for each in before), least)
    if spread == 0:
        return 0.0 if value == middle else math.inf
    return abs(value - middle) / spread


def stability_index(now: Sequence[float], before: Sequence[Sequence[float]]) -> float:
    """Return the population stability index of shares now against the mean shares before.

    Examples
    --------
    >>> stability_index([0.5, 0.5], [[0.5, 0.5]])
    0.0
    >>> round(stability_index([0.9, 0.1], [[0.5, 0.5], [0.5, 0.5]]), 3)
    0.879
    """
    was = [max(fmean(shares), _LEAST) for shares in zip(*before, strict=True)]
    are = [max(share, _LEAST) for share in now]
    return sum((a - b) * math.log(a / b) for a, b in zip(are, was, strict=True))
