"""What came out against what was expected, as rows: missing, unexpected, and those that differ in a value.

Floating-point numbers are equal within a billionth. Pure; nothing here knows Spark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Difference:
    """How two lists of rows differ.

    Attributes
    ----------
    missing : tuple of dict
        Expected rows that did not come.
    unexpected : tuple of dict
        Rows that came and were not expected.
    differing : tuple of (dict, dict)
        Pairs (expected, got) of rows that are the same row by key, or else nearly the same.
    """

    missing: tuple[Row, ...]
    unexpected: tuple[Row, ...]
    differing: tuple[tuple[Row, Row], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.differing)

    def __str__(self) -> str:
        lines = []
        for wanted, got in self.differing:
            other = [name for name in wanted if not same(wanted[name], got[name])]
            lines.append(f"differs     {shown({name: wanted[name] for name in wanted if name not in other})}")
            width = max(map(len, other))
            lines += [f"  {name:<{width}}  expected {value(wanted[name])}, got {value(got[name])}" for name in other]
        lines += [f"missing     {shown(row)}" for row in self.missing]
        lines += [f"unexpected  {shown(row)}" for row in self.unexpected]
        return "\n".join(lines)


NONE = Difference((), ())


def difference(expected: Sequence[Row], got: Sequence[Row], keys: Sequence[str], *, ordered: bool) -> Difference:
    """Return how `got` differs from `expected`; both name the same columns.

    Parameters
    ----------
    keys : sequence of str
        The table's keys: they tell which two rows are one row that differs.
    ordered : bool
        Whether the rows must come in this order.
    """
    if ordered:
        return _in_order(expected, got)
    left, right = list(expected), list(got)
    for row in expected:
        twin = next((index for index, other in enumerate(right) if _equal(row, other)), None)
        if twin is not None:
            left.remove(row)
            del right[twin]
    pairs = []
    for row in list(left):
        other = _likest(row, right, keys)
        if other is not None:
            pairs.append((row, other))
            left.remove(row)
            right.remove(other)
    return Difference(tuple(left), tuple(right), tuple(pairs))


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal; floating-point numbers nearly, NaN with NaN."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | dict) and isinstance(other, list | dict):
        return not one and not other  # Arrow gives an empty map as an empty list
    return bool(one == other) and (one is None) == (other is None)


def shown(row: Row) -> str:
    """Return a row as people read it."""
    return ", ".join(f"{name}: {value(each)}" for name, each in row.items()) or "(a row)"


def value(each: Any) -> str:
    """Return a value as people would write it in YAML."""
    if each is None:
        return "null"
    if isinstance(each, bool):
        return str(each).lower()
    if isinstance(each, str):
        return f'"{each}"' if not each or each != each.strip() else each
    if isinstance(each, list):
        return f"[{', '.join(map(value, each))}]"
    if isinstance(each, dict):
        return f"{{{shown(each)}}}"
    return str(each)


def _in_order(expected: Sequence[Row], got: Sequence[Row]) -> Difference:
    pairs = [(row, other) for row, other in zip(expected, got, strict=False) if not _equal(row, other)]
    return Difference(tuple(expected[len(got) :]), tuple(got[len(expected) :]), tuple(pairs))


def _equal(row: Row, other: Row) -> bool:
    return all(same(row[name], other[name]) for name in row)


def _likest(row: Row, others: Sequence[Row], keys: Sequence[str]) -> Row | None:
    """Return the row of the same key; where no keys are named, the one that shares most values, at least half."""
    if keys and all(key in row for key in keys):
        return next((other for other in others if all(same(row[key], other[key]) for key in keys)), None)
    shares = [sum(same(row[name], other[name]) for name in row) for other in others]
    best = max(shares, default=0)
    return others[shares.index(best)] if best * 2 >= len(row) and best else None
