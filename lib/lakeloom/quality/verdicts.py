"""The Spark expression of each row rule: which rows it checks and which of them break it.

Both are never NULL. NULL is decided first, then the value: a text that is no number breaks numeric
bounds instead of failing the job, and NaN breaks any bounds, though Spark sorts it above all numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.quality.across import ACROSS, looked_at
from lakeloom.quality.columns import find, wrong
from lakeloom.quality.references import keys
from lakeloom.quality.spec import RuleSpec
from lakeloom.quality.values import VALUES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True)
class Verdict:
    """Two boolean columns without NULL: whether the rule looks at the row (None: always), and whether it is broken."""

    checked: Column | None
    broken: Column


def verdicts(
    frame: DataFrame, rules: Sequence[RuleSpec], where: str = "", known: Mapping[str, Column] | None = None
) -> list[Verdict]:
    """Return the verdict of each row rule on `frame`; raises LL-RULE-003.

    Parameters
    ----------
    known : mapping, optional
        For rules that refer to another table: the rule's title → whether the row's key is there, which is NULL
        or true.
    """
    types = dict(frame.dtypes)
    return [_verdict(frame, types, rule, where, known or {}) for rule in rules]


def spared(verdict: Verdict, exempt: str) -> Verdict:
    """Return the verdict without the rows of which the boolean column `exempt` is true."""
    from pyspark.sql import functions as F

    held = ~F.col(quoted(exempt))
    return Verdict(held if verdict.checked is None else verdict.checked & held, verdict.broken & held)


def _verdict(
    frame: DataFrame, types: dict[str, str], rule: RuleSpec, where: str, known: Mapping[str, Column]
) -> Verdict:
    if rule.title in known:
        checked = looked_at([col for col, _ in keys(types, rule, where)], "any_value_is_missing")
        return Verdict(checked, checked & known[rule.title].isNull())
    return _sql(frame, rule, where) if rule.expectation is None else _expected(types, rule, where)


def _sql(frame: DataFrame, rule: RuleSpec, where: str) -> Verdict:
    from pyspark.errors import AnalysisException, ParseException
    from pyspark.sql import functions as F

    try:
        condition = F.expr(str(rule.sql))
        kind = frame.select(condition).dtypes[0][1]
    except (AnalysisException, ParseException) as cause:
        raise wrong(rule, f"the SQL does not analyse: {str(cause).splitlines()[0]}", where) from cause
    if kind != "boolean":
        raise wrong(rule, f"the SQL is {kind}, not a condition", where)
    return Verdict(None, ~F.coalesce(condition, F.lit(not rule.null_breaks)))


def _expected(types: dict[str, str], rule: RuleSpec, where: str) -> Verdict:
    from pyspark.sql import functions as F

    assert rule.expectation is not None
    if rule.expectation.name in ACROSS:
        checked, holds = ACROSS[rule.expectation.name](types, rule, where)
        return Verdict(checked, checked & ~holds)
    assert rule.column is not None  # the others name one column
    name, kind = find(types, rule, rule.column, where)
    value = F.col(quoted(name))
    if rule.expectation.name == "not_null":
        return Verdict(None, value.isNull())
    if rule.expectation.name == "is_null":
        return Verdict(None, value.isNotNull())
    holds = F.coalesce(VALUES[rule.expectation.name](rule, value, kind, where), F.lit(False))
    checked = None if rule.null_breaks else value.isNotNull()
    return Verdict(checked, F.when(value.isNull(), F.lit(rule.null_breaks)).otherwise(~holds))
