"""A table's columns: which there are, in what order and of what type. No row is read.

The platform's own columns, whose names start with ``_``, are no part of the shape. A type is told by the
class of `pyspark.sql.types` that it is an instance of (``NumericType`` takes every number), as in
great-expectations, or by its name in SQL (``decimal(10,2)``).
"""

from __future__ import annotations

from lakeloom.quality.columns import find, wrong
from lakeloom.quality.questions import Ask, Outcome, Question, Subject


def _said(passed: bool, observed: object = None) -> Question:
    return Question(lambda found: Outcome(passed, observed=observed))


def _exists(subject: Subject) -> Question:
    names, wanted = list(subject.types), subject.rule.column
    if not subject.rule.index:  # as in great-expectations, 0 is no place either
        return _said(wanted in names)
    index = subject.rule.index
    return _said(-len(names) <= index < len(names) and names[index] == wanted)


def _type(subject: Subject) -> Question:
    types = subject.rule.types or (str(subject.rule.type),)
    name, kind = find(dict(subject.frame.dtypes), subject.rule, str(subject.rule.column), subject.where)
    return _said(any(_is(subject, name, each) for each in types), kind)


def _is(subject: Subject, column: str, wanted: str) -> bool:
    from pyspark.errors import ParseException
    from pyspark.sql import types as t

    actual = subject.frame.schema[column].dataType
    named = getattr(t, wanted, None)
    if isinstance(named, type) and issubclass(named, t.DataType):
        return isinstance(actual, named)
    try:
        return bool(t.DataType.fromDDL(wanted) == actual)
    except (ParseException, ValueError):
        raise wrong(subject.rule, f"'{wanted}' is no type of Spark", subject.where) from None


def _count_between(subject: Subject) -> Question:
    rule, count = subject.rule, len(subject.types)
    for bound in (rule.min, rule.max):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
            raise wrong(rule, "the number of columns has whole bounds", subject.where)
    return _said((rule.min is None or count >= rule.min) and (rule.max is None or count <= rule.max), count)  # type: ignore[operator]


def _count_equals(subject: Subject) -> Question:
    count = len(subject.types)
    return _said(count == subject.rule.value, count)


def _match_list(subject: Subject) -> Question:
    return _said(list(subject.types) == list(subject.rule.columns), ", ".join(subject.types))


def _match_set(subject: Subject) -> Question:
    actual, wanted = set(subject.types), set(subject.rule.columns)
    return _said(wanted == actual if subject.rule.exact else wanted <= actual, ", ".join(subject.types))


SHAPE: dict[str, Ask] = {
    "column_exists": _exists,
    "column_type": _type,
    "of_type": _type,
    "in_type_list": _type,
    "column_count_between": _count_between,
    "column_count_equals": _count_equals,
    "columns_match_list": _match_list,
    "columns_match_set": _match_set,
}
