"""Expectations on several columns of a row: which rows are looked at, and whether they hold; never NULL."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import combinations
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.quality.arguments import Bound
from lakeloom.quality.columns import INTEGERS, NUMBERS, find, literal, numeric, wrong
from lakeloom.quality.spec import RuleSpec

if TYPE_CHECKING:
    from pyspark.sql import Column

Across = Callable[[dict[str, str], RuleSpec, str], tuple["Column", "Column"]]


def looked_at(columns: list[Column], ignore: str | None) -> Column:
    """Return whether a row is looked at; by default all are but those whose values are all NULL."""
    from pyspark.sql import functions as F

    if ignore in ("neither", "never"):
        return F.lit(True)
    present = [column.isNotNull() for column in columns]
    if ignore in ("either_value_is_missing", "any_value_is_missing"):
        return reduce(lambda left, right: left & right, present)
    return reduce(lambda left, right: left | right, present)


def _columns(types: dict[str, str], rule: RuleSpec, where: str) -> list[Column]:
    """Return the rule's columns; texts and other kinds do not compare."""
    from pyspark.sql import functions as F

    found = [find(types, rule, name, where) for name in rule.columns]
    families = {"number" if kind.startswith(NUMBERS) else kind for _, kind in found}
    if len(families) > 1 and not families <= {"date", "timestamp", "timestamp_ntz"}:
        told = ", ".join(f"'{name}' is {kind}" for name, kind in found)
        raise wrong(rule, f"the columns do not compare: {told}", where)
    return [F.col(quoted(name)) for name, _ in found]


def _pair_equal(types: dict[str, str], rule: RuleSpec, where: str) -> tuple[Column, Column]:
    left, right = _columns(types, rule, where)
    return looked_at([left, right], rule.ignore), left.eqNullSafe(right)


def _pair_greater(types: dict[str, str], rule: RuleSpec, where: str) -> tuple[Column, Column]:
    from pyspark.sql import functions as F

    left, right = _columns(types, rule, where)
    greater = (left >= right) if rule.or_equal else (left > right)
    # One NULL can't be compared, which great-expectations on Spark lets pass.
    return looked_at([left, right], rule.ignore), F.coalesce(greater, F.lit(True))


def _pair_in_set(types: dict[str, str], rule: RuleSpec, where: str) -> tuple[Column, Column]:
    from pyspark.sql import functions as F

    found = [find(types, rule, name, where) for name in rule.columns]
    (left, a), (right, b) = [(F.col(quoted(name)), kind) for name, kind in found]

    def constant(value: Bound | None, kind: str) -> Column:
        return F.lit(None) if value is None else literal(rule, value, kind, where)

    among = [left.eqNullSafe(constant(x, a)) & right.eqNullSafe(constant(y, b)) for x, y in rule.pairs or ()]
    return looked_at([left, right], rule.ignore), reduce(lambda one, other: one | other, among)


def _columns_equal(types: dict[str, str], rule: RuleSpec, where: str) -> tuple[Column, Column]:
    from pyspark.sql import functions as F

    first, *others = columns = _columns(types, rule, where)
    same = reduce(lambda one, other: one & other, [first.eqNullSafe(each) for each in others], F.lit(True))
    return looked_at(columns, rule.ignore), same


def _columns_differ(types: dict[str, str], rule: RuleSpec, where: str) -> tuple[Column, Column]:
    from pyspark.sql import functions as F

    columns = _columns(types, rule, where)
    pairs = [left.eqNullSafe(right) for left, right in combinations(columns, 2)]
    return looked_at(columns, rule.ignore), ~reduce(lambda one, other: one | other, pairs, F.lit(False))


def _columns_sum_to(types: dict[str, str], rule: RuleSpec, where: str) -> tuple[Column, Column]:
    from pyspark.sql import functions as F

    columns = [numeric(types, rule, name, where) for name in rule.columns]
    kinds = [find(types, rule, name, where)[1] for name in rule.columns]
    # As decimals, so that the sum of large integers does not overflow.
    terms = [
        F.coalesce(column, F.lit(0)).cast("decimal(38,0)") if kind in INTEGERS else F.coalesce(column, F.lit(0))
        for column, kind in zip(columns, kinds, strict=True)
    ]
    return looked_at(columns, rule.ignore), reduce(lambda one, other: one + other, terms) == F.lit(rule.total)


ACROSS: dict[str, Across] = {
    "pair_equal": _pair_equal,
    "pair_greater": _pair_greater,
    "pair_in_set": _pair_in_set,
    "columns_equal": _columns_equal,
    "columns_differ": _columns_differ,
    "columns_sum_to": _columns_sum_to,
}
