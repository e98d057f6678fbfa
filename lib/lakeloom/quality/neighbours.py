"""Rows judged by the other rows: repeated values, values far from the others, values out of order.

What is counted are rows, of which a share may break the rule. NULL is skipped; of several columns a row
is skipped where all of them are NULL, or as ``ignore`` says. Order needs ``order_by``: rows of a table
have none of their own, and sorting them takes one task.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from lakeloom.quality.across import looked_at
from lakeloom.quality.columns import FRACTIONS, NUMBERS, wrong
from lakeloom.quality.questions import Ask, Outcome, Question, Subject

if TYPE_CHECKING:
    from pyspark.sql import Column


def _unique(subject: Subject) -> Question:
    """Ask for the rows and the distinct keys; only where they differ are the repeated rows counted."""
    from pyspark.sql import functions as F

    rule = subject.rule
    columns = [subject.column(name)[0] for name in rule.reads()]
    present = looked_at(columns, rule.ignore)
    key = F.when(present, F.struct(*columns))

    def answer(found: Mapping[str, Any]) -> Outcome:
        checked, distinct = found["checked"], found["value"]
        broken = 0
        if checked != distinct:
            groups = subject.frame.where(present).groupBy(*columns).agg(F.count("*").alias("_rows"))
            row = groups.where("_rows > 1").agg(F.sum("_rows")).first()
            broken = row[0] if row else 0
        return Outcome(None, checked, broken, distinct)

    return Question(answer, {"checked": F.count_if(present), "value": F.count_distinct(key)})


def _counted(subject: Subject, column: Column, outside: Column) -> Outcome:
    """Return how many of the column's values lie outside, NULL being no value."""
    from pyspark.sql import functions as F

    row = subject.frame.agg(F.count(column), F.count_if(column.isNotNull() & outside)).first()
    assert row is not None  # an aggregate without groups has one row
    return Outcome(None, row[0], row[1])


def _number(subject: Subject) -> Column:
    column, kind = subject.column()
    if not kind.startswith(NUMBERS):
        raise wrong(subject.rule, f"column '{subject.rule.column}' is {kind}, not a number", subject.where)
    return column


def _z_score(subject: Subject) -> Question:
    from pyspark.sql import functions as F

    column, rule = _number(subject), subject.rule

    def answer(found: Mapping[str, Any]) -> Outcome:
        mean, deviation = _finite(found["mean"]), _finite(found["deviation"])
        if mean is None or not deviation:  # too few values, always the same, or a NaN: none is far from the others
            return Outcome(None, found["checked"])
        score = (column - F.lit(mean)) / F.lit(deviation)
        threshold = abs(rule.threshold or 0.0) if rule.double_sided else rule.threshold
        return _counted(subject, column, ~((F.abs(score) if rule.double_sided else score) < F.lit(threshold)))

    return Question(answer, {"mean": F.avg(column), "deviation": F.stddev_samp(column), "checked": F.count(column)})


def _outliers(subject: Subject) -> Question:
    """Ask for quartiles (interpolated, unlike `quantiles_between`) or mean and deviation."""
    from pyspark.sql import functions as F

    column, rule = _number(subject), subject.rule
    low, high, spread = F.percentile(column, F.lit(0.25)), F.percentile(column, F.lit(0.75)), None
    if rule.method == "std":
        low = high = F.avg(column)
        spread = F.stddev_samp(column)

    def answer(found: Mapping[str, Any]) -> Outcome:
        bottom, top = _finite(found["low"]), _finite(found["high"])
        width = top - bottom if top is not None and bottom is not None else None
        width = _finite(found["spread"]) if rule.method == "std" else width
        if bottom is None or top is None or width is None:
            return Outcome(None, found["checked"])
        reach = rule.multiplier * width
        if rule.method == "iqr":
            inside = (column >= F.lit(bottom - reach)) & (column <= F.lit(top + reach))
        elif reach <= 0:
            inside = column == F.lit(bottom)
        else:
            inside = F.abs(column - F.lit(bottom)) < F.lit(reach)
        return _counted(subject, column, ~inside)

    figures = {"low": low, "high": high, "checked": F.count(column)}
    return Question(answer, figures if spread is None else figures | {"spread": spread})


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(float(value)) else None


def _ordered(name: str, subject: Subject) -> Question:
    """Ask whether each value comes after the one before it in the order of ``order_by``."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    column, kind = subject.column()
    place, _ = subject.column(subject.rule.order_by)
    if not kind.startswith(NUMBERS) and kind not in ("date", "timestamp", "timestamp_ntz"):
        raise wrong(subject.rule, f"column '{subject.rule.column}' is {kind}, which does not increase", subject.where)

    def answer(found: Mapping[str, Any]) -> Outcome:
        rows = subject.frame.select(place.alias("place"), column.alias("value")).where("value IS NOT NULL")
        if kind in FRACTIONS:
            rows = rows.where(~F.isnan("value"))
        before = F.lag("value").over(Window.orderBy("place", "value"))
        value = F.col("value")
        if name == "increasing":
            wrong_way = value <= before if subject.rule.strictly else value < before
        else:
            wrong_way = value >= before if subject.rule.strictly else value > before
        row = rows.select(wrong_way.alias("broken")).agg(F.count_if("broken")).first()
        return Outcome(None, found["checked"], row[0] if row else 0)

    return Question(answer, {"checked": F.count(column)})


NEIGHBOURS: dict[str, Ask] = {
    "unique": _unique,
    "unique_together": _unique,
    "z_score_below": _z_score,
    "not_outliers": _outliers,
    "increasing": partial(_ordered, "increasing"),
    "decreasing": partial(_ordered, "decreasing"),
}
