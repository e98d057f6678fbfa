"""The MERGE of rows into a table by key: what is late loses, what says so deletes, what can't match is not read.

By SQL and not by Delta's Python classes, which need a plugin on a Spark Connect server.

Source: Delta's ``MERGE INTO``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.names import TableName, quoted
from lakeloom.store.lake import Lake
from lakeloom.store.manner import DELETED, Manner, clauses, same
from lakeloom.store.pruning import never_null, reach
from lakeloom.store.types import columns_of
from lakeloom.store.upsert import upsert

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROWS = "lakeloom_rows"


def merge(
    session: SparkSession, lake: Lake, table: TableName, frame: DataFrame, how: Manner, signed: tuple[str, int]
) -> None:
    """Merge `frame` into the table: by a transaction that is filled here, or by Delta's MERGE where that can't be.

    Parameters
    ----------
    frame : DataFrame
        Rows with unique keys; ``_deleted`` where rows may delete. With them a view of the session is made.
    signed : (str, int)
        The step and its epoch, which are the session's settings too.
    """
    kept = frame.storageLevel.useMemory or frame.storageLevel.useDisk
    rows = frame if kept else frame.persist()
    try:
        opened = lake.delta(table)
        files = opened.get_add_actions(flatten=True)
        reached, filled = reach(files, rows, how.keys), never_null(files, how.keys)
        if upsert(session, lake, table, rows, how, reached, filled, signed):
            return
        rows.createOrReplaceTempView(_ROWS)
        session.sql(statement(lake.path(table), rows.columns, columns_of(opened), how, reached.condition, filled))
    finally:
        if not kept:
            rows.unpersist()


def statement(
    path: str, given: Sequence[str], there: Iterable[str], how: Manner, reached: str = "", filled: Sequence[str] = ()
) -> str:
    """Return the MERGE of a view of rows, in which every column of the table that they lack keeps its value.

    Parameters
    ----------
    given : list of str
        The rows' columns.
    reached : str
        A condition on ``old`` that holds for every row that a new one can match.
    filled : list of str
        Keys that are NULL nowhere in the table.
    """
    values = [name for name in given if name != DELETED]
    kept = {name.lower() for name in how.keys}
    changes = ", ".join(f"old.{quoted(name)} = new.{quoted(name)}" for name in values if name.lower() not in kept)
    columns = ", ".join(quoted(name) for name in values)
    news = ", ".join(f"new.{quoted(name)}" for name in values)
    done = {
        "delete": ("MATCHED", "DELETE"),
        "update": ("MATCHED", f"UPDATE SET {changes}"),
        "insert": ("NOT MATCHED", f"INSERT ({columns}) VALUES ({news})"),  # noqa: S608 - quoted
    }
    words = [
        f"WHEN {done[kind][0]}{f' AND {condition}' if condition else ''} THEN {done[kind][1]}"
        for kind, condition in clauses(how, given, there)
    ]
    on = same(how.keys, filled) + (f" AND ({reached})" if reached else "")
    return f"MERGE INTO delta.`{path}` old USING {_ROWS} new ON {on} {' '.join(words)}"
