"""Which table it is: Delta's own id, by which one that was dropped and made anew is told from the one before.

Versions begin at 0 again then, so that a number alone, or a number in a tag, may mean rows of either.
"""

from __future__ import annotations

import json
from pathlib import Path

from lakeloom.core.names import TableName
from lakeloom.store.lake import Lake


def identity(lake: Lake, table: TableName | str) -> str:
    """Return the id of a table, empty where it does not exist.

    Read from its first commit, which is never deleted, up to the line that names it: for one small file there is
    no need to build a version.
    """
    first = Path(lake.path(table)) / "_delta_log" / f"{0:020d}.json"
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
