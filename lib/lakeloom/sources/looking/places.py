"""Where files are looked at: a folder of this machine, or the objects of a store below one beginning."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from lakeloom.core.errors import SourceError
from lakeloom.objects.address import Address, is_address
from lakeloom.objects.base import Found, MovedError
from lakeloom.objects.opened import opening
from lakeloom.sources import listing

# So many names say how a place is laid out.
MOST = 20_000


@dataclass(frozen=True)
class Entry:
    """A file: its name below the place, with ``/`` between folders, and its size in bytes."""

    name: str
    size: int


class Place(Protocol):
    """A folder, or what begins with an address."""

    def entries(self) -> list[Entry]:
        """Return at most `MOST` files, by name; those whose names begin with ``_`` or ``.`` are left out."""

    def path(self, pattern: str) -> str:
        """Return what ``path:`` says of a name or glob below the place."""

    def fetch(self, entry: Entry, to: Path, limit: int) -> bool:
        """Write a file's first `limit` bytes to `to`; return whether that is all of it."""


class Folder:
    """A folder of this machine; paths below the project's home are written relative to it."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder.absolute(), home.absolute()

    def entries(self) -> list[Entry]:
        """Return the files below the folder."""
        return list(islice(self._walk(), MOST))

    def _walk(self) -> Iterator[Entry]:
        for here, folders, files in os.walk(self.folder):
            folders[:] = sorted(each for each in folders if not each.startswith(("_", ".")))
            for name in sorted(each for each in files if not each.startswith(("_", "."))):
                full = Path(here) / name
                if full.is_file():
                    yield Entry(full.relative_to(self.folder).as_posix(), full.stat().st_size)

    def path(self, pattern: str) -> str:
        """Return the path from the home on, or from the root where it is not below the home."""
        full = self.folder / pattern
        return full.relative_to(self.home).as_posix() if full.is_relative_to(self.home) else full.as_posix()

    def fetch(self, entry: Entry, to: Path, limit: int) -> bool:
        """Copy the beginning of a file."""
        try:
            with (self.folder / entry.name).open("rb") as file:
                to.write_bytes(file.read(limit))
        except OSError as cause:
            raise SourceError(
                "LL-SOURCE-001", f"{entry.name} can't be opened ({type(cause).__name__})", fix="check its permissions"
            ) from cause
        return entry.size <= limit


class Objects:
    """The objects of a store below the folder that an address names."""

    def __init__(
        self, address: Address, folder: str, stores: Mapping[str, Mapping[str, Any]], begin: str | None = None
    ) -> None:
        self.address, self.folder, self._begin = address, folder, folder if begin is None else begin
        self._store = opening(address, stores).open()
        self._found: dict[str, Found] = {}

    def entries(self) -> list[Entry]:
        """Return the objects below the folder."""
        for each in islice(self._all(), MOST):
            name = each.key.removeprefix(self.folder)
            if name and not any(part.startswith(("_", ".")) for part in name.split("/")):
                self._found[name] = each
        return [Entry(name, each.size) for name, each in sorted(self._found.items()) if not name.endswith("/")]

    def _all(self) -> Iterator[Found]:
        """Yield what lies there; a folder that refuses to be looked into keeps no other from being seen."""
        walk = getattr(self._store, "walk", None)
        if walk is None:
            yield from self._store.find(self._begin)
            return
        for each in walk(self._begin, lambda folder: not folder.rpartition("/")[2].startswith(("_", "."))):
            if isinstance(each, Found) and listing.is_text(each.key):
                yield each

    def path(self, pattern: str) -> str:
        """Return the address."""
        return self.address.of(self.folder + pattern)

    def fetch(self, entry: Entry, to: Path, limit: int) -> bool:
        """Fetch the beginning of an object."""
        found = self._found[entry.name]
        try:
            to.write_bytes(self._store.part(found, 0, min(limit, found.size)) if found.size else b"")
        except MovedError:
            raise SourceError(
                "LL-SOURCE-001", f"{entry.name} was listed and is another object now", fix="look again", transient=True
            ) from None
        return found.size <= limit


def place_of(text: str, home: Path, stores: Mapping[str, Mapping[str, Any]]) -> tuple[Place, str]:
    """Return where files are to be looked at, and the glob that was asked for; empty for a folder.

    Raises
    ------
    SourceError
        LL-SOURCE-001 where there is nothing.
    ConfigError
        LL-CONF-004, LL-CONF-020 for what is no address.
    """
    if is_address(text):
        bare = text if text.partition("://")[2].strip("/").count("/") else text.rstrip("/") + "/**"
        address = Address.parse(bare, "--from")
        if address.scheme.startswith("http") or not address.plain:
            at = address.prefix.rpartition("/")[0]
            return Objects(address, at + "/" if at else "", stores, address.prefix), address.pattern[
                len(at) + bool(at) :
            ]
        return _named(address, stores)
    full = home / text if not Path(text).is_absolute() else Path(text)
    if full.is_dir():
        return Folder(full, home), ""
    if full.is_file():
        return Folder(full.parent, home), full.name
    if not any(sign in text for sign in "*?["):
        raise SourceError("LL-SOURCE-001", f"there is no file or folder '{text}'", fix="mend the path")
    listing.find(text, home)  # says which folder is not there
    top = full.parent
    while any(sign in str(top) for sign in "*?["):
        top = top.parent
    return Folder(top, home), full.relative_to(top).as_posix()


def _named(address: Address, stores: Mapping[str, Mapping[str, Any]]) -> tuple[Place, str]:
    """Return the place of an address without a glob: of one object, or of all that lie in it as in a folder."""
    key = address.pattern.rstrip("/")
    folder, _, name = key.rpartition("/")
    one = Objects(address, folder + "/" if folder else "", stores, key)
    if not address.pattern.endswith("/") and any(each.name == name for each in one.entries()):
        return one, name
    return Objects(address, f"{key}/", stores), ""
