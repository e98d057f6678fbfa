"""Bringing a table back to an earlier version: by its log alone where its features allow, else by Spark."""

from __future__ import annotations

from lakeloom.core.names import TableName
from lakeloom.flow.context import Context
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Mark, restore
from lakeloom.store.rewind import rewind


def bring_back(context: Context, table: TableName, version: int | None, mark: Mark) -> int:
    """Bring `table` back to `version`, or to no rows where that is None; return the new version.

    Raises
    ------
    StoreError
        LL-STORE-006 where another writer committed at the same time.
    """
    made = rewind(context.lake, table, version, mark)  # Spark's takes three dozen jobs: seconds even for few rows
    if made is not None:
        return made
    with step_session(context.engine.spark()) as session:
        return restore(session, context.lake, table, version, mark)
