"""Refs: names for (table, version). ``good`` is the last version that passed its audit, a tag any other.

Kept in the Delta table ``meta.refs``, written without a JVM: one row a change, the newest row of a
(table, name) holds; one without a version says that the name is gone. The rows of one change are one
commit, so that all of them are there or none. Readers inside the platform read ``good``, never the
newest version in a log.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lakeloom.core.names import TableName
from lakeloom.core.users import who
from lakeloom.store.lake import Lake
from lakeloom.store.meta import append, rows

# Steps that run side by side publish one after the other: each row's order is its place in the table.
_PUBLISHING = threading.Lock()
GOOD = "good"
TABLE = TableName("meta", "refs")
COLUMNS = {
    "table": "string",
    "name": "string",
    "version": "long",
    "step": "string",
    "epoch": "long",
    "run": "string",
    "at": "timestamp",
    "order": "long",
    "id": "string",
    "who": "string",
}

# Told by the engine and not by rows in Python: a root that has run for years has hundreds of thousands of them.
_NEWEST = f"""
SELECT "table", version FROM (
  SELECT "table", version, row_number() OVER (PARTITION BY "table" ORDER BY "order" DESC) AS place
  FROM t WHERE name = '{GOOD}')
WHERE place = 1"""  # noqa: S608 - a constant


def publish(lake: Lake, versions: Mapping[str, int], *, step: str, epoch: int, run: str, at: datetime) -> None:
    """Move the ref ``good`` of each table to its version."""
    change = {"name": GOOD, "step": step, "epoch": epoch, "run": run, "at": at, "who": who()}
    record(lake, [change | {"table": table, "version": version} for table, version in sorted(versions.items())])


def record(lake: Lake, changes: Sequence[Mapping[str, Any]]) -> None:
    """Write changes of refs in their order, in one commit."""
    with _PUBLISHING:
        last = rows(lake, TABLE, 'SELECT max("order") AS last FROM t')
        order = (last[0]["last"] if last and last[0]["last"] is not None else -1) + 1
        append(lake, TABLE, COLUMNS, [{**change, "order": order + index} for index, change in enumerate(changes)])


def good(lake: Lake) -> dict[str, int]:
    """Return the last good version of every table."""
    return {row["table"]: row["version"] for row in rows(lake, TABLE, _NEWEST)}


def entries(lake: Lake) -> list[dict[str, Any]]:
    """Return every row of ``meta.refs``, oldest first."""
    return sorted(rows(lake, TABLE), key=lambda row: row["order"])
