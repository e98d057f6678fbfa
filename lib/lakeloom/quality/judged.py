"""Judged rows: which broke which rule, their good and their broken half, and what was counted of them.

What came before the rules speaks through platform columns: ``_faults`` (reasons, such as a value that the
contract's type can't hold), ``_unread`` (such values as text, for the quarantine) and ``_changed_…`` (numbers to be
summed, such as rows that a cleansing verb changed).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakeloom.quality.marks import FAULTS, Marks
from lakeloom.quality.results import RuleResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

REASONS = "_reasons"
CHANGED = "_changed_"
UNREAD = "_unread"


@dataclass(frozen=True)
class JudgedFrame:
    """Rows with the rules they broke.

    Attributes
    ----------
    marked : DataFrame
        The rows as they came, with their marks.
    marks : Marks
        Which bit of the marks is which rule.
    results : tuple of RuleResult
        One for each row rule, in the rules' order, then one for each reason that ``_faults`` held.
    rows, broken_rows : int
        How many rows there are, and how many of them go to quarantine; -1 rows where no rule counted.
    cached : bool
        Whether `marked` is persisted, until `release`.
    changed : dict
        What follows ``_changed_`` in a column's name → its sum over all rows.
    """

    marked: DataFrame
    marks: Marks
    results: tuple[RuleResult, ...]
    rows: int
    broken_rows: int
    cached: bool
    changed: dict[str, int] = field(default_factory=dict)

    @property
    def frame(self) -> DataFrame:
        """All rows, with ``_reasons array<string>``: names of the broken quarantine rules, empty for good rows."""
        return self.marked.withColumn(REASONS, self.marks.reasons()).drop(*self._own)

    @property
    def good(self) -> DataFrame:
        """The rows that broke no quarantine rule, in the columns they came in."""
        rows = self.marked.where(~self.marks.rejected()) if self.broken_rows else self.marked
        return bare(rows, self.marks)

    @property
    def broken(self) -> DataFrame:
        """The rows for quarantine, with ``_reasons``."""
        rows = self.marked.where(self.marks.rejected()).withColumn(REASONS, self.marks.reasons())
        return rows.drop(*self._own, *summed(rows))

    @property
    def _own(self) -> list[str]:
        return [FAULTS, *self.marks.columns]

    def release(self) -> None:
        """Drop the cached rows."""
        if self.cached:
            self.marked.unpersist()


def summed(frame: DataFrame) -> list[str]:
    """Return the columns whose sums are counted."""
    return [name for name in frame.columns if name.startswith(CHANGED)]


def bare(frame: DataFrame, marks: Marks) -> DataFrame:
    """Return marked rows in the columns that they came in."""
    return frame.drop(UNREAD, FAULTS, *marks.columns, *summed(frame))
