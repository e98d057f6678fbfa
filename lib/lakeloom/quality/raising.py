"""A rule that raises while it judges (a division by zero, a cast): which one it was, told without a row's values.

All rules are judged in one pass, and what Spark says of a failure names no rule. So after a failure
the rows are made without any rule, and then with one rule at a time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import LakeloomError, RuleError
from lakeloom.quality.columns import wrong
from lakeloom.quality.spec import RuleSpec

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]")
_FIX = "let it be NULL or false there: try_divide, try_cast, or a condition before it (n = 0 or 10 / n > 1)"


def blamed(
    frame: DataFrame, asked: Sequence[tuple[RuleSpec, Sequence[Column]]], cause: BaseException, where: str
) -> RuleError | None:
    """Return LL-RULE-003 for the rule that raised `cause`, None where none did.

    Parameters
    ----------
    frame : DataFrame
        The rows that were judged.
    asked : sequence of (RuleSpec, columns)
        The aggregates of each rule over them.
    """
    if not condition(cause) or isinstance(cause, LakeloomError) or _fails(frame):
        return None
    for rule, figures in asked:
        if figures and (found := _fails(frame, figures)):
            return wrong(rule, f"it raised {found}", where, _FIX)
    return None


def raised(rule: RuleSpec, cause: Exception, where: str) -> RuleError | None:
    """Return LL-RULE-003 for a rule that raised `cause` in a pass of its own; None where it is not Spark's."""
    kind = "" if isinstance(cause, LakeloomError) else condition(cause)
    return wrong(rule, f"it raised {kind}", where, _FIX) if kind else None


def condition(cause: BaseException) -> str:
    """Return Spark's error class in a failure's text, such as ``DIVIDE_BY_ZERO``; empty where it has none."""
    found = _CONDITION.search(str(cause))
    return found[1] if found else ""


def _fails(frame: DataFrame, figures: Sequence[Column] = ()) -> str:
    """Return the error class with which the rows, or figures over them, can't be made; empty where they can."""
    try:
        if figures:
            frame.agg(*figures).collect()
        else:
            frame.write.format("noop").mode("overwrite").save()
    except Exception as cause:  # what the rules raise has no common class
        return condition(cause) or type(cause).__name__
    return ""
