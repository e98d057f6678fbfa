"""Likeness of texts, and which rows of a block hang together by it: Spark expressions over arrays.

A block's rows are an array, and its groups are found in one pass over it: each row is compared with
those before it, and takes the smallest label among the groups that it is like, which become one. That
is exact, needs no rounds, and stays in the JVM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lakeloom.cleansing.text import SPACES

if TYPE_CHECKING:
    from pyspark.sql import Column

# Shares are doubles: 0.3 of 10 letters must be 3.
SLACK = 1e-9
# Winkler's constants: beyond which likeness a common beginning counts, how much a letter of it, how many letters.
_BOOSTED, _SCALE, _PREFIX = 0.7, 0.1, 4


def sign(text: Column, measure: str) -> Column:
    """Return what a text is compared by: itself, its letters, its set of words, or of sequences of three letters."""
    from pyspark.sql import functions as F

    if measure == "levenshtein":
        return text
    if measure == "jaro_winkler":
        return F.split(text, "")
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
        most = F.floor(F.greatest(a, b) * F.lit(1 - at_least) + F.lit(SLACK)).cast("int")
        # Texts of too different lengths need no comparison; a distance beyond the third argument is -1.
        near = F.call_function("levenshtein", one, other, most) >= 0
        return F.when(F.abs(a - b) <= most, near).otherwise(F.lit(False))
    if measure == "jaro_winkler":
        return _at_least_jaro_winkler(one, other, at_least)
    both, either = F.size(F.array_intersect(one, other)), F.size(F.array_union(one, other))
    return both >= either * F.lit(at_least) - F.lit(SLACK)


def jaro_winkler(one: Column, other: Column) -> Column:
    """Return the similarity of two texts, given as arrays of their letters: 0 to 1, and 1 for two empty ones.

    Jaro's likeness, raised by 0.1 of what it lacks for each of the first four letters that both have in
    common, where it is above 0.7 already.

    Source: W. E. Winkler, String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter Model
    of Record Linkage, 1990.
    """
    from pyspark.sql import functions as F

    boosted = _named(_jaro(one, other), lambda found: _boosted(found, _common_beginning(one, other)))
    return F.when(one == other, F.lit(1.0)).otherwise(boosted)


def _at_least_jaro_winkler(one: Column, other: Column, at_least: float) -> Column:
    from pyspark.sql import functions as F

    # What it is at the most, were all letters of the shorter text found in the longer: most pairs end here.
    a, b = F.size(one), F.size(other)
    most = (F.lit(2.0) + F.coalesce(F.least(a, b) / F.nullif(F.greatest(a, b), F.lit(0)), F.lit(1.0))) / 3
    hopeless = _boosted(most, _common_beginning(one, other)) < at_least - SLACK
    return F.when(hopeless, F.lit(False)).otherwise(jaro_winkler(one, other) >= at_least - SLACK)


def _boosted(jaro: Column, beginning: Column) -> Column:
    from pyspark.sql import functions as F

    return F.when(jaro > _BOOSTED, jaro + beginning * F.lit(_SCALE) * (F.lit(1.0) - jaro)).otherwise(jaro)


def _common_beginning(one: Column, other: Column) -> Column:
    """Return how many of the first four letters are the same."""
    from pyspark.sql import functions as F

    found = F.lit(0)
    for at in reversed(range(_PREFIX)):
        found = F.when(F.get(one, F.lit(at)) == F.get(other, F.lit(at)), found + 1).otherwise(F.lit(0))
    return found


def _jaro(one: Column, other: Column) -> Column:
    """Return Jaro's likeness: equal letters at most half the longer text apart, each used once, and their order."""
    from pyspark.sql import functions as F

    a, b = F.size(one), F.size(other)
    reach = F.greatest(F.floor(F.greatest(a, b) / 2).cast("int") - 1, F.lit(0))

    def place(taken: Column, at: Column) -> Column:
        low, high = F.greatest(F.lit(1), at - reach), F.least(b, at + reach)
        free = F.filter(
            F.sequence(low, high),
            lambda there: (F.element_at(other, there) == F.element_at(one, at)) & ~F.array_contains(taken, there),
        )
        return F.concat(taken, F.array(F.when(low <= high, F.coalesce(F.array_min(free), F.lit(0))).otherwise(0)))

    def counted(places: Column) -> Column:
        mine = F.filter(one, lambda _, at: F.get(places, at) > 0)
        theirs = F.transform(
            F.array_sort(F.filter(places, lambda there: there > 0)), lambda at: F.element_at(other, at)
        )
        common = F.size(mine)
        moved = F.floor(F.size(F.filter(F.zip_with(mine, theirs, lambda x, y: x != y), lambda each: each)) / 2)
        likeness = (common / a + common / b + (common - moved) / common) / 3
        return F.when(common > 0, likeness).otherwise(F.lit(0.0))

    places = F.aggregate(F.sequence(F.lit(1), a), F.array().cast("array<int>"), place)
    return F.when((a > 0) & (b > 0), _named(places, counted)).otherwise(F.lit(0.0))


def _named(value: Column, use: Callable[[Column], Column]) -> Column:
    """Return what `use` makes of a value that is worked out once: an array of one gives it a name."""
    from pyspark.sql import functions as F

    return F.element_at(F.transform(F.array(value), use), 1)


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

        # Written out twice, the comparisons would be made for every label.
        return _named(F.array_distinct(F.array_compact(hits)), joined)

    return F.aggregate(F.sequence(F.lit(1), F.size(rows)), F.array().cast("array<int>"), step)
