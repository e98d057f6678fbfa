"""What a table rule asks of the one aggregate, and how it answers; the kinds are files beside this one.

A `Subject` is the rule with the frame that it is about; a `Question` gives named figures, all of which
are computed in one pass with those of the other rules, and a function from their values to the outcome.
What one aggregate can't say (the groups of repeated keys, a value against the column's mean) the answer
asks of the frame again, for its own columns only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.quality.background import NOTHING, Background
from lakeloom.quality.columns import find
from lakeloom.quality.spec import RuleSpec

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True)
class Subject:
    """A table rule, the whole table, the place for errors, and what lies beyond the table."""

    rule: RuleSpec
    frame: DataFrame
    where: str = ""
    background: Background = NOTHING

    @property
    def types(self) -> dict[str, str]:
        """The table's columns and their Spark types, without the platform's own."""
        return {name: kind for name, kind in self.frame.dtypes if not name.startswith("_")}

    def column(self, name: str | None = None) -> tuple[Column, str]:
        """Return a column of the rule, by default its only one, and its Spark type; raises LL-RULE-003."""
        from pyspark.sql import functions as F

        found, kind = find(dict(self.frame.dtypes), self.rule, str(name or self.rule.column), self.where)
        return F.col(quoted(found)), kind


@dataclass(frozen=True)
class Outcome:
    """What came of a question.

    Attributes
    ----------
    passed : bool or None
        Whether the rule holds; None where the share of broken rows decides.
    checked, broken : int or None
        Rows looked at (None for all of them), and those that broke the rule.
    observed : Any
        The figure that was judged.
    profile : dict or None
        What later executions are compared with.
    """

    passed: bool | None
    checked: int | None = None
    broken: int = 0
    observed: Any = None
    profile: dict[str, Any] | None = None


@dataclass(frozen=True)
class Question:
    """The figures that a rule needs, and its answer to their values."""

    answer: Callable[[Mapping[str, Any]], Outcome]
    figures: dict[str, Column] = field(default_factory=dict)


Ask = Callable[[Subject], Question]
