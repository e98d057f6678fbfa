"""Columns and literals of a rule in Spark's terms, and the error where they don't fit the frame."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from lakeloom.core.errors import RuleError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import quoted
from lakeloom.quality.arguments import Bound
from lakeloom.quality.spec import RuleSpec

if TYPE_CHECKING:
    from pyspark.sql import Column

NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
INTEGERS = ("tinyint", "smallint", "int", "bigint")
FRACTIONS = ("float", "double")


def within(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    """Return whether `value`, of Spark type `kind`, lies within the rule's bounds."""
    from pyspark.sql import functions as F

    bounds = [bound for bound in (rule.min, rule.max) if bound is not None]
    if kind == "string" and all(not isinstance(bound, str) for bound in bounds):
        value, kind = value.try_cast("double"), "double"
    holds = F.lit(True)
    if kind in FRACTIONS:
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


def numeric(types: dict[str, str], rule: RuleSpec, column: str, where: str) -> Column:
    """Return a column that must hold numbers; raises LL-RULE-003."""
    from pyspark.sql import functions as F

    name, kind = find(types, rule, column, where)
    if not kind.startswith(NUMBERS):
        raise wrong(rule, f"column '{name}' is {kind}, not a number", where)
    return F.col(quoted(name))


def wrong(rule: RuleSpec, what: str, where: str, fix: str | None = None) -> RuleError:
    """Return the error for a rule that can't be carried out."""
    return RuleError("LL-RULE-003", f"rule '{rule.title}': {what}", where=where, fix=fix or "mend the rule")
