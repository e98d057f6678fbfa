"""Commits of other writers: what came into a table between two versions without a step of this project."""

from __future__ import annotations

from lakeloom.core.names import TableName
from lakeloom.store.lake import Lake

# Operations of the log that leave a table's rows as they are; all others may change them.
_ROWS_STAY = frozenset(
    [
        "SET TBLPROPERTIES", "UNSET TBLPROPERTIES", "ADD COLUMNS", "CHANGE COLUMN", "CHANGE COLUMNS", "RENAME COLUMN",
        "DROP COLUMNS", "REPLACE COLUMNS", "ADD CONSTRAINT", "DROP CONSTRAINT", "UPGRADE PROTOCOL", "ADD FEATURE",
        "DROP FEATURE", "CLUSTER BY", "OPTIMIZE", "VACUUM START", "VACUUM END", "FSCK", "COMPUTE STATS", "REORG",
        "SET TABLE PROPERTIES",
    ]
)  # fmt: skip


def foreign(lake: Lake, table: TableName | str, since: int, version: int) -> list[int]:
    """Return the versions after `since` and up to `version` whose commits are no step's and may have changed rows.

    A step's commit carries its manifest. What is asked of the log is no more than the commits between.
    """
    if version <= since:
        return []
    newest = lake.version(table)
    return sorted(
        entry["version"]
        for entry in lake.history(table, newest - since)
        if since < entry["version"] <= version
        and "step" not in entry["manifest"]
        and str(entry["operation"]).upper() not in _ROWS_STAY
    )
