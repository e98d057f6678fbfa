"""Refs: names for (table, version). ``good`` is the last version that passed its audit.

Kept in the Delta table ``meta.refs``, written without a JVM: one row a change, the newest row of a
(table, name) holds. Readers inside the platform read ``good``, never the newest version in a log.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lakeloom.core.names import TableName
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
}


def publish(lake: Lake, versions: Mapping[str, int], *, step: str, epoch: int, run: str, at: datetime) -> None:
    """Move the ref ``good`` of each table to its version."""
    with _PUBLISHING:
        order = len(rows(lake, TABLE))
        change = {"name": GOOD, "step": step, "epoch": epoch, "run": run, "at": at}
        records = [
            change | {"table": table, "version": version, "order": order + index}
            for index, (table, version) in enumerate(sorted(versions.items()))
        ]
        append(lake, TABLE, COLUMNS, records)


def good(lake: Lake) -> dict[str, int]:
    """Return the last good version of every table."""
    found: dict[str, tuple[int, int]] = {}
    for row in rows(lake, TABLE):
        if row["name"] == GOOD and row["order"] >= found.get(row["table"], (-1, 0))[0]:
            found[row["table"]] = (row["order"], row["version"])
    return {table: version for table, (_, version) in found.items()}


def entries(lake: Lake) -> list[dict[str, Any]]:
    """Return every row of ``meta.refs``, oldest first."""
    return sorted(rows(lake, TABLE), key=lambda row: row["order"])
