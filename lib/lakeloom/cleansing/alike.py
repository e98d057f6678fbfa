"""Rows that are nearly the same: compared pairwise within their block, grouped by chains of like pairs.

What is connected by a chain is one group (single linkage), found exactly by `lakeloom.cleansing.likeness`.
A block with more rows than ``at_most`` fails the step with LL-CLEAN-004, or is passed over and its rows
counted as ``…_skipped``: it is never half compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakeloom.cleansing import likeness
from lakeloom.cleansing.base import Columns, Names, found, refuse, texts, unfit
from lakeloom.cleansing.groups import APART, GROUP, apart, faulty, first
from lakeloom.core.names import quoted
from lakeloom.quality.conditions import fault

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_LARGE, _ROWS, _SIGNS, _LABEL = "_dup_large", "_dup_rows", "_dup_signs", "_dup_label"
_RANK = "_dup_rank_in_block"


class Alike(BaseModel):
    """When two rows are alike.

    Attributes
    ----------
    columns : tuple of str
        Text columns; the rows must be alike in each of them. NULL is like nothing.
    block : tuple of str
        Columns that like rows have in common; only rows of one block are compared.
    block_sql : str, optional
        An SQL expression in their place, such as ``left(zip, 3)``.
    measure : {'levenshtein', 'jaro_winkler', 'words', 'trigrams'}
        1 less the edit distance as a share of the longer text; Jaro's and Winkler's likeness of names, in which
        letters that changed places and a different end weigh less; or the words, or the sequences of three letters,
        that both have as a share of those that either has.
    at_least : float
        From which similarity on (0 to 1) they are alike.
    at_most : int
        How many rows a block may have: each is compared with each.
    oversize : {'fail', 'skip'}
        What happens to a larger block.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Columns
    block: Names = ()
    block_sql: str | None = None
    measure: Literal["levenshtein", "jaro_winkler", "words", "trigrams"] = "levenshtein"
    at_least: float = Field(default=0.9, gt=0, le=1)
    at_most: int = Field(default=1000, ge=2, le=10_000)
    oversize: Literal["fail", "skip"] = "fail"

    @model_validator(mode="after")
    def _fits(self) -> Alike:
        if bool(self.block) == (self.block_sql is not None):
            raise refuse("either 'block' or 'block_sql' is wanted: all rows against all is no work for a table")
        problem = fault(self.block_sql) if self.block_sql else None
        if problem:
            raise refuse(problem.replace("the condition", "'block_sql'"))
        return self


def without_like(frame: DataFrame, alike: Alike, order: Sequence[Column], tally: str) -> DataFrame:
    """Return the first row, in `order`, of each group of like rows, with the number of the others.

    Raises
    ------
    CleansingError
        LL-CLEAN-002 where a column is not there or no text, or the SQL does not analyse.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    names = texts(frame, alike.columns)
    if alike.block_sql is not None:
        block = [_expression(frame, alike.block_sql)]
    else:
        block = [F.col(quoted(found(frame, name)[0])) for name in alike.block]
    unknown = [column.isNull() for column in (*block, *[F.col(quoted(name)) for name in names])]
    rows = apart(frame, [*faulty(frame), *unknown])
    keys = [column.alias(f"b{index}") for index, column in enumerate(block)]
    rows = _limited(rows.withColumn(GROUP, F.struct(*keys, F.col(APART))), alike, tally)
    rank = F.row_number().over(Window.partitionBy(GROUP).orderBy(*order))
    signs = [likeness.sign(F.col(quoted(name)), alike.measure).alias(f"s{index}") for index, name in enumerate(names)]
    values = [F.col(quoted(name)) for name in rows.columns if name not in (GROUP, APART)]
    one = F.struct(rank.alias("rank"), F.struct(*signs).alias("signs"), F.struct(*values).alias("row"))
    blocks = rows.select(GROUP, one.alias("one")).groupBy(GROUP).agg(F.collect_list("one").alias(_ROWS))
    # By a comparison of ranks alone: a row may hold maps, which have no order.
    blocks = blocks.select(GROUP, F.array_sort(_ROWS, lambda a, b: a["rank"] - b["rank"]).alias(_ROWS))
    # A column of its own: written inside the comparison it would be made anew for every pair.
    blocks = blocks.select(GROUP, _ROWS, F.transform(_ROWS, lambda row: row["signs"]).alias(_SIGNS))
    labels = likeness.labels(F.col(_SIGNS), len(names), alike.measure, alike.at_least)
    labelled = blocks.select(GROUP, _ROWS, labels.alias(_LABEL))
    pairs = F.zip_with(_ROWS, _LABEL, lambda row, label: F.struct(row.alias("one"), label.alias("label")))
    flat = labelled.select(GROUP, F.explode(pairs).alias("pair"))
    group = F.struct(F.col(GROUP), F.col("pair.label"))
    flat = flat.select(group.alias(GROUP), F.col("pair.one.rank").alias(_RANK), "pair.one.row.*")
    return first(flat, [F.col(_RANK).asc()], tally).drop(GROUP, _RANK)


def _limited(rows: DataFrame, alike: Alike, tally: str) -> DataFrame:
    """Let a block that is too large fail, or make each of its rows a block of its own."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    large = F.count("*").over(Window.partitionBy(GROUP)) > alike.at_most
    if alike.oversize == "fail":
        told = F.raise_error(F.lit(f"LL-CLEAN-004: a block has more than {alike.at_most} rows"))
        marked = rows.withColumn(_LARGE, F.when(large, told.cast("bigint")))
    else:
        marked = rows.withColumn(_LARGE, F.when(large, F.monotonically_increasing_id()))
        marked = marked.withColumn(f"{tally}_skipped", F.col(_LARGE).isNotNull().cast("bigint"))
    # Part of the group, so that it is worked out before rows are gathered.
    return marked.withColumn(GROUP, F.struct(F.col(GROUP), F.col(_LARGE))).drop(_LARGE)


def _expression(frame: DataFrame, sql: str) -> Column:
    from pyspark.errors import AnalysisException, ParseException
    from pyspark.sql import functions as F

    try:
        block = F.expr(sql)
        _ = frame.select(block).schema
    except (AnalysisException, ParseException) as cause:
        raise unfit(f"'block_sql' does not analyse: {str(cause).splitlines()[0]}", "mend the expression") from cause
    return block
