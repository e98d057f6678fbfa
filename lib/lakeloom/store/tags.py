"""Tags: one name for a consistent set of versions over many tables (and models), in ``meta.refs``.

A tag never moves: it is made once, read, and deleted. All of its rows are one commit, so it is there
whole or not at all. It holds each table's own id as well: of a table that was dropped and made anew,
the same number is another version, and reading it by the tag is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import LAYERS, TAG, TableRef
from lakeloom.store import refs
from lakeloom.store.identity import gone, identity
from lakeloom.store.lake import Lake
from lakeloom.store.meta import rows

LAST_GOOD = "last-good"
_RESERVED = frozenset({refs.GOOD, LAST_GOOD, "newest"})
_NAME = re.compile(TAG)


@dataclass(frozen=True)
class Tag:
    """A name for versions.

    Attributes
    ----------
    at : datetime
        When it was made, in UTC.
    who : str
        The user who made it.
    versions : dict
        Table (``layer.name``) or model (``models.name``) → version.
    ids : dict
        Table → Delta's id of it.
    """

    name: str
    at: datetime
    who: str
    versions: dict[str, int]
    ids: dict[str, str]

    @property
    def tables(self) -> dict[str, int]:
        """The versions of tables alone."""
        return {name: version for name, version in self.versions.items() if name.partition(".")[0] in LAYERS}

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``tag --json``."""
        return {"name": self.name, "at": self.at.isoformat(), "who": self.who, "versions": self.versions}


def require_name(name: str) -> None:
    """Refuse what is no tag's name (LL-STORE-014): letters, digits, ``_``, ``-`` and dots, a letter first."""
    if _NAME.fullmatch(name) is None or name in _RESERVED:
        raise StoreError(
            "LL-STORE-014",
            f"'{name}' can't be a tag: it begins with a letter, has letters, digits, _, - and dots, and is none of"
            f" {', '.join(sorted(_RESERVED))}",
            fix="name it like release-7",
        )


def tags(lake: Lake) -> list[Tag]:
    """Return all tags, oldest first."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    # Not the rows of publications, of which there are hundreds of thousands after years.
    asked = f"SELECT * FROM t WHERE name <> '{refs.GOOD}'"  # noqa: S608 - a constant
    for row in sorted(rows(lake, refs.TABLE, asked), key=lambda row: row["order"]):
        named = found.setdefault(row["name"], {})
        if row["version"] is None:
            named.pop(row["table"], None)
        else:
            named[row["table"]] = row
    made = []
    for name, named in found.items():
        if named:
            first = next(iter(named.values()))
            versions = {table: row["version"] for table, row in named.items()}
            ids = {table: row["id"] for table, row in named.items() if row.get("id")}
            made.append(Tag(name, first["at"], first.get("who") or "", versions, ids))
    return sorted(made, key=lambda tag: (tag.at, tag.name))


def find(lake: Lake, name: str) -> Tag:
    """Return a tag; raises LL-STORE-002 where there is none of that name."""
    known = {tag.name: tag for tag in tags(lake)}
    if name not in known:
        near = nearest(name, list(known))
        raise StoreError(
            "LL-STORE-002",
            f"there is no tag '{name}'; the tags are {', '.join(known) or 'none yet'}",
            fix=f"use '{near}'" if near else f"make it: lakeloom tag {name}",
        )
    return known[name]


def tag(lake: Lake, name: str, versions: Mapping[str, int], *, who: str, at: datetime) -> Tag:
    """Name versions, which must be readable; making the same tag again changes nothing.

    Raises
    ------
    StoreError
        LL-STORE-014 for a malformed name, LL-STORE-015 where the tag means other versions already, LL-STORE-001,
        LL-STORE-002 and LL-STORE-012 where a version is not there any more.
    """
    require_name(name)
    made = Tag(name, at, who, dict(sorted(versions.items())), {})
    for table, version in made.tables.items():
        lake.require(table, lake.delta(table, version).version())
        made.ids[table] = identity(lake, table)
    there = next((each for each in tags(lake) if each.name == name), None)
    if there is not None:
        if (there.versions, there.ids) == (made.versions, made.ids):
            return there
        raise StoreError(
            "LL-STORE-015",
            f"the tag '{name}' was made at {there.at.isoformat()[:19]} and means other versions; a tag never moves",
            fix=f"take another name, or delete it first: lakeloom tag {name} --delete",
        )
    change = {"name": name, "step": "", "epoch": 0, "run": "", "at": at, "who": who}
    refs.record(
        lake,
        [
            change | {"table": table, "version": version, "id": made.ids.get(table)}
            for table, version in made.versions.items()
        ],
    )
    return made


def untag(lake: Lake, name: str, *, who: str, at: datetime) -> Tag:
    """Delete a tag and return what it meant; its versions are no longer kept for it. Raises LL-STORE-002."""
    gone = find(lake, name)
    change = {"name": name, "version": None, "step": "", "epoch": 0, "run": "", "at": at, "who": who}
    refs.record(lake, [change | {"table": table} for table in gone.versions])
    return gone


def resolve(lake: Lake, ref: TableRef, good: int | None, tag: Tag | None = None) -> int:
    """Return the version that `ref` means; without a point, or as ``last-good``, it is `good`.

    Parameters
    ----------
    tag : Tag, optional
        The tag of `ref`, where it has been looked up.

    Raises
    ------
    StoreError
        LL-STORE-002 where there is no such version, time or tag, or the tag does not name the table, LL-STORE-012
        where the version was vacuumed, LL-STORE-016 where the tag means a table of that name that is gone.
    """
    if ref.tag is None or ref.tag == LAST_GOOD:
        return lake.resolve(TableRef(ref.table, ref.version, ref.time), good)
    table, found = str(ref.table), tag or find(lake, ref.tag)
    if table not in found.versions:
        raise StoreError(
            "LL-STORE-002",
            f"the tag '{ref.tag}' names no version of {table}",
            where=table,
            fix=f"see 'lakeloom tag' for what it names, or read another version of {table}",
        )
    if found.ids.get(table, "") not in ("", identity(lake, ref.table)):
        raise gone(table, f"the tag '{ref.tag}' means {table}@{found.versions[table]} of a table that is gone")
    return lake.resolve(TableRef(ref.table, found.versions[table]), good)
