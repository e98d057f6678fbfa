"""Which rows of a database table a batch reads: SQL predicates from pinned bounds. Pure text.

A window takes rows whose watermark lies in (lower − overlap, upper]. Spark sees times in whole
microseconds while databases may keep nanoseconds, so bounds of times are half-open at the next
microsecond: a row within the last one falls neither out of this window nor out of the next. Rows
without a watermark belong to every window. Ranges of partitions leave no gap and no overlap,
whatever arrives outside the bounds meanwhile; NULL is in the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from lakeloom.sources.jdbc.dialects import STANDARD, Literals

NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
EVERY_ROW = "1 = 1"


def family(kind: str) -> str | None:
    """Return ``number``, ``date``, ``time``, ``zoned`` or ``text`` for a Spark type, None for others."""
    if kind.startswith(NUMBERS):
        return "number"
    return {"date": "date", "timestamp_ntz": "time", "timestamp": "zoned", "string": "text"}.get(kind)


def literal(value: str, of: str, written: Literals = STANDARD) -> str:
    """Return a pinned value as an SQL literal; raises ValueError for what is no value of its family.

    Parameters
    ----------
    written : Literals
        How the database is told dates and times.
    """
    if of == "number":
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise ValueError("not a number") from None
        if not number.is_finite():
            raise ValueError("not a finite number")
        return format(number, "f") if abs(number.adjusted()) < 40 else str(number)
    if of == "date":
        return written.date.format(date.fromisoformat(value).isoformat())
    if of in ("time", "zoned"):
        text = datetime.fromisoformat(value).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        return (written.time if of == "time" else written.zoned).format(text)
    return "'" + value.replace("'", "''") + "'"


def since(lower: str | None, overlap: int, of: str) -> str | None:
    """Return the first value of a window after `lower`, less the overlap; None for a first window.

    Parameters
    ----------
    overlap : int
        Seconds for times and dates (whole days count), units for numbers, nothing for texts.
    """
    if lower is None:
        return None
    if of == "number":
        return str(Decimal(lower) - overlap)
    if of == "date":
        return (date.fromisoformat(lower) - timedelta(days=-(-overlap // 86_400))).isoformat()
    if of in ("time", "zoned"):
        return _next_microsecond(lower, -overlap)
    return lower


def window(column: str, first: str | None, upper: str | None, of: str, written: Literals = STANDARD) -> str:
    """Return the predicate of a window.

    Parameters
    ----------
    column : str
        The watermark, quoted for the database.
    first : str or None
        From `since`.
    upper : str or None
        The largest watermark of the batch; None where all are NULL.
    written : Literals
        As for `literal`.
    """
    parts = []
    if first is not None:
        # Times come with the microsecond already added, so the bound itself belongs to the window.
        parts.append(f"{column} {'>=' if of in ('time', 'zoned') else '>'} {literal(first, of, written)}")
    if upper is not None:
        timed = of in ("time", "zoned")
        bound = literal(_next_microsecond(upper) if timed else upper, of, written)
        parts.append(f"{column} {'<' if timed else '<='} {bound}")
    return f"({' AND '.join(parts)}) OR {column} IS NULL" if parts else f"{column} IS NULL"


def ranges(
    column: str, low: str | None, high: str | None, number: int, of: str, written: Literals = STANDARD
) -> list[str]:
    """Return at most `number` predicates on `column` that each row satisfies exactly one of."""
    try:
        edges = _edges(low, high, number, of) if low is not None and high is not None else []
    except (ValueError, ArithmeticError):  # a bound such as infinity or NaN, between which nothing lies evenly
        edges = []
    return between(column, edges, of, written)


def between(column: str, edges: Sequence[str], of: str, written: Literals = STANDARD) -> list[str]:
    """Return a predicate on `column` for each range that rising edges divide it into; NULL is in the first."""
    if not edges:
        return [EVERY_ROW]
    marks = [literal(edge, of, written) for edge in edges]
    inner = [f"{column} >= {left} AND {column} < {right}" for left, right in pairwise(marks)]
    return [f"{column} < {marks[0]} OR {column} IS NULL", *inner, f"{column} >= {marks[-1]}"]


def buckets(column: str, hashed: str, number: int) -> list[str]:
    """Return a predicate for each of `number` groups of a column's values; NULL is in the first.

    Parameters
    ----------
    hashed : str
        SQL of a whole number from 0 to `number` - 1, made of the column.
    """
    if number == 1:
        return [EVERY_ROW]
    return [f"{hashed} = {at}" + (f" OR {column} IS NULL" if at == 0 else "") for at in range(number)]


def blocks(total: int, number: int) -> list[str]:
    """Return a predicate for each of at most `number` ranges of a PostgreSQL table's blocks; the last has no end."""
    edges = sorted({total * index // number for index in range(1, number)} - {0})
    if not edges:
        return [EVERY_ROW]
    marks = [f"'({edge},0)'::tid" for edge in edges]
    inner = [f"ctid >= {left} AND ctid < {right}" for left, right in pairwise(marks)]
    return [f"ctid < {marks[0]}", *inner, f"ctid >= {marks[-1]}"]


def both(first: str, second: str) -> str:
    """Return the conjunction of two predicates."""
    if EVERY_ROW in (first, second):
        return first if second == EVERY_ROW else second
    return f"({first}) AND ({second})"


def _edges(low: str, high: str, number: int, of: str) -> Sequence[str]:
    found: list[str]
    if of == "number":
        start, end = Decimal(low), Decimal(high)
        if not (start.is_finite() and end.is_finite()):
            return []
        whole = start == start.to_integral_value() and end == end.to_integral_value()
        steps = [start + (end - start) * index / number for index in range(1, number)]
        found = [str(step.to_integral_value() if whole else step) for step in steps]
    else:
        begin, finish = datetime.fromisoformat(low), datetime.fromisoformat(high)
        times = [begin + (finish - begin) * index / number for index in range(1, number)]
        found = [time.date().isoformat() if of == "date" else time.isoformat() for time in times]
    return list(dict.fromkeys(edge for edge in found if low != high))


def _next_microsecond(value: str, seconds: int = 0) -> str:
    return (datetime.fromisoformat(value) + timedelta(seconds=seconds, microseconds=1)).isoformat()
