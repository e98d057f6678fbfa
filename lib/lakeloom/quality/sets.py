"""Which values occur in a column, against a set; NULL is no value.

A set's values count once, in the column's type, however often and however they are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.quality.columns import literal
from lakeloom.quality.questions import Ask, Outcome, Question, Subject

if TYPE_CHECKING:
    from pyspark.sql import Column


def _members(subject: Subject, kind: str) -> list[Column]:
    rule = subject.rule
    values = {str(each) if kind == "string" else each: each for each in rule.values or ()}
    return [literal(rule, value, kind, subject.where) for value in values.values()]


def _distinct(subject: Subject, *, foreign: bool, missing: bool) -> Question:
    """Ask how many distinct values are outside the set, and how many of the set do not occur."""
    from pyspark.sql import functions as F

    column, kind = subject.column()
    members = _members(subject, kind)
    among = column.isin(*members)

    def answer(found: Mapping[str, Any]) -> Outcome:
        wrong = (found["foreign"] if foreign else 0) + (len(members) - found["known"] if missing else 0)
        return Outcome(wrong == 0, observed=wrong)

    figures = {"known": F.count_distinct(F.when(among, column)), "foreign": F.count_distinct(F.when(~among, column))}
    return Question(answer, figures)


def _in_set(subject: Subject) -> Question:
    return _distinct(subject, foreign=True, missing=False)


def _contain_set(subject: Subject) -> Question:
    return _distinct(subject, foreign=False, missing=True)


def _equal_set(subject: Subject) -> Question:
    return _distinct(subject, foreign=True, missing=True)


def _most_common(subject: Subject) -> Question:
    """Ask for the values of the highest count; they need groups, and so a pass over the column of their own."""
    from pyspark.sql import functions as F

    column, kind = subject.column()
    among = F.col("value").isin(*_members(subject, kind))

    def answer(found: Mapping[str, Any]) -> Outcome:
        del found
        counts = subject.frame.select(column.alias("value")).where("value IS NOT NULL").groupBy("value").count()
        levels = counts.groupBy("count").agg(F.count("*").alias("tied"), F.count_if(among).alias("inside"))
        highest = levels.orderBy(F.desc("count")).first()
        if highest is None:
            return Outcome(passed=False, observed=0)
        passed = highest["inside"] > 0 if subject.rule.ties else highest["tied"] == 1 == highest["inside"]
        return Outcome(passed, observed=highest["count"])

    return Question(answer)


SETS: dict[str, Ask] = {
    "distinct_in_set": _in_set,
    "distinct_contain_set": _contain_set,
    "distinct_equal_set": _equal_set,
    "most_common_in_set": _most_common,
}
