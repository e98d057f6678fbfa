"""Commits of other writers: what came into a table between two versions without a step of this project."""

from __future__ import annotations

from lakeloom.core.names import TableName
from lakeloom.store import log
from lakeloom.store.lake import Lake, manifest_of


def foreign(lake: Lake, table: TableName | str, since: int, version: int) -> list[int]:
    """Return the versions after `since` and up to `version` whose commits are no step's and changed rows.

    A step's commit carries its manifest. Only the commits between are read.
    """
    return [at for at in range(since + 1, version + 1) if _of_another(lake, table, at)]


def _of_another(lake: Lake, table: TableName | str, version: int) -> bool:
    rows = False
    for name, action in log.actions(lake, table, version):
        if name == "commitInfo" and "step" in manifest_of(action):
            return False
        rows = rows or log.changes_rows(name, action)
    return rows
