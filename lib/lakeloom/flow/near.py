"""A version of a table on a file system of this machine, for processes that know of no object store.

What trains reads its rows again and again, from several processes: the files of a version come once out of the
store that the storage root lies in, and no process is told how that is reached.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lakeloom.objects.path import beside
from lakeloom.store.excerpt import excerpt
from lakeloom.store.lake import Lake
from lakeloom.store.log import snapshot


def near(lake: Lake, table: str, version: int) -> tuple[str, int]:
    """Return where a version's rows lie on a file system, and as which version.

    Under a root that is a folder that is the table itself; out of a store the newest version asked for is kept.
    """
    if isinstance(lake.root, Path):
        return lake.path(table), version
    versions = beside(lake.root) / "near" / table
    folder = versions / f"{version:08d}"
    place = folder / table.partition(".")[2]
    if not (place / "_delta_log").is_dir():
        for other in versions.glob("*"):
            shutil.rmtree(other, ignore_errors=True)
        found = snapshot(lake, table, version)
        excerpt(place, found, lake.folder(table), found.adds.values())
    return str(place), 0
