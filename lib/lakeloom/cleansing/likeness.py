"""Likeness of texts, and which rows of a block hang together by it: Spark expressions over arrays.

A block's rows are an array, and its groups are found in one pass over it: each row is compared with
those before it, and takes the smallest label among the groups that it is like, which become one. That
is exact, needs no rounds, and stays in the JVM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.cleansing.text import SPACES

if TYPE_CHECKING:
    from pyspark.sql import Column

# Shares are doubles: 0.3 of 10 letters must be 3.
SLACK = 1e-9


def sign(text: Column, measure: str) -> Column:
    """Return what a text is compared by: itself, its set of words, or of sequences of three letters."""
    from pyspark.sql import functions as F

    if measure == "levenshtein":
        return text
    if measure == "words":
        return F.array_distinct(F.array_remove(F.split(text, f"[{SPACES}]+"), ""))
    padded = F.concat(F.lit("  "), text, F.lit(" "))
    return F.array_distinct(
        F.transform(F.sequence(F.lit(1), F.length(padded) - 2), lambda start: F.substring(padded, start, 3))
    )


def alike(one: Column, other: Column, measure: str, at_least: float) -> Column:
    """Return whether two signs are alike."""
    from pyspark.sql import functions as F

    if measure == "levenshtein":
        a, b = F.length(one), F.length(other)
        most = F.greatest(a, b) * F.lit(1 - at_least) + F.lit(SLACK)
        # Texts of too different lengths need no comparison.
        return F.when(F.abs(a - b) <= most, F.levenshtein(one, other) <= most).otherwise(F.lit(False))
    both, either = F.size(F.array_intersect(one, other)), F.size(F.array_union(one, other))
    return both >= either * F.lit(at_least) - F.lit(SLACK)


def labels(rows: Column, count: int, measure: str, at_least: float) -> Column:
    """Return, for an array of structs ``s0, s1 …`` of signs, each row's group: the number of its first row."""
    from pyspark.sql import functions as F

    def like(one: Column, other: Column) -> Column:
        found = alike(one["s0"], other["s0"], measure, at_least)
        for index in range(1, count):
            found = found & alike(one[f"s{index}"], other[f"s{index}"], measure, at_least)
        return found

    def step(known: Column, number: Column) -> Column:
        row = F.element_at(rows, number)
        hits = F.transform(known, lambda label, before: F.when(like(F.element_at(rows, before + 1), row), label))

        def joined(groups: Column) -> Column:
            smallest = F.coalesce(F.array_min(groups), number)
            return F.concat(
                F.transform(known, lambda label: F.when(F.array_contains(groups, label), smallest).otherwise(label)),
                F.array(smallest),
            )

        # An array of one gives the comparisons a name; written out twice they would be made for every label.
        return F.element_at(F.transform(F.array(F.array_distinct(F.array_compact(hits))), joined), 1)

    return F.aggregate(F.sequence(F.lit(1), F.size(rows)), F.array().cast("array<int>"), step)
