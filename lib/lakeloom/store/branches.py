"""Branches of a storage root: roots of their own under ``<root>/branches``, which share the data files of main.

A branch begins as what readers of main saw at one moment: each table at its last good version, under the same
version numbers and with all of its history, the intents of the executions that were published, what streams
and models left. So a step on a branch decides what it would decide on main. Nothing of one is ever written
by the other: they only have names for the same bytes.

It appears whole, by a rename, and goes by one; what a killed process left half made or half gone is taken
away by the next one.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from lakeloom.core.errors import BranchError, StoreError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import LAYERS, TableName
from lakeloom.objects.path import Location
from lakeloom.store import refs
from lakeloom.store.clones import share, share_folder
from lakeloom.store.intents import Intents, folder_of
from lakeloom.store.intents import replace as put
from lakeloom.store.lake import Lake

FOLDER = "branches"
_RECORD = "branch.json"
# Files in them are written once, or replaced whole.
_SHARED = ("lineage", "models", "streams", "vacuumed", "fixes", "profiles")


@dataclass(frozen=True)
class Branch:
    """A branch, and what it began with.

    Attributes
    ----------
    at : str
        When it was made: ISO time in UTC.
    base : dict
        Table or model → its last good version on main then.
    epochs : dict
        Step → its last published epoch on main then.
    promoted : str
        When it was promoted last, as ISO time; empty for never.
    """

    name: str
    at: str
    who: str
    base: dict[str, int]
    epochs: dict[str, int]
    promoted: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``branch --json``."""
        return {name: value for name, value in asdict(self).items() if name != "epochs"}


def place(root: Location, name: str) -> Location:
    """Return the storage root of a branch."""
    return root / FOLDER / name


def exists(root: Location, name: str) -> bool:
    """Return whether there is a branch of that name."""
    return (place(root, name) / _RECORD).exists()


def branches(root: Location) -> list[Branch]:
    """Return all branches, oldest first."""
    folder = root / FOLDER
    names = [entry.name for entry in folder.iterdir() if entry.name[0] != "."] if folder.is_dir() else []
    return sorted((read(root, name) for name in names if exists(root, name)), key=lambda branch: branch.at)


def read(root: Location, name: str) -> Branch:
    """Return a branch; raises LL-BRANCH-001 where there is none of that name."""
    file = place(root, name) / _RECORD
    try:
        return Branch(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        folder = root / FOLDER
        known = sorted(entry.name for entry in folder.iterdir() if exists(root, entry.name)) if folder.is_dir() else []
        near = nearest(name, known)
        raise BranchError(
            "LL-BRANCH-001",
            f"there is no branch '{name}'; the branches are {', '.join(known) or 'none yet'}",
            fix=f"use '{near}'" if near else f"make it: lakeloom run --branch {name}",
        ) from None
    except (ValueError, TypeError) as cause:
        raise StoreError("LL-STORE-005", f"the record of the branch {name} is damaged", where=str(file)) from cause


def make(lake: Lake, name: str, *, who: str, at: datetime) -> Branch:
    """Make a branch of what is published; the caller holds main's lock, and no execution is unfinished on it.

    Raises
    ------
    BranchError
        LL-BRANCH-001 where it exists.
    StoreError
        LL-STORE-019 where files can't be shared there.
    """
    if exists(lake.root, name):
        raise BranchError("LL-BRANCH-001", f"the branch '{name}' exists already", fix="take another name, or delete it")
    tidy(lake.root)
    draft = folder_of(place(lake.root, f".draft-{name}"))
    other, base = Lake(draft), refs.good(lake)
    for table, version in base.items():
        if table.partition(".")[0] in LAYERS and lake.exists(table):
            share(lake, TableName.parse(table), version, other)
    if lake.exists(refs.TABLE):
        share(lake, refs.TABLE, lake.version(refs.TABLE), other)
    intents = Intents(lake.root)
    epochs = {step: last for step in intents.steps() if (last := intents.share(step, Intents(draft))) is not None}
    for folder in _SHARED:
        shared = folder_of(lake.root / folder)
        if shared.is_dir():
            share_folder(shared, draft / folder)
    made = Branch(name, at.isoformat(), who, base, epochs)
    _write(draft, made)
    draft.replace(folder_of(place(lake.root, name)))
    return made


def promoted(root: Location, branch: Branch, at: datetime) -> Branch:
    """Note that a branch was promoted, unless it was deleted meanwhile; the caller holds main's lock."""
    told = replace(branch, promoted=at.isoformat())
    if exists(root, branch.name) and read(root, branch.name).at == branch.at:
        _write(place(root, branch.name), told)
    return told


def drop(root: Location, name: str) -> Branch:
    """Delete a branch, and return what it was; raises LL-BRANCH-001."""
    gone = read(root, name)
    folder = folder_of(place(root, name))
    folder.replace(folder.with_name(f".gone-{name}-{gone.at.replace(':', '')}"))
    tidy(root)
    return gone


def tidy(root: Location) -> None:
    """Take away what a killed process has left half made or half gone."""
    folder = folder_of(root / FOLDER)
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.name.startswith((".draft-", ".gone-")):
            shutil.rmtree(entry, ignore_errors=True)


def _write(folder: Location, branch: Branch) -> None:
    put(folder / _RECORD, json.dumps(asdict(branch), indent=1))
