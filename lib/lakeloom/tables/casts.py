"""Casts between Spark's types: those that lose nothing, those that must be looked at value by value, and the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column

# Casts that lose nothing: from → to.
_WIDER = {
    "tinyint": {"smallint", "int", "bigint", "float", "double"},
    "smallint": {"int", "bigint", "float", "double"},
    "int": {"bigint", "double"},
    "float": {"double"},
    "date": {"timestamp"},
}
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_NUMBERS = re.compile(r"tinyint|smallint|int|bigint|float|double|decimal\(\d+,\d+\)")
_TIMES = ("date", "timestamp", "timestamp_ntz")
_ALIASES = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "real": "float"}
_WIDEST = "decimal(38,18)"


def spelled(kind: str) -> str:
    """Return a type as Spark's ``simpleString`` spells it: ``DECIMAL(10, 2)`` is ``decimal(10,2)``."""
    text = re.sub(r"\s+", "", kind.lower())
    text = re.sub(r"\b(integer|long|short|byte|real)\b", lambda found: _ALIASES[found.group()], text)
    return re.sub(r"\b(decimal|numeric|dec)\b(?!\()", "decimal(10,0)", text)


def lossless(got: str, want: str) -> bool:
    """Return whether every value of the type `got` has its like in `want`."""
    if got in (want, "void") or want in _WIDER.get(got, ()):
        return True
    if want.startswith("decimal("):
        whole, scale = _size(got)
        wider, longer = _size(want)
        return whole >= 0 and longer >= scale and wider >= whole
    return got.startswith("decimal(") and want == "double"


def meet(got: str, want: str) -> bool:
    """Return whether some values of `got` can be values of `want`, so that each must be looked at."""
    if "string" in (got, want):
        other = want if got == "string" else got
        return not other.startswith(("array<", "map<", "struct<", "binary", "variant"))
    both = (got, want)
    return all(_NUMBERS.fullmatch(kind) for kind in both) or all(kind in _TIMES for kind in both)


def fits(value: Column, got: str, want: str) -> tuple[Column, Column]:
    """Return the value in the type `want`, NULL where it can't be, and whether nothing is lost (true for NULL)."""
    from pyspark.sql import functions as F

    text = F.trim(value) if got == "string" else value
    cast = text.try_cast(want)
    held = cast.isNotNull()
    if want == "string" or (got == "string" and not want.startswith("decimal(")):
        return cast, value.isNull() | held
    if got == "string":
        # A decimal rounds what has more digits behind the point than it holds.
        held = held & (text.try_cast(_WIDEST) == cast.cast(_WIDEST))
    elif got in ("float", "double") and want.startswith("decimal("):
        held = held & (cast.cast(got) == value)
    else:
        held = held & (cast.try_cast(got) == value)
    return cast, value.isNull() | F.coalesce(held, F.lit(False))


def _size(kind: str) -> tuple[int, int]:
    """Return (digits before the point, after it) of a whole or decimal type; -1 digits for others."""
    if kind in _DIGITS:
        return _DIGITS[kind], 0
    if not kind.startswith("decimal("):
        return -1, 0
    precision, scale = (int(part) for part in kind[8:-1].split(","))
    return precision - scale, scale
