"""Which part of a table the rows of a merge can reach, by the statistics and partitions of its files.

A MERGE joins its source with the whole target to find what to touch. Where files hold ranges of a
key (tables that grow by number or date, that were clustered, or are partitioned by it), most of them
can't hold any of the new rows' keys, and a condition on the target says so: files that fail it are not
read. Where the ranges of all files overlap nothing is asked of the source, so that such a merge costs
what it did.

The condition is one of ranges: the span of the table's values, as whole numbers, is cut into buckets,
one aggregate over the new rows finds the buckets that they fall in, and neighbours are put together. What lies
outside the span is in no file, so that looking there costs nothing; and it holds the rows that another
writer commits between this look and the merge's own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
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
class Reach:
    """What the new rows can reach.

    Attributes
    ----------
    condition : str
        SQL over ``old`` that holds for every row of the table that a new row can match; empty where that would
        leave out too little.
    missed : frozenset of str
        The files, by their paths, that hold none of these rows.
    rows : int or None
        How many the new rows are, where they were counted.
    """

    condition: str = ""
    missed: frozenset[str] = frozenset()
    rows: int | None = None


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
    empty : list of bool
        Whether each file may hold a row without the key.
    """

    key: str
    whole: Whole
    bounds: list[tuple[int, int]]
    depth: float
    empty: list[bool] = field(default_factory=list)

    @property
    def low(self) -> int:
        """The least value of the table."""
        return min(low for low, _ in self.bounds)

    @property
    def high(self) -> int:
        """The greatest value of the table."""
        return max(high for _, high in self.bounds)

    def hit(self, ranges: Sequence[tuple[int, int]], *, nulls: bool) -> list[bool]:
        """Return of each file whether the ranges reach it, which are in order and apart; or a key that is NULL."""
        firsts, lasts = [first for first, _ in ranges], [last for _, last in ranges]
        # As many ranges begin by a file's end as have ended before it begins: none of them reaches it.
        return [
            (nulls and empty) or bisect_right(firsts, high) != bisect_left(lasts, low)
            for (low, high), empty in zip(self.bounds, self.empty, strict=True)
        ]


def never_null(files: Any, keys: Sequence[str]) -> tuple[str, ...]:
    """Return those of the keys that are NULL in no row of the table, by the statistics of its files."""
    known = set(files.schema.names)
    counts = {key: files.column(f"null_count.{key}").to_pylist() for key in keys if f"null_count.{key}" in known}
    return tuple(key for key, found in counts.items() if all(count == 0 for count in found))


def reach(files: Any, frame: DataFrame, keys: Sequence[str]) -> Reach:
    """Return what the rows of `frame` can reach.

    Parameters
    ----------
    files : arro3 or pyarrow RecordBatch
        The target's files with their statistics, flat: ``DeltaTable.get_add_actions``.
    frame : DataFrame
        The new rows.
    keys : sequence of str
        The columns that must be equal.
    """
    if files.num_rows < _FEWEST_FILES:
        return Reach()
    kinds = dict(frame.dtypes)
    spreads = [spread for key in keys if (spread := _spread(files, key, kinds.get(key, ""))) is not None]
    best = min(spreads, key=lambda spread: spread.depth, default=None)
    if best is None or best.depth > _DEEPEST:
        return Reach()
    return _ranges(frame, best, files.column("path").to_pylist())


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
    names = set(files.schema.names)
    inside = f"partition.{key}" in names  # a partition's files hold one value of it, and no statistics of it
    if not inside and not {f"min.{key}", f"max.{key}"} <= names:
        return None
    sides = (f"partition.{key}",) * 2 if inside else (f"min.{key}", f"max.{key}")
    lows, highs = (files.column(side).to_pylist() for side in sides)
    if any(value is None for value in (*lows, *highs)):
        return None  # a file without statistics, or of NULLs alone, could hold anything
    numbers = whole(kind, min(lows), max(highs))
    if numbers is None:
        return None
    bounds = [(numbers.number(low), numbers.number(high) + numbers.cut) for low, high in zip(lows, highs, strict=True)]
    counts = files.column(f"null_count.{key}").to_pylist() if f"null_count.{key}" in names else [None] * len(bounds)
    return Spread(key, numbers, bounds, depth(bounds), [not inside and count != 0 for count in counts])


def _ranges(frame: DataFrame, spread: Spread, paths: Sequence[str]) -> Reach:
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
        F.count("*").alias("rows"),
    ).first()
    assert row is not None  # an aggregate without groups has one row
    runs = together(row["buckets"])
    found = [(low + first * width, min(low + (last + 1) * width - 1, high)) for first, last in runs]
    hit = spread.hit(found, nulls=bool(row["nulls"]))
    if sum(hit) > _MOST_HIT * len(hit):
        return Reach(rows=row["rows"])
    column = f"old.{value}"
    parts = [of.outside(column, low, high), *(of.between(column, *each) for each in found)]
    if row["nulls"]:
        parts.append(f"{column} IS NULL")
    missed = frozenset(path for path, reached in zip(paths, hit, strict=True) if not reached)
    return Reach(" OR ".join(parts), missed, row["rows"])
