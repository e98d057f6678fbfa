"""Whether the texts in a rule (patterns, formats, durations, names) are well formed, found without Spark."""

from __future__ import annotations

import re
from datetime import datetime

from lakeloom.core import durations
from lakeloom.core.errors import ConfigError
from lakeloom.quality.arguments import Arguments
from lakeloom.quality.conditions import query_fault

TABLE = re.compile(r"(bronze|silver|gold|sources)\.[A-Za-z_][A-Za-z0-9_]*")
ESCAPE = "\\"


def misfit(expectation: str, given: Arguments) -> str | None:
    """Return what is wrong with the arguments of `expectation`, or None."""
    patterns = [*((given.pattern,) if given.pattern is not None else ()), *(given.patterns or ())]
    wrong = _like if "_like" in expectation else _regex
    for pattern in patterns:
        problem = wrong(pattern, given.escape or ESCAPE)
        if problem:
            return problem
    if given.query is not None:
        return query_fault(given.query)
    if given.format is not None:
        try:
            datetime.strptime(datetime(2000, 1, 1).strftime(given.format), given.format)
        except ValueError:
            return "the format is none of Python's strptime"
    if given.to is not None and not TABLE.fullmatch(given.to):
        return "'to' is a table, such as silver.customers, or a source, such as sources.orders"
    if given.within is not None:
        try:
            durations.parse(given.within)
        except ConfigError as wrong:
            return wrong.message
    for low, high in (given.quantiles or {}).values():
        if any(isinstance(bound, bool | str) for bound in (low, high)):
            return "a quantile's bounds are numbers"
    return None


def _regex(pattern: str, escape: str) -> str | None:
    del escape
    # Java's and Python's syntax differ in corners; what Python can't read either is a slip of the pen.
    try:
        re.compile(pattern)
    except re.error as cause:
        return f"the pattern does not compile: {cause}"
    return None


def _like(pattern: str, escape: str) -> str | None:
    """Refuse what Spark would refuse when the first row comes."""
    rest = pattern
    while escape in rest:
        _, _, rest = rest.partition(escape)
        if rest[:1] not in ("%", "_", escape) or not rest:
            return f"the escape {escape!r} of a LIKE pattern stands before %, _ or itself"
        rest = rest[1:]
    return None
