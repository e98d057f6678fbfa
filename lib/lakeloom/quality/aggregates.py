"""Table rules: uniqueness, row counts, means and bounds over a whole table, all in one aggregate.

NULL is skipped as great-expectations does it; a statistic of no values is NULL and breaks its rule.
A key of several columns is skipped only where all of them are NULL.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakeloom.quality.results import RuleResult
from lakeloom.quality.spec import RuleSpec, require_unique
from lakeloom.quality.verdicts import find, quoted, within

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def audit(frame: DataFrame, rules: Sequence[RuleSpec], where: str = "") -> list[RuleResult]:
    """Return what the table rules among `rules` find on the whole of `frame`, in the rules' order.

    It raises nothing for a broken rule: pass the results to `lakeloom.quality.results.require` with
    LL-RULE-002 once the table was restored.

    Raises
    ------
    RuleError
        LL-RULE-003 where a rule is wrong.
    """
    from pyspark.sql import functions as F

    require_unique(rules)
    mine = [rule for rule in rules if rule.scope == "table"]
    if not mine:
        return []
    types = dict(frame.dtypes)
    figures: list[Column] = [F.count("*").alias("rows")]
    for index, rule in enumerate(mine):
        figures += [column.alias(f"{name}_{index}") for name, column in _figures(rule, types, where).items()]
    row = frame.agg(*figures).first()
    assert row is not None  # an aggregate without groups has one row
    found = row.asDict()
    return [_result(rule, index, found) for index, rule in enumerate(mine)]


def _figures(rule: RuleSpec, types: dict[str, str], where: str) -> dict[str, Column]:
    from pyspark.sql import functions as F

    assert rule.expectation is not None
    kind = rule.expectation.name
    if kind == "row_count_between":
        return {"value": F.count("*")} | _inside(rule, F.count("*"), "bigint", where)
    if kind in ("unique", "unique_together"):
        names = [find(types, rule, column, where)[0] for column in rule.reads()]
        columns = [F.col(quoted(name)) for name in names]
        present = columns[0].isNotNull()
        for column in columns[1:]:
            present = present | column.isNotNull()
        key = F.when(present, F.struct(*columns))
        return {"checked": F.count(key), "value": F.count_distinct(key)}
    assert rule.column is not None
    name, of = find(types, rule, rule.column, where)
    column = F.col(quoted(name))
    statistic, result = {
        "mean_between": (F.avg, "double"),
        "sum_between": (F.sum, "double"),
        "stdev_between": (F.stddev_samp, "double"),
        "min_between": (F.min, of),
        "max_between": (F.max, of),
        "distinct_count_between": (F.count_distinct, "bigint"),
    }[kind]
    if kind in ("mean_between", "sum_between", "stdev_between"):
        column = column.try_cast("double") if of == "string" else column.cast("double")
    value = statistic(column)
    return {"value": value} | _inside(rule, value, result, where)


def _inside(rule: RuleSpec, value: Column, kind: str, where: str) -> dict[str, Column]:
    from pyspark.sql import functions as F

    return {"holds": F.coalesce(within(rule, value, kind, where), F.lit(False))}


def _result(rule: RuleSpec, index: int, found: dict[str, Any]) -> RuleResult:
    value = found[f"value_{index}"]
    if f"checked_{index}" in found:
        checked = found[f"checked_{index}"]
        broken = checked - value
        passed = broken <= (rule.at_most or 0.0) * checked
    else:
        checked, broken, passed = found["rows"], 0, found[f"holds_{index}"]
    stops = not passed and rule.otherwise == "fail"
    column = rule.column or (", ".join(rule.columns) or None)
    return RuleResult(rule.title, column, rule.otherwise, checked, broken, bool(passed), stops, _plain(value))


def _plain(value: Any) -> int | float | str | None:
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
