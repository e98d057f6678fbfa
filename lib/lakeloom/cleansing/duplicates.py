"""Duplicates: equal rows, rows of one key, and rows that are alike within a block.

Of each group one row stays, chosen by an order whose ties are broken by where the row came from and by
its values, so that a replay keeps the same one; it counts the rows that were taken away. A row that is
on its way to quarantine takes no part: it must not take a sound row away. Nor does a row of which a part
of the key is NULL, unless it is said to match: what is unknown is not the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from lakeloom.cleansing import groups
from lakeloom.cleansing.alike import Alike, without_like
from lakeloom.cleansing.base import Arguments, Names, Verb, found, refuse, unfit
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class DeduplicateConfig(Arguments):
    """Arguments of ``deduplicate``.

    Attributes
    ----------
    by : tuple of str
        The key of which one row stays; without it and `alike`, rows that are equal in every column.
    alike : Alike, optional
        In place of `by`: rows that are nearly the same.
    keep : {'first', 'last'}
        Which row of a group stays, in `order`.
    order : tuple of str
        Columns; where absent, the place that a row came from, ``_position``.
    nulls : {'differ', 'match'}
        Whether NULL in the key is like NULL.
    """

    short = "by"
    by: Names = ()
    alike: Alike | None = None
    keep: Literal["first", "last"] = "last"
    order: Names = ()
    nulls: Literal["differ", "match"] = "differ"

    @model_validator(mode="after")
    def _fits(self) -> DeduplicateConfig:
        if self.by and self.alike is not None:
            raise refuse("'by' and 'alike' are two ways to tell duplicates", "write a deduplicate for each")
        if "nulls" in self.model_fields_set and not self.by:
            raise refuse("'nulls' speaks of the key, and there is no 'by'", "take nulls out")
        return self


class Deduplicate(Verb):
    """Leave one row of each group of duplicates."""

    Config = DeduplicateConfig
    name = "deduplicate"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the rows that stay."""
        from pyspark.sql import functions as F

        config: DeduplicateConfig = self.config
        order = self._order(frame)
        if config.alike is not None:
            return without_like(frame, config.alike, order, tally)
        if config.by:
            names = [found(frame, name)[0] for name in config.by]
            keys = [F.col(quoted(name)) for name in names]
            alone = [] if config.nulls == "match" else [key.isNull() for key in keys]
        else:
            keys, alone = groups.values(frame), []
        rows = groups.apart(frame, [*groups.faulty(frame), *alone])
        parts = [key.alias(f"k{index}") for index, key in enumerate(keys)]
        rows = rows.withColumn(groups.GROUP, F.struct(*parts, F.col(groups.APART)))
        return groups.first(rows, order, tally).drop(groups.APART, groups.GROUP)

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the columns of key, order, block and likeness."""
        config: DeduplicateConfig = self.config
        alike = (*config.alike.columns, *config.alike.block) if config.alike else ()
        return (
            *(("by", name) for name in config.by),
            *(("order", name) for name in config.order),
            *(("alike", name) for name in alike),
        )

    def _order(self, frame: DataFrame) -> list[Column]:
        """Return the order in which the row that stays comes first."""
        from pyspark.sql import functions as F

        names = [found(frame, name)[0] for name in self.config.order]
        if "_position" in frame.columns and "_position" not in names:
            names.append("_position")
        for name in names:
            if "map<" in dict(frame.dtypes)[name] or "variant" in dict(frame.dtypes)[name]:
                raise unfit(f"column '{name}' has no order", "order by another")
        last = self.config.keep == "last"
        columns = [F.col(quoted(name)) for name in names]
        sorted_by = [column.desc_nulls_last() if last else column.asc_nulls_last() for column in columns]
        return [*sorted_by, F.xxhash64(*groups.values(frame)).asc()]
