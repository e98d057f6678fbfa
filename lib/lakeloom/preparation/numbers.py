"""Numbers as a network likes them: nulls marked, tails drawn in, centred, scaled, cut.

A heavy-tailed column goes through ``sign(x) * log(1 + |x|)`` first. A null becomes the train mean
(0 after scaling), and where the train split had nulls a second column says so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

SKEWED = 2.0
CUT = 8.0


class Scaling(BaseModel):
    """The fitted scaling of one column.

    Attributes
    ----------
    column : str
    mean, deviation : float
        Of the train split's known values, after the logarithm where there is one.
    logarithm : bool
        Whether the signed logarithm comes first: absolute skewness above 2 in the train split.
    indicator : bool
        Whether a second column marks nulls.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    mean: float
    deviation: float
    logarithm: bool
    indicator: bool

    @classmethod
    def fit(cls, column: str, values: NDArray[np.float64]) -> Scaling:
        """Fit on the train split's `values`; a column without any known value scales to 0."""
        known = values[~np.isnan(values)]
        logarithm = bool(len(known)) and abs(_skewness(known)) > SKEWED and len(np.unique(known[:10_000])) > 2
        seen = _signed_log(known) if logarithm else known
        return cls(
            column=column,
            mean=float(np.mean(seen)) if len(seen) else 0.0,
            deviation=float(np.std(seen)) or 1.0 if len(seen) else 1.0,
            logarithm=logarithm,
            indicator=len(known) < len(values),
        )

    @property
    def width(self) -> int:
        """How many columns come out: one, or two with the indicator."""
        return 2 if self.indicator else 1

    def scale(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the scaled column, float32, shape [n, width]."""
        seen = _signed_log(values) if self.logarithm else values
        scaled = np.clip((seen - self.mean) / self.deviation, -CUT, CUT)
        missing = np.isnan(values)
        out = np.empty((len(values), self.width), dtype=np.float32)
        out[:, 0] = np.where(missing, 0.0, scaled)
        if self.indicator:
            out[:, 1] = missing
        return out


def _signed_log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(values) * np.log1p(np.abs(values))


def _skewness(values: NDArray[np.float64]) -> float:
    deviation = float(np.std(values))
    return float(np.mean(((values - np.mean(values)) / deviation) ** 3)) if deviation > 0 else 0.0
