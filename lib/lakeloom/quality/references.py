"""Referential integrity: the keys of a row are those of a row of another table.

The other table's keys, each once, are joined to the judged rows from the left, so that the rows are still
read once and none is doubled. A key with a NULL in it refers to nothing and is skipped, as in SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.quality.background import NOTHING, Background
from lakeloom.quality.columns import NUMBERS, find, wrong
from lakeloom.quality.spec import RuleSpec

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

REFERENCES = "references"
_KNOWN, _KEY = "_known_", "_key_"


def look_up(
    frame: DataFrame, rules: Sequence[RuleSpec], background: Background | None, where: str = ""
) -> tuple[DataFrame, dict[str, Column]]:
    """Return `frame` joined to the keys that its rules refer to, and for each such rule whether the key is there.

    Raises
    ------
    RuleError
        LL-RULE-003 where a column is missing on either side or the two do not compare.
    """
    from pyspark.sql import functions as F

    known: dict[str, Column] = {}
    for index, rule in enumerate(rules):
        if rule.expectation is None or rule.expectation.name != REFERENCES:
            continue
        other = (background or NOTHING).table(str(rule.to))
        mine, theirs = keys(dict(frame.dtypes), rule, where), _theirs(other, rule, where)
        _compare(rule, mine, theirs, where)
        names = [f"{_KEY}{index}_{place}" for place in range(len(mine))]
        there = other.select(*[column.alias(name) for (column, _), name in zip(theirs, names, strict=True)])
        there = there.dropna().distinct().withColumn(f"{_KNOWN}{index}", F.lit(True))
        pairs = [column == F.col(name) for (column, _), name in zip(mine, names, strict=True)]
        frame = frame.join(there, pairs, "left")
        known[rule.title] = F.col(f"{_KNOWN}{index}")
    return frame, known


def keys(types: dict[str, str], rule: RuleSpec, where: str) -> list[tuple[Column, str]]:
    """Return the columns of a row that are its key, with their Spark types; raises LL-RULE-003."""
    from pyspark.sql import functions as F

    found = [find(types, rule, name, where) for name in rule.reads()]
    return [(F.col(quoted(name)), kind) for name, kind in found]


def _theirs(other: DataFrame, rule: RuleSpec, where: str) -> list[tuple[Column, str]]:
    from pyspark.sql import functions as F

    found = [find(dict(other.dtypes), rule, name, where) for name in rule.keys_there]
    return [(F.col(quoted(name)), kind) for name, kind in found]


def _compare(rule: RuleSpec, mine: list[tuple[Column, str]], theirs: list[tuple[Column, str]], where: str) -> None:
    if len(mine) != len(theirs):
        raise wrong(rule, f"{len(mine)} columns refer to {len(theirs)} of {rule.to}", where)
    for (_, here), (_, there) in zip(mine, theirs, strict=True):
        if here != there and not (here.startswith(NUMBERS) and there.startswith(NUMBERS)):
            raise wrong(rule, f"a key that is {here} does not compare with one of {rule.to} that is {there}", where)
