"""Which data files two versions do not share: all that has to be read to tell how their rows differ.

A file that both have, with the same deletion vector, holds the same rows of both. The two versions may be
of one table, or of a table and its clone in a branch, whose files are the same ones by content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakeloom.core.names import TableName
from lakeloom.objects.path import Location
from lakeloom.store.lake import Lake
from lakeloom.store.log import Snapshot, file_of, snapshot


@dataclass(frozen=True)
class Side:
    """One version of a table, and the files that only it has.

    Attributes
    ----------
    root : Path or ObjectPath
        The table's folder.
    rows : int or None
        Its rows by the log's statistics; None where a file has none.
    own : tuple of dict
        What the log says of the files that the other version does not have.
    """

    root: Location
    version: int
    snapshot: Snapshot
    rows: int | None
    files: int
    own: tuple[dict[str, Any], ...]

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The fields of its schema, as Delta writes them."""
        return list(json.loads(self.snapshot.metadata["schemaString"])["fields"])

    @property
    def all(self) -> tuple[dict[str, Any], ...]:
        """What the log says of all its files."""
        return tuple(self.snapshot.adds.values())


@dataclass(frozen=True)
class Place:
    """A version of a table under a storage root."""

    lake: Lake
    table: TableName
    version: int


def between(before: Place, after: Place) -> tuple[Side, Side]:
    """Return both versions with the files that only they have; raises as `lakeloom.store.log.live`."""
    found = [snapshot(place.lake, place.table, place.version) for place in (before, after)]
    roots = [place.lake.folder(place.table) for place in (before, after)]
    name = _path if roots[0] == roots[1] else _content
    named = [{name(root, key): add for key, add in each.adds.items()} for root, each in zip(roots, found, strict=True)]
    sides = []
    for index, place in enumerate((before, after)):
        own = tuple(add for name, add in named[index].items() if name not in named[1 - index])
        files = [file_of(add) for add in named[index].values()]
        told = all(_told(add) for add in named[index].values())
        rows = sum(file.rows - file.deleted for file in files) if told else None
        sides.append(Side(roots[index], place.version, found[index], rows, len(files), own))
    return sides[0], sides[1]


def _path(root: Location, key: tuple[str, str]) -> tuple[str, ...]:
    return key


def _content(root: Location, key: tuple[str, str]) -> tuple[str, ...]:
    """Return what names a file's content across folders: the file itself, which a clone shares by a hard link."""
    path, mark = key
    if not isinstance(root, Path):  # nothing is shared in a store
        return (str(root / path), mark)
    file = root / unquote(path.removeprefix("file://"))
    try:
        facts = file.stat()
    except OSError:  # it was vacuumed: whoever reads it says so
        return (str(file), mark)
    return (str(facts.st_dev), str(facts.st_ino), mark)


def _told(add: Mapping[str, Any]) -> bool:
    return json.loads(add.get("stats") or "{}").get("numRecords") is not None
