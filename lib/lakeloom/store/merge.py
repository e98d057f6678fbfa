"""The MERGE of rows into a table by key: what is late loses, what says so deletes, what can't match is not read.

By SQL and not by Delta's Python classes, which need a plugin on a Spark Connect server.

Source: Delta's ``MERGE INTO``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.store.manner import DELETED, POSITION, Manner, later
from lakeloom.store.pruning import never_null, reach

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from pyspark.sql import DataFrame

_ROWS = "lakeloom_rows"


def prepared(opened: DeltaTable, frame: DataFrame, how: Manner, there: Iterable[str], path: str) -> str:
    """Return the MERGE of `frame` into the table at `path`, after what it has to ask of the rows.

    Parameters
    ----------
    opened : DeltaTable
        The table's log, for the statistics of its files.
    frame : DataFrame
        Rows with unique keys; ``_deleted`` where rows may delete. It becomes a view of its session.
    there : iterable of str
        The table's columns.
    """
    frame.createOrReplaceTempView(_ROWS)
    files = opened.get_add_actions(flatten=True)
    return statement(path, frame.columns, there, how, reach(files, frame, how.keys), never_null(files, how.keys))


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
    # A key may have NULL parts, and NULL = NULL would insert the row again. Where the table has none the plain
    # comparison says the same, and is joined by as it is: the null-safe one goes through two expressions a row.
    same = " AND ".join(f"old.{quoted(key)} {'=' if key in filled else '<=>'} new.{quoted(key)}" for key in how.keys)
    values = [name for name in given if name != DELETED]
    known = {name.lower() for name in there}
    positions = POSITION in values and POSITION in known
    conditions = [later("new", "old", how.sequence, positions=positions)] if how.sequence else []
    updating = [*conditions, f"({how.update_when})"] if how.update_when else conditions
    kept = {name.lower() for name in (*how.keys, *how.keep)}
    changes = ", ".join(f"old.{quoted(name)} = new.{quoted(name)}" for name in values if name.lower() not in kept)
    clauses = []
    if DELETED in given:
        clauses.append(f"WHEN MATCHED AND {' AND '.join([f'new.{DELETED}', *conditions])} THEN DELETE")
        updating = [f"NOT new.{DELETED}", *updating]
    if changes:
        clauses.append(f"WHEN MATCHED{_and(updating)} THEN UPDATE SET {changes}")
    inserting = [f"NOT new.{DELETED}"] if DELETED in given else []
    columns = ", ".join(quoted(name) for name in values)
    news = ", ".join(f"new.{quoted(name)}" for name in values)
    clauses.append(f"WHEN NOT MATCHED{_and(inserting)} THEN INSERT ({columns}) VALUES ({news})")  # noqa: S608 - quoted
    on = f"{same} AND ({reached})" if reached else same
    return f"MERGE INTO delta.`{path}` old USING {_ROWS} new ON {on} {' '.join(clauses)}"


def _and(conditions: list[str]) -> str:
    return "".join(f" AND {condition}" for condition in conditions)
