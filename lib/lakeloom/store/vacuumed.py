"""What vacuum has taken away: ``<root>/vacuumed/<layer>.<name>.json``, written before the first file goes.

A version that lost a file can't be read again, and is refused by name and date instead of by a file
that is not found. Written first, since a vacuum may be killed at any moment: from then on the
versions count as gone, whether or not a file of theirs is still there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.objects.path import Location
from lakeloom.store.intents import replace


@dataclass(frozen=True)
class Vacuum:
    """One vacuum that made versions unreadable: when, and the versions, as (first, last)."""

    at: str
    gone: tuple[tuple[int, int], ...]


def is_noted(root: Location, table: TableName | str) -> bool:
    """Return whether vacuum has ever taken versions of a table of this name."""
    return _file(root, table).is_file()


def noted(root: Location, table: TableName | str, identity: str) -> list[Vacuum]:
    """Return what vacuum has taken of a table, oldest first.

    Parameters
    ----------
    identity : str
        The table's id in Delta's log: one that was made anew by hand has another, and has lost nothing.
    """
    file = _file(root, table)
    if not file.exists():
        return []
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        vacuums = [Vacuum(each["at"], tuple((int(a), int(b)) for a, b in each["gone"])) for each in found["vacuums"]]
        return vacuums if found["id"] == identity else []
    except (ValueError, KeyError, TypeError) as cause:
        raise StoreError("LL-STORE-005", f"what was vacuumed of {table} is damaged", where=str(file)) from cause


def unnoted(
    root: Location, table: TableName | str, identity: str, gone: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return, of runs of versions, those that are not noted yet."""
    return _fresh(noted(root, table, identity), gone)


def _fresh(before: Iterable[Vacuum], gone: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    known = [span for each in before for span in each.gone]
    return ranges(at for first, last in gone for at in range(first, last + 1) if not _within(at, known))


def note(root: Location, table: TableName | str, identity: str, vacuum: Vacuum) -> None:
    """Note that versions are about to lose files; those that are noted already are not noted again."""
    before = noted(root, table, identity)
    fresh = _fresh(before, vacuum.gone)
    if not fresh:
        return
    told = [*before, Vacuum(vacuum.at, tuple(fresh))]
    document = {"id": identity, "vacuums": [{"at": each.at, "gone": each.gone} for each in told]}
    replace(_file(root, table), json.dumps(document, indent=1))


def lost(vacuums: Iterable[Vacuum], version: int) -> str | None:
    """Return when a version lost its files, as ISO time; None where it can still be read."""
    return next((each.at for each in vacuums if _within(version, each.gone)), None)


def ranges(versions: Iterable[int]) -> list[tuple[int, int]]:
    """Return runs (first, last) of the versions, in order."""
    found: list[tuple[int, int]] = []
    for version in sorted(set(versions)):
        if found and version == found[-1][1] + 1:
            found[-1] = (found[-1][0], version)
        else:
            found.append((version, version))
    return found


def spoken(spans: Iterable[tuple[int, int]]) -> str:
    """Return runs of versions as people write them: ``1–4, 7``."""
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in spans) or "none"


def _within(version: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(first <= version <= last for first, last in spans)


def _file(root: Location, table: TableName | str) -> Location:
    return root / "vacuumed" / f"{table}.json"
