"""Figures of a column held against bounds: mean, median, quantiles, extremes, counts and shares.

NULL is skipped as great-expectations does it; a figure of no values is NULL and breaks its rule. Median
and quantiles are exact: they hold the column's distinct values in one task, as great-expectations does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.quality.columns import find, within
from lakeloom.quality.questions import Ask, Outcome, Question, Subject

if TYPE_CHECKING:
    from pyspark.sql import Column

# How far beyond a bound a quantile may lie, relative and absolute: great-expectations' tolerance.
_RELATIVE, _ABSOLUTE = 1e-4, 1e-8


def held(subject: Subject, value: Column, kind: str) -> Question:
    """Return the question whether `value`, of Spark type `kind`, lies within the rule's bounds."""
    from pyspark.sql import functions as F

    inside = F.coalesce(within(subject.rule, value, kind, subject.where), F.lit(False))
    return Question(
        lambda found: Outcome(bool(found["holds"]), observed=found["value"]), {"value": value, "holds": inside}
    )


def _statistic(name: str, subject: Subject) -> Question:
    from pyspark.sql import functions as F

    column, kind = subject.column()
    as_number = column.try_cast("double") if kind == "string" else column.cast("double")
    match name:
        case "mean_between":
            return held(subject, F.avg(as_number), "double")
        case "sum_between":
            return held(subject, F.sum(as_number), "double")
        case "stdev_between":
            return held(subject, F.stddev_samp(as_number), "double")
        case "median_between":
            middle = (at_rank(subject, 0.5) + at_rank(subject, 0.5, "DESC")) / 2
            return held(subject, middle, "double")
        case "min_between":
            return held(subject, F.min(column), kind)
        case "max_between":
            return held(subject, F.max(column), kind)
        case "distinct_count_between":
            return held(subject, F.count_distinct(column), "bigint")
        case "unique_share_between":
            share = F.count_distinct(column) / F.nullif(F.count(column), F.lit(0))
        case _:
            share = F.count(column) / F.nullif(F.count("*"), F.lit(0))
    return held(subject, F.coalesce(share, F.lit(0.0)), "double")


def _quantiles(subject: Subject) -> Question:
    ranges = dict(subject.rule.quantiles or {})

    def answer(found: Mapping[str, Any]) -> Outcome:
        values = [found[f"at_{index}"] for index in range(len(ranges))]
        inside = [_near(value, *bounds) for value, bounds in zip(values, ranges.values(), strict=True)]
        told = ", ".join(f"{quantile:g}: {value}" for quantile, value in zip(ranges, values, strict=True))
        return Outcome(all(inside), observed=told)

    return Question(answer, {f"at_{index}": at_rank(subject, quantile) for index, quantile in enumerate(ranges)})


def _near(value: float | None, low: Any, high: Any) -> bool:
    if value is None:
        return False
    above = low is None or low <= value or abs(value - low) <= _ABSOLUTE + _RELATIVE * abs(low)
    below = high is None or value <= high or abs(value - high) <= _ABSOLUTE + _RELATIVE * abs(high)
    return above and below


def at_rank(subject: Subject, quantile: float, order: str = "ASC") -> Column:
    """Return the value at a quantile's rank, one of the column's own; NULL and NaN have no rank."""
    from pyspark.sql import functions as F

    name, kind = find(dict(subject.frame.dtypes), subject.rule, str(subject.rule.column), subject.where)
    number = f"nanvl({'try_cast' if kind == 'string' else 'cast'}({quoted(name)} AS DOUBLE), NULL)"
    return F.expr(f"percentile_disc({float(quantile)!r}D) WITHIN GROUP (ORDER BY {number} {order})")


def _row_count(subject: Subject) -> Question:
    from pyspark.sql import functions as F

    return held(subject, F.count("*"), "bigint")


def _row_count_equals(subject: Subject) -> Question:
    from pyspark.sql import functions as F

    wanted = subject.rule.value
    return Question(lambda found: Outcome(found["value"] == wanted, observed=found["value"]), {"value": F.count("*")})


_STATISTICS = (
    "mean_between",
    "sum_between",
    "stdev_between",
    "median_between",
    "min_between",
    "max_between",
    "distinct_count_between",
    "unique_share_between",
    "non_null_share_between",
)
FIGURES: dict[str, Ask] = {name: partial(_statistic, name) for name in _STATISTICS} | {
    "quantiles_between": _quantiles,
    "row_count_between": _row_count,
    "row_count_equals": _row_count_equals,
}
