"""Reconciliation: counts and sums of the table against another table, or what the source's database counts.

Both sides are grouped by the same columns, or not at all, and joined; a group that one side lacks counts
as 0 there. A sum without values is 0. Whole numbers and decimals of two tables are summed and compared exactly,
what a database sums and floating-point numbers as doubles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.quality.columns import find
from lakeloom.quality.questions import Ask, Outcome, Question, Subject

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


_WHOLE = ("tinyint", "smallint", "int", "bigint")


def totals(subject: Subject, frame: DataFrame, by: Sequence[str], sums: Sequence[str]) -> DataFrame:
    """Return ``key_0`` …, ``count`` and ``sum_0`` … of each group of `frame`; raises LL-RULE-003."""
    from pyspark.sql import functions as F

    kinds = dict(frame.dtypes)

    def column(name: str) -> Column:
        return F.col(quoted(find(kinds, subject.rule, name, subject.where)[0]))

    def addend(name: str) -> Column:
        kind = kinds[find(kinds, subject.rule, name, subject.where)[0]]
        if kind in _WHOLE:
            return column(name).cast("decimal(20,0)")
        return column(name) if kind.startswith("decimal") else column(name).cast("double")

    added = [F.sum(addend(name)).alias(f"sum_{place}") for place, name in enumerate(sums)]
    keys = [column(name).alias(f"key_{place}") for place, name in enumerate(by)]
    return frame.groupBy(*keys).agg(F.count("*").alias("count"), *added)


def _reconciles(subject: Subject) -> Question:
    from pyspark.sql import functions as F

    rule = subject.rule
    ours = totals(subject, subject.frame, tuple(rule.by), tuple(rule.sums))
    there = subject.background
    if rule.asks_source:
        theirs = there.totals(str(rule.to), tuple(rule.by.values()), tuple(rule.sums.values()))
    else:
        theirs = totals(subject, there.table(str(rule.to)), tuple(rule.by.values()), tuple(rule.sums.values()))
    figures = ["count", *(f"sum_{place}" for place in range(len(rule.sums)))]
    keys = [f"key_{place}" for place in range(len(rule.by))]
    kinds = dict(ours.dtypes)
    same = [F.col(f"o.{key}").eqNullSafe(F.col(f"t.{key}").try_cast(kinds[key])) for key in keys]
    joined = ours.alias("o").join(theirs.alias("t"), same or F.lit(True), "full")

    exact = {figure for figure in figures if "double" not in (kinds[figure], dict(theirs.dtypes)[figure])}

    def value(side: str, figure: str) -> Column:
        found = F.col(f"{side}.{figure}")
        return F.coalesce(found if figure in exact else found.cast("double"), F.lit(0))

    apart = [_apart(value("o", figure), value("t", figure), rule.tolerance, rule.relative) for figure in figures]

    def answer(found: Mapping[str, Any]) -> Outcome:
        del found
        row = joined.agg(
            F.count("*").alias("groups"),
            F.count_if(reduce(lambda one, other: one | other, apart)).alias("apart"),
            *[F.sum(value(side, figure)).alias(f"{side}_{figure}") for side in "ot" for figure in figures],
        ).first()
        assert row is not None  # an aggregate without groups has one row
        names = ("count", *rule.sums)
        told = "; ".join(
            f"{name} {_shown(row[f'o_{figure}'])} and {_shown(row[f't_{figure}'])}"
            for name, figure in zip(names, figures, strict=True)
        )
        return Outcome(None, row["groups"], row["apart"], told)

    return Question(answer)


def _shown(figure: float | Decimal | None) -> str:
    if isinstance(figure, Decimal):
        return f"{figure.normalize():f}"
    return f"{figure or 0:.15g}"


def _apart(ours: Column, theirs: Column, tolerance: float, relative: float) -> Column:
    from pyspark.sql import functions as F

    difference = F.abs(ours - theirs).cast("double")
    return ~((difference <= F.lit(tolerance)) | (difference <= F.lit(relative) * F.abs(theirs).cast("double")))


RECONCILIATION: dict[str, Ask] = {"reconciles": _reconciles}
