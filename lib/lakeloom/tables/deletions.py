"""Deletions of a merged table, kept aside: a row that comes late must not bring back what is gone.

A table of one row a key forgets what it deleted. So the newest deletion of each key is kept, with
its place in the sequence, and a row that is not later than it is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.store.manner import DELETED, POSITION, later

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


# What a stream of changes says of each row; it decides and is not stored.
OPERATION = "_op"


def marked(frame: DataFrame, condition: str | None) -> DataFrame:
    """Return the rows with ``_deleted`` where a condition says which of them delete; NULL does not."""
    if condition is None:
        return frame
    from pyspark.sql import functions as F

    return frame.withColumn(DELETED, F.coalesce(F.expr(condition), F.lit(False)))


def deletions(rows: DataFrame, keys: Sequence[str], sequence: str) -> DataFrame:
    """Return what is kept of the rows that delete: keys, sequence, and ``_position`` where they have it."""
    from pyspark.sql import functions as F

    places = [name for name in (sequence, POSITION) if name in rows.columns]
    names = list(dict.fromkeys([*keys, *places]))
    return rows.where(DELETED).select(*[F.col(quoted(name)) for name in names])


def living(rows: DataFrame, gone: DataFrame, keys: Sequence[str], sequence: str) -> DataFrame:
    """Return the rows that are no deletion, or not earlier than a deletion of their key.

    Parameters
    ----------
    rows : DataFrame
        With ``_deleted``.
    gone : DataFrame
        What `deletions` gave before.
    """
    from pyspark.sql import functions as F

    positions = POSITION in rows.columns and POSITION in gone.columns
    same = " AND ".join(f"new.{quoted(key)} <=> old.{quoted(key)}" for key in keys)
    # A deletion and a row at one place: the deletion stands, unless the row arrived after it.
    earlier = f"NOT new.{DELETED} AND " + (
        f"NOT ({later('new', 'old', sequence, positions=True)})"
        if positions and sequence != POSITION
        else f"new.{quoted(sequence)} <= old.{quoted(sequence)}"
    )
    return rows.alias("new").join(gone.alias("old"), F.expr(f"{same} AND {earlier}"), "left_anti")
