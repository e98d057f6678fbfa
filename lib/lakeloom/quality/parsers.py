"""What Python's parsers take: predicates for Spark's Python workers, False for NULL and for what can't be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

_MISSING_PARTS = datetime(2000, 1, 1)


def is_json(text: str | None) -> bool:
    """Return whether `text` is JSON to Python, which takes NaN and Infinity too."""
    if text is None:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_date(text: str | None) -> bool:
    """Return whether dateutil reads a date or time in `text`."""
    from dateutil.parser import parse  # type: ignore[import-untyped]

    if text is None:
        return False
    try:
        parse(text, default=_MISSING_PARTS)
    except (ValueError, OverflowError, TypeError):
        return False
    return True


def has_format(form: str) -> Callable[[str | None], bool]:
    """Return a predicate: whether a text has the form `form` of ``strptime``."""

    def check(text: str | None) -> bool:
        if text is None:
            return False
        try:
            datetime.strptime(text, form)
        except ValueError:
            return False
        return True

    return check
