"""Taking away files that no version needs which is kept: a pure plan, and its one effect.

A file goes where no kept version needs it and the log knows it, or where the log never heard of it (a
killed writer left it) and it is older than Delta's own seven days, so that no writer that is still at
work loses what it is about to commit.

Source: Delta's ``VACUUM … USING INVENTORY``. Its paths begin with the scheme and are not encoded
(measured: with a space or a percent sign too); it protects the newest version itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.core.names import TableName
from lakeloom.objects.path import ObjectPath
from lakeloom.store.lake import Lake
from lakeloom.store.log import END, Past

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ORPHANS_S = 7 * 86_400
_CHANGES = "_change_data"
_VIEW = "lakeloom_inventory"
_SETTINGS = {
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    # Else each vacuum is two commits, and the newest version is never the published one.
    "spark.databricks.delta.vacuum.logging.enabled": "false",
}


@dataclass(frozen=True)
class Kept:
    """Versions `first` to `last` that stay readable, and why."""

    first: int
    last: int
    by: str


@dataclass(frozen=True)
class Found:
    """A file below a table's folder."""

    size: int
    modified_ms: int


@dataclass(frozen=True)
class Sweep:
    """What a vacuum takes and leaves.

    Attributes
    ----------
    files : tuple of str
        What goes, relative to the table.
    gone : tuple of (int, int)
        Versions that can't be read afterwards, as (first, last).
    left : int
        Files that stay although the newest version does not need them.
    """

    files: tuple[str, ...]
    bytes: int
    gone: tuple[tuple[int, int], ...]
    left: int


def window(past: Past, keep_s: float, now_ms: int) -> Kept:
    """Return the versions that were the newest at any moment of the last `keep_s` seconds."""
    first = past.head
    while first - 1 in past.times and past.times[first] >= now_ms - keep_s * 1000:
        first -= 1
    return Kept(first, past.head, "newest" if first == past.head else "keep")


def sweep(past: Past, kept: Sequence[Kept], present: Mapping[str, Found], now_ms: int) -> Sweep:
    """Return which of the files that are present no kept version needs.

    Parameters
    ----------
    kept : sequence of Kept
        The newest version among them.
    present : mapping
        File, relative to the table → what it is.
    """
    spans = [(each.first, each.last) for each in kept]
    going, gone, left = [], set[tuple[int, int]](), 0
    for path, found in present.items():
        lives = past.spans.get(path, [])
        known = bool(lives) or path in past.feeds
        if path in past.feeds:
            lives = [(past.feeds[path], past.feeds[path] + 1)]
        if known and any(since <= last and first < until for since, until in lives for first, last in spans):
            left += not any(until == END for _, until in lives)
        elif known or found.modified_ms < now_ms - ORPHANS_S * 1000:
            going.append(path)
            gone |= {(since, min(until - 1, past.head)) for since, until in lives if path not in past.feeds}
        else:
            left += 1
    size = sum(present[path].size for path in going)
    return Sweep(tuple(sorted(going)), size, tuple(merged(gone)), left)


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans (first, last) put together where they overlap or touch."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def inventory(lake: Lake, table: TableName | str) -> dict[str, Found]:
    """Return the table's files of rows, changes and deletion vectors, relative to it."""
    root = lake.folder(table)
    if isinstance(root, ObjectPath):
        return {
            name: Found(facts.st_size, facts.st_mtime_ns // 1_000_000) for name, facts in root.walk() if _counts(name)
        }
    found: dict[str, Found] = {}
    for folder, folders, files in os.walk(root):
        # What begins with an underscore is hidden from Delta, but for partitions by such a column.
        folders[:] = [name for name in folders if _open(name)]
        for name in files:
            if _data(name):
                file = Path(folder) / name
                facts = file.stat()
                found[file.relative_to(root).as_posix()] = Found(facts.st_size, facts.st_mtime_ns // 1_000_000)
    return found


def _open(folder: str) -> bool:
    return folder == _CHANGES or folder[0] not in "_." or "=" in folder


def _data(name: str) -> bool:
    return name[0] != "." and (name.endswith(".parquet") or name.startswith("deletion_vector_"))


def _counts(path: str) -> bool:
    *folders, name = path.split("/")
    return all(map(_open, folders)) and _data(name)


def delete(lake: Lake, table: TableName | str, files: Sequence[str], session: SparkSession | None) -> list[str]:
    """Delete files of a table and return those that went.

    Parameters
    ----------
    session : SparkSession or None
        A session of its own, which vacuums by inventory; None for the platform's own tables, which need no JVM.
    """
    root = lake.folder(table)
    if session is None:
        for name in files:
            (root / name).unlink(missing_ok=True)
    elif files:
        place = f"delta.`{root}`"
        location = str(session.sql(f"DESCRIBE DETAIL {place}").first()["location"])
        whole = str(root) if isinstance(root, ObjectPath) else f"{location.partition(':')[0]}:{root}"
        present = inventory(lake, table)
        rows = [(f"{whole}/{name}", present[name].size, False, present[name].modified_ms)
                for name in files if name in present]  # fmt: skip
        schema = "path string, length long, isDir boolean, modificationTime long"
        for name, value in _SETTINGS.items():
            session.conf.set(name, value)
        session.createDataFrame(rows, schema).createOrReplaceTempView(_VIEW)
        session.sql(f"VACUUM {place} USING INVENTORY (SELECT * FROM {_VIEW}) RETAIN 0 HOURS")  # noqa: S608 - our own path
        session.catalog.dropTempView(_VIEW)
    return [name for name in files if not (root / name).exists()]
