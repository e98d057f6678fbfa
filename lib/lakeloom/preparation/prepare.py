"""A `Preparation`: fitted on the train split only, frozen, written as JSON beside the model.

Refused: features that the table does not have, and types that are neither number, boolean nor text
(LL-TRAIN-006). It never sees another split when it is fitted, so it can't leak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lakeloom.preparation.categories import Categories
from lakeloom.preparation.columns import as_table, column_of, is_text, numbers_of, texts_of
from lakeloom.preparation.numbers import Scaling


class PreparationConfig(BaseModel):
    """How columns become arrays.

    Attributes
    ----------
    embed : tuple of str
        Columns taken as categories besides the text columns (an hour, a month).
    min_count : int
        Rows of the train split that a category needs for a code of its own.
    at_most : int
        Codes a column at most, the most frequent values first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    embed: tuple[str, ...] = ()
    min_count: int = Field(default=10, ge=1)
    at_most: int = Field(default=10_000, ge=1)


@dataclass(frozen=True)
class Arrays:
    """Rows as numbers: ``categories`` int64 [n, c] and ``numbers`` float32 [n, d]."""

    categories: NDArray[np.int64]
    numbers: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.categories)


class Preparation(BaseModel):
    """What was learnt of each feature from the train split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[str, ...]
    categories: tuple[Categories, ...]
    scalings: tuple[Scaling, ...]

    @classmethod
    def fit(cls, frame: Any, features: Sequence[str], config: PreparationConfig) -> Preparation:
        """Fit on the train split.

        Parameters
        ----------
        frame : pyarrow.Table or pandas.DataFrame
            Rows of the train split and no other.
        features : sequence of str
            Columns to use, in this order.
        config : PreparationConfig
        """
        table = as_table(frame)
        categories, scalings = [], []
        for name in features:
            column = column_of(table, name)
            if is_text(column.type) or name in config.embed:
                texts = texts_of(column, name)
                categories.append(Categories.fit(name, texts, config.min_count, config.at_most))
            else:
                scalings.append(Scaling.fit(name, numbers_of(column, name)))
        return cls(features=tuple(features), categories=tuple(categories), scalings=tuple(scalings))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of codes of each categorical column, the unknown code included."""
        return tuple(each.size for each in self.categories)

    @property
    def width(self) -> int:
        """Number of columns of ``Arrays.numbers``."""
        return sum(each.width for each in self.scalings)

    def arrays(self, frame: Any) -> Arrays:
        """Return the rows as codes and scaled numbers, for networks and linear models."""
        table = as_table(frame)
        return Arrays(self._codes(table), self._scaled(table))

    def matrix(self, frame: Any) -> NDArray[np.float64]:
        """Return codes (NaN for unknown) and raw numbers (NaN for null), float64 [n, c + d], for trees."""
        table = as_table(frame)
        codes = self._codes(table).astype(np.float64)
        raw = [numbers_of(column_of(table, each.column), each.column) for each in self.scalings]
        return np.column_stack([np.where(codes == 0, np.nan, codes - 1), *raw])

    def _codes(self, table: Any) -> NDArray[np.int64]:
        codes = np.empty((table.num_rows, len(self.categories)), dtype=np.int64)
        for place, each in enumerate(self.categories):
            codes[:, place] = each.codes(texts_of(column_of(table, each.column), each.column))
        return codes

    def _scaled(self, table: Any) -> NDArray[np.float32]:
        parts = [each.scale(numbers_of(column_of(table, each.column), each.column)) for each in self.scalings]
        return np.concatenate(parts, axis=1) if parts else np.empty((table.num_rows, 0), dtype=np.float32)
