"""Expectations on one value of a row, as Spark expressions; NULL is decided before them.

JSON, dates and formats are what Python's own parsers take, as in great-expectations, and run in Spark's
Python workers within the same pass. A date's missing parts are those of 2000-01-01 and not of today: a
replay would judge otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import reduce
from typing import TYPE_CHECKING

from lakeloom.quality.columns import literal, within
from lakeloom.quality.patterns import ESCAPE
from lakeloom.quality.spec import RuleSpec

if TYPE_CHECKING:
    from pyspark.sql import Column

_PLAIN = re.compile(r"(\^?)([A-Za-z0-9 _-]+)")
Holds = Callable[[RuleSpec, "Column", str, str], "Column"]


def _lengths(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    return within(rule, _length(value, kind), "int", where)


def _length_equals(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    del where
    return _length(value, kind) == rule.value


def _length(value: Column, kind: str) -> Column:
    from pyspark.sql import functions as F

    return F.length(value) if kind == "binary" else F.char_length(value.cast("string"))


def _in_set(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    return value.isin(*[literal(rule, each, kind, where) for each in rule.values or ()])


def _not_in_set(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    return ~_in_set(rule, value, kind, where)


def _found(text: Column, pattern: str) -> Column:
    """Return whether a pattern is found in a text; one without signs as a text, which takes a fraction of the time."""
    plain = _PLAIN.fullmatch(pattern)
    if plain is None:
        return text.rlike(pattern)
    return text.startswith(plain[2]) if plain[1] else text.contains(plain[2])


def _regex(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    del kind, where
    found = [_found(value.cast("string"), pattern) for pattern in _patterns(rule)]
    return _combined(rule, found)


def _no_regex(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    del kind, where
    return ~_any(_found(value.cast("string"), pattern) for pattern in _patterns(rule))


def _like(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    del kind, where
    return _combined(rule, [_likeness(rule, value, pattern) for pattern in _patterns(rule)])


def _no_like(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    del kind, where
    return ~_any(_likeness(rule, value, pattern) for pattern in _patterns(rule))


def _likeness(rule: RuleSpec, value: Column, pattern: str) -> Column:
    from pyspark.sql import functions as F

    return F.like(value.cast("string"), F.lit(pattern), F.lit(rule.escape or ESCAPE))


def _patterns(rule: RuleSpec) -> tuple[str, ...]:
    return (rule.pattern,) if rule.pattern is not None else rule.patterns or ()


def _combined(rule: RuleSpec, found: list[Column]) -> Column:
    return _any(found) if rule.match_on == "any" else reduce(lambda left, right: left & right, found)


def _any(found: Iterable[Column]) -> Column:
    return reduce(lambda left, right: left | right, found)


def _json(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    del rule, kind, where
    from lakeloom.quality.parsers import is_json

    return _told_by(is_json, value)


def _date(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    del rule, kind, where
    from lakeloom.quality.parsers import is_date

    return _told_by(is_date, value)


def _format(rule: RuleSpec, value: Column, kind: str, where: str) -> Column:
    del kind, where
    from lakeloom.quality.parsers import has_format

    return _told_by(has_format(str(rule.format)), value)


def _told_by(check: Callable[[str | None], bool], value: Column) -> Column:
    from pyspark.sql import functions as F

    return F.udf(check, "boolean")(value.cast("string"))


VALUES: dict[str, Holds] = {
    "values_between": within,
    "in_set": _in_set,
    "not_in_set": _not_in_set,
    "match_regex": _regex,
    "not_match_regex": _no_regex,
    "match_regex_list": _regex,
    "not_match_regex_list": _no_regex,
    "match_like": _like,
    "not_match_like": _no_like,
    "match_like_list": _like,
    "not_match_like_list": _no_like,
    "length_between": _lengths,
    "length_equals": _length_equals,
    "json_parseable": _json,
    "date_parseable": _date,
    "match_format": _format,
}
