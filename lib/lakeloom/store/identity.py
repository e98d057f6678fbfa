"""Which table it is: Delta's own id, by which one that was dropped and made anew is told from the one before.

Versions begin at 0 again then, so that a number alone, or a number in a tag, may mean rows of either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.store.lake import Lake


def identity(lake: Lake, table: TableName | str) -> str:
    """Return the id of a table, empty where it does not exist.

    Read from its first commit, which is never deleted, up to the line that names it: for one small file there is
    no need to build a version.
    """
    first = lake.folder(table) / "_delta_log" / f"{0:020d}.json"
    try:
        with first.open(encoding="utf-8") as lines:
            for line in lines:
                if '"metaData"' in line:
                    found = json.loads(line).get("metaData")
                    if found:
                        return str(found["id"])
    except (OSError, ValueError, KeyError):
        pass  # a log that begins with a checkpoint, or is damaged: whoever reads the table says so
    return str(lake.delta(table).metadata().id) if lake.exists(table) else ""


def anew(lake: Lake, ids: Mapping[str, str]) -> str | None:
    """Return the first of these tables that is another than the one of that id by now; None where all are the same."""
    return next((table for table, was in ids.items() if was and was != identity(lake, table)), None)


def require_same(lake: Lake, ids: Mapping[str, str], whose: str) -> None:
    """Refuse versions of tables that are gone.

    Parameters
    ----------
    whose : str
        What has read the versions, for the error.

    Raises
    ------
    StoreError
        LL-STORE-016 where one of these tables was dropped, or dropped and made anew.
    """
    table = anew(lake, ids)
    if table is not None:
        raise gone(table, f"{whose} has read a {table} that is gone")


def gone(table: str, told: str) -> StoreError:
    """Return the error for versions of a table that was dropped and made anew."""
    return StoreError(
        "LL-STORE-016",
        f"{told}: it was dropped and made anew, and its versions began at 0 again",
        where=table,
        fix=f"read one of the versions that 'lakeloom history {table}' shows, or bring the folder back from a copy",
    )
