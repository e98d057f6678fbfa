"""Surrogate keys: hashes of the natural key, the same in every run, in every table and on every machine.

The parts are written one after the other, each with its length, so that ("a", "bc") and ("ab", "c")
differ, as do NULL and the empty text. The hash is the first 128 bits of SHA-256: among a billion keys
two are equal with a chance of one in 10^21. Row numbers were rejected: they change with the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.cleansing.base import Arguments, Columns, Verb, found, spelled, unfit
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame


class KeyConfig(Arguments):
    """Arguments of ``key``.

    Attributes
    ----------
    columns : tuple of str
        The natural key; texts, numbers, truth values, dates, times or binary. Their order counts.
    into : str
        The column that gets the surrogate key: 32 hexadecimal digits.
    """

    short = ""
    columns: Columns
    into: str


class Key(Verb):
    """Give each row a surrogate key."""

    Config = KeyConfig
    name = "key"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the key."""
        columns = [found(frame, name) for name in self.config.columns]
        for name, kind in columns:
            if kind.startswith(("array<", "map<", "struct<", "variant")):
                raise unfit(f"column '{name}' is {kind}, no part of a key", "flatten or explode it first")
        return edited(frame, [Edit(spelled(frame, self.config.into), key(columns))], tally)


def key(columns: Sequence[tuple[str, str]]) -> Column:
    """Return the surrogate key of columns, given as (name, Spark type)."""
    from pyspark.sql import functions as F

    parts = []
    for name, kind in columns:
        text = _text(F.col(quoted(name)), kind)
        parts.append(F.coalesce(F.concat(F.length(text).cast("string"), F.lit(":"), text), F.lit("-")))
    return F.substring(F.sha2(F.concat(*parts), 256), 1, 32)


def _text(column: Column, kind: str) -> Column:
    from pyspark.sql import functions as F

    if kind == "timestamp":  # as text it would depend on the session's zone
        return F.unix_micros(column).cast("string")
    if kind == "binary":
        return F.hex(column)
    if kind in ("float", "double"):  # 0.0 and -0.0 are equal
        return F.when(column == 0, F.lit("0.0")).otherwise(column.cast("string"))
    return column.cast("string")
