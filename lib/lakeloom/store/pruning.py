"""Which part of a table the rows of a merge can reach, by the statistics of its files.

A MERGE joins its source with the whole target to find what to touch. Where files hold ranges of a
key (tables that grow by number or date, or were clustered), most of them can't hold any of the new
rows' keys, and a condition on the target says so: Delta leaves out the files that fail it. Where the
ranges of all files overlap nothing is asked of the source, so that such a merge costs what it did.

The condition is one of ranges: the span of the table's values, as whole numbers, is cut into buckets,
one aggregate over the new rows finds the buckets that they fall in, and neighbours are put together. What lies
outside the span is in no file, so that looking there costs nothing; and it holds the rows that another
writer commits between this look and the merge's own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.store.whole import Whole, whole

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_FEWEST_FILES = 4
_DEEPEST = 0.34  # beyond this share of files that hold an average key, looking costs more than it saves
_MOST_HIT = 0.8  # where the new rows reach more of the files than this, the condition is left out
_RANGES = 48


@dataclass(frozen=True)
class Spread:
    """How a key's values lie in the files.

    Attributes
    ----------
    key : str
    whole : Whole
        How its values become whole numbers.
    bounds : list of (int, int)
        The least and the greatest value of each file.
    depth : float
        The share of the files that hold, on average, a file's least value: small where keys go with files.
    """

    key: str
    whole: Whole
    bounds: list[tuple[int, int]]
    depth: float

    @property
    def low(self) -> int:
        """The least value of the table."""
        return min(low for low, _ in self.bounds)

    @property
    def high(self) -> int:
        """The greatest value of the table."""
        return max(high for _, high in self.bounds)

    def hit(self, ranges: Sequence[tuple[int, int]]) -> float:
        """Return the share of the files that the ranges reach, which are in order and apart."""
        firsts, lasts = [first for first, _ in ranges], [last for _, last in ranges]
        # As many ranges begin by a file's end as have ended before it begins: none of them reaches it.
        missed = sum(bisect_right(firsts, high) == bisect_left(lasts, low) for low, high in self.bounds)
        return (len(self.bounds) - missed) / len(self.bounds)


def never_null(files: Any, keys: Sequence[str]) -> tuple[str, ...]:
    """Return those of the keys that are NULL in no row of the table, by the statistics of its files."""
    known = set(files.schema.names)
    counts = {key: files.column(f"null_count.{key}").to_pylist() for key in keys if f"null_count.{key}" in known}
    return tuple(key for key, found in counts.items() if all(count == 0 for count in found))


def reach(files: Any, frame: DataFrame, keys: Sequence[str]) -> str:
    """Return a condition on ``old`` that holds for every row of the table that a row of `frame` can match.

    Parameters
    ----------
    files : arro3 or pyarrow RecordBatch
        The target's files with their statistics, flat: ``DeltaTable.get_add_actions``.
    frame : DataFrame
        The new rows.
    keys : sequence of str
        The columns that must be equal.

    Returns
    -------
    str
        Empty where it would leave out too little.
    """
    if files.num_rows < _FEWEST_FILES:
        return ""
    kinds = dict(frame.dtypes)
    spreads = [spread for key in keys if (spread := _spread(files, key, kinds.get(key, ""))) is not None]
    best = min(spreads, key=lambda spread: spread.depth, default=None)
    if best is None or best.depth > _DEEPEST:
        return ""
    return _ranges(frame, best)


def depth(bounds: Sequence[tuple[int, int]]) -> float:
    """Return the share of files that hold, on average, the least value of a file; 1 / files where none overlap."""
    if not bounds:
        return 1.0
    lows, highs = sorted(low for low, _ in bounds), sorted(high for _, high in bounds)
    held, ended = 0, 0
    for index, low in enumerate(lows):
        while highs[ended] < low:
            ended += 1
        held += index + 1 - ended
    return held / len(bounds) ** 2


def together(buckets: Sequence[int], ranges: int = _RANGES) -> list[tuple[int, int]]:
    """Return runs (first, last) that cover the buckets, at most `ranges`: those least apart are put together."""
    if not buckets:
        return []
    marked = sorted(set(buckets))
    gaps = sorted(
        (index for index in range(1, len(marked)) if marked[index] - marked[index - 1] > 1),
        key=lambda index: marked[index] - marked[index - 1],
        reverse=True,
    )
    cuts = sorted(gaps[: ranges - 1])
    starts = [0, *cuts]
    ends = [*cuts, len(marked)]
    return [(marked[start], marked[end - 1]) for start, end in zip(starts, ends, strict=True)]


def _spread(files: Any, key: str, kind: str) -> Spread | None:
    if not {f"min.{key}", f"max.{key}"} <= set(files.schema.names):
        return None
    lows, highs = (files.column(f"{side}.{key}").to_pylist() for side in ("min", "max"))
    if any(value is None for value in (*lows, *highs)):
        return None  # a file without statistics, or of NULLs alone, could hold anything
    numbers = whole(kind, min(lows), max(highs))
    if numbers is None:
        return None
    bounds = [(numbers.number(low), numbers.number(high) + numbers.cut) for low, high in zip(lows, highs, strict=True)]
    return Spread(key, numbers, bounds, depth(bounds))


def _ranges(frame: DataFrame, spread: Spread) -> str:
    from pyspark.sql import functions as F

    of, low, high = spread.whole, spread.low, spread.high
    width = max(1, -(-(high - low + 1) // of.buckets))
    value = quoted(spread.key)
    # A bound that stands for a shorter text lets in what lies a little outside: it goes with its neighbours.
    above = f"least(greatest({of.sql(value)}, {low}L), {high}L) - {low}L"
    # Integer division: a quotient of doubles could fall into the next bucket where numbers are large.
    bucket = F.expr(f"({above}) div {width}L")
    row = frame.agg(
        F.collect_set(F.when(~F.expr(of.outside(value, low, high)), bucket)).alias("buckets"),
        F.count_if(F.col(value).isNull()).alias("nulls"),
    ).first()
    assert row is not None  # an aggregate without groups has one row
    runs = together(row["buckets"])
    found = [(low + first * width, min(low + (last + 1) * width - 1, high)) for first, last in runs]
    if spread.hit(found) > _MOST_HIT:
        return ""
    column = f"old.{value}"
    parts = [of.outside(column, low, high), *(of.between(column, *each) for each in found)]
    if row["nulls"]:
        parts.append(f"{column} IS NULL")
    return " OR ".join(parts)
