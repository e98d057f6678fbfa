"""Rows that take the place of others by some values, such as a day: of each such group the newest delivery.

Which delivery is the newest must not depend on the execution that reads it: a build from scratch reads all of them at
once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import TableError
from lakeloom.core.names import quoted
from lakeloom.store.manner import POSITION, same
from lakeloom.tables.history import of_keys
from lakeloom.tables.writing import WriteSpec

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_EPOCH = f"{POSITION}.epoch"
_PLACE, _NEWEST, _OLDEST = "_place", "_newest", "_oldest"
LACKS = "nothing says which of two deliveries of {by} is the newer"
FIX = "add sequence_by: to write:, or keep _position in the transform"


def order_of(write: WriteSpec, inputs: Mapping[str, str], columns: Collection[str]) -> str | None:
    """Return SQL over a row: the delivery that it came with; None where nothing says so.

    Parameters
    ----------
    inputs : mapping
        Table → how it is read.
    columns : collection of str
        Those of the rows.
    """
    if write.sequence_by:
        return _EPOCH if write.sequence_by == POSITION else quoted(write.sequence_by)
    # Positions of two tables are in no order.
    return _EPOCH if POSITION in columns and list(inputs.values()) == ["new"] else None


def need_order(write: WriteSpec, inputs: Mapping[str, str], columns: Collection[str], where: str) -> str | None:
    """Return what `order_of` says; raises LL-TABLE-010 where deliveries come one by one and in no order."""
    found = order_of(write, inputs, columns)
    if found is None and set(inputs.values()) & {"new", "changes"}:
        told = LACKS.format(by=", ".join(write.by))
        raise TableError("LL-TABLE-010", f"{where}: {told}", where=where, fix=FIX)
    return found


def newest_groups(rows: DataFrame, by: Sequence[str], order: str) -> DataFrame:
    """Return of each group of `rows` those of its newest delivery; one without a place is older than any other."""
    from pyspark.sql import functions as F

    placed = rows.withColumn(_PLACE, F.struct(F.expr(order)))
    groups = placed.groupBy(*map(quoted, by)).agg(F.max(_PLACE).alias(_NEWEST), F.min(_PLACE).alias(_OLDEST))
    if groups.where(f"NOT ({_NEWEST} <=> {_OLDEST})").isEmpty():
        return rows
    newest = f"{same(by, ())} AND new.{_PLACE} <=> old.{_NEWEST}"
    return placed.alias("new").join(groups.alias("old"), F.expr(newest), "left_semi").drop(_PLACE)


def not_overtaken(rows: DataFrame, there: DataFrame, by: Sequence[str], order: str) -> DataFrame:
    """Return the rows of groups of which the table holds no newer delivery."""
    from pyspark.sql import functions as F

    mine = rows.select(*map(quoted, by)).distinct()
    groups = of_keys(there, mine, by).groupBy(*map(quoted, by)).agg(F.max(F.struct(F.expr(order))).alias(_NEWEST))
    older = f"{same(by, ())} AND new.{_PLACE} < old.{_NEWEST}"
    placed = rows.withColumn(_PLACE, F.struct(F.expr(order)))
    return placed.alias("new").join(groups.alias("old"), F.expr(older), "left_anti").drop(_PLACE)
