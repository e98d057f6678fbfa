"""The Spark expression of each row rule: which rows it checks and which of them break it.

Both are never NULL. NULL is decided first, then the value: a text that is no number breaks numeric
bounds instead of failing the job, and NaN breaks any bounds, though Spark sorts it above all numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from lakeloom.core.errors import RuleError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import quoted as quoted
from lakeloom.quality.spec import Bound, RuleSpec

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


@dataclass(frozen=True)
class Verdict:
    """Two boolean columns without NULL: whether the rule looks at the row, and whether the row breaks it."""

    checked: Column
    broken: Column


def verdicts(frame: DataFrame, rules: Sequence[RuleSpec], where: str = "") -> list[Verdict]:
    """Return the verdict of each row rule on `frame`; raises LL-RULE-003."""
    types = dict(frame.dtypes)
    return [_sql(frame, rule, where) if rule.expectation is None else _expected(types, rule, where) for rule in rules]


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
    return Verdict(F.lit(True), ~F.coalesce(condition, F.lit(not rule.null_breaks)))


def _expected(types: dict[str, str], rule: RuleSpec, where: str) -> Verdict:
    from pyspark.sql import functions as F

    assert rule.expectation is not None and rule.column is not None  # a row expectation names one column
    name, kind = find(types, rule, rule.column, where)
    value = F.col(quoted(name))
    if rule.expectation.name == "not_null":
        return Verdict(F.lit(True), value.isNull())
    if rule.expectation.name == "is_null":
        return Verdict(F.lit(True), value.isNotNull())
    holds = F.coalesce(_holds(rule, value, kind, where), F.lit(False))
    checked = F.lit(True) if rule.null_breaks else value.isNotNull()
    return Verdict(checked, F.when(value.isNull(), F.lit(rule.null_breaks)).otherwise(~holds))


def _holds(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    from pyspark.sql import functions as F

    assert rule.expectation is not None
    match rule.expectation.name:
        case "values_between":
            return within(rule, value, kind, where)
        case "length_between":
            return within(rule, F.char_length(value.cast("string")), "int", where)
        case "in_set":
            return value.isin(*_set(rule, kind, where))
        case "not_in_set":
            return ~value.isin(*_set(rule, kind, where))
        case "match_regex":
            return value.cast("string").rlike(str(rule.pattern))
        case _:
            return ~value.cast("string").rlike(str(rule.pattern))


def _set(rule: RuleSpec, kind: str, where: str) -> list[Column]:
    return [literal(rule, value, kind, where) for value in rule.values or ()]


def within(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    """Return whether `value`, of Spark type `kind`, lies within the rule's bounds."""
    from pyspark.sql import functions as F

    bounds = [bound for bound in (rule.min, rule.max) if bound is not None]
    if kind == "string" and all(not isinstance(bound, str) for bound in bounds):
        value, kind = value.try_cast("double"), "double"
    holds = F.lit(True)
    if kind in ("float", "double"):
        holds = holds & ~F.isnan(value)
    if rule.min is not None:
        low = literal(rule, rule.min, kind, where)
        holds = holds & ((value > low) if rule.strict_min else (value >= low))
    if rule.max is not None:
        high = literal(rule, rule.max, kind, where)
        holds = holds & ((value < high) if rule.strict_max else (value <= high))
    return holds


def literal(rule: RuleSpec, value: Bound, kind: str, where: str) -> Column:
    """Return `value` as a literal that compares with a column of Spark type `kind`; raises LL-RULE-003."""
    from pyspark.sql import functions as F

    misfit = wrong(rule, f"a {type(value).__name__} of the rule does not compare with a {kind} column", where)
    if kind == "string":
        return F.lit(str(value).lower() if isinstance(value, bool) else str(value))
    if kind == "boolean":
        if not isinstance(value, bool):
            raise misfit
        return F.lit(value)
    if kind in ("date", "timestamp", "timestamp_ntz"):
        try:
            parsed = date.fromisoformat(str(value)) if kind == "date" else datetime.fromisoformat(str(value))
        except ValueError:
            raise misfit from None
        return F.lit(parsed.isoformat()).cast(kind)
    if kind.startswith(NUMBERS):
        if isinstance(value, bool | str):
            raise misfit
        return F.lit(value)
    raise misfit


def find(types: dict[str, str], rule: RuleSpec, column: str, where: str) -> tuple[str, str]:
    """Return a column's name as the frame spells it, and its Spark type; raises LL-RULE-003."""
    for name, kind in types.items():
        if name.lower() == column.lower():
            return name, kind
    near = nearest(column, list(types))
    raise wrong(rule, f"column '{column}' is not in the table ({', '.join(types)})", where, near and f"use '{near}'")


def wrong(rule: RuleSpec, what: str, where: str, fix: str | None = None) -> RuleError:
    """Return the error for a rule that can't be carried out."""
    return RuleError("LL-RULE-003", f"rule '{rule.title}': {what}", where=where, fix=fix or "mend the rule")
