"""How many rows have a bit of a mark set, counted two to a number.

What is observed of rows on their way is counted row by row, outside of the code that Spark makes of a stage: there
each aggregate costs by itself, and half as many cost half. A bigint has room for two counts of less than 2³¹ rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import Column

_BITS = 31
MOST = (1 << _BITS) - 1  # rows


@dataclass(frozen=True)
class Bit:
    """A bit that is counted: the count's name, the column of the marks, which of its bits."""

    name: str
    word: str
    at: int

    def __str__(self) -> str:
        return f"(shiftrightunsigned({self.word}, {self.at}) & 1L)"


@dataclass(frozen=True)
class Lanes:
    """The counts of bits, two to an aggregate."""

    bits: tuple[Bit, ...]

    @property
    def _pairs(self) -> Iterator[tuple[str, tuple[Bit, ...]]]:
        return ((f"lanes_{at}", self.bits[at : at + 2]) for at in range(0, len(self.bits), 2))

    def aggregates(self) -> list[Column]:
        """Return what is to be aggregated over the rows."""
        from pyspark.sql import functions as F

        found = []
        for name, pair in self._pairs:
            terms = (f"shiftleft({bit}, {lane * _BITS})" for lane, bit in enumerate(pair))
            # More rows than there is room for are no error of the rows.
            found.append(F.expr(f"try_sum({' + '.join(terms)})").alias(name))
        return found

    def counts(self, row: Mapping[str, Any], rows: int) -> dict[str, int] | None:
        """Return each bit's count by name, from the aggregates over `rows` rows; None where these were too many."""
        if rows > MOST:
            return None
        return {
            bit.name: (row[name] or 0) >> lane * _BITS & MOST
            for name, pair in self._pairs
            for lane, bit in enumerate(pair)
        }
