"""Categories as codes: the frequent values of the train split get 1, 2, …; everything else is 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


class Categories(BaseModel):
    """The fitted codes of one column.

    Attributes
    ----------
    column : str
    values : tuple of str
        The value of code ``i + 1`` at place i, most frequent first, ties by text. Nulls, values that
        were rare in the train split and values never seen there have code 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    values: tuple[str, ...]

    @classmethod
    def fit(cls, column: str, texts: NDArray[Any], min_count: int, at_most: int) -> Categories:
        """Keep the `at_most` most frequent values that stand in at least `min_count` rows."""
        known = texts[np.array([text is not None for text in texts], dtype=bool)]
        unique, counts = np.unique(known.astype(str), return_counts=True)
        ranked = np.lexsort((unique, -counts))
        frequent = [str(unique[place]) for place in ranked if counts[place] >= min_count]
        return cls(column=column, values=tuple(frequent[:at_most]))

    @property
    def size(self) -> int:
        """How many codes there are, the unknown one included."""
        return len(self.values) + 1

    def codes(self, texts: NDArray[Any]) -> NDArray[np.int64]:
        """Return the codes of `texts`, int64, shape [n]."""
        import pandas as pd

        return (pd.Index(self.values, dtype=object).get_indexer(pd.Index(texts, dtype=object)) + 1).astype(np.int64)
