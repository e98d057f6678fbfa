"""A place in an object store that is asked as a path is: what lies there, its text, what lies below.

A storage root may be a folder or such a place. What needs a file system (a log that grows, a checkpoint that is
moved, links) has no word here and goes to `beside`, a folder of this machine.

A store has no folders: `mkdir` makes nothing, and a folder is there where something lies below it.
"""

from __future__ import annotations

import fnmatch
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, cast

from lakeloom.objects.base import Found, RootStore, TakenError
from lakeloom.objects.claim import claimed
from lakeloom.objects.opened import Opening
from lakeloom.objects.translated import address


@dataclass(frozen=True)
class Facts:
    """What `ObjectPath.stat` tells, named as by the system: bytes, and when it was put there; and its version."""

    st_size: int
    st_mtime_ns: int
    version: str = ""

    @property
    def st_mtime(self) -> float:
        """Seconds since 1970."""
        return self.st_mtime_ns / 1e9


@dataclass(frozen=True)
class ObjectPath:
    """A key of a bucket, or what begins with it and a slash.

    Attributes
    ----------
    opening : Opening
        Of the store; it holds secrets and is shown nowhere.
    key : str
        Without slashes at its ends.
    beside : Path
        The folder of this machine for what can't lie in a store.
    """

    opening: Opening
    key: str
    beside: Path

    def __truediv__(self, name: str) -> ObjectPath:
        return ObjectPath(self.opening, f"{self.key}/{name.strip('/')}".strip("/"), self.beside)

    def __str__(self) -> str:
        """Return its address, as Hadoop and delta-rs take it."""
        return address(self.opening, self.key)

    def __repr__(self) -> str:
        return f"ObjectPath({str(self)!r})"

    def __lt__(self, other: ObjectPath) -> bool:
        return self.key < other.key

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its last suffix."""
        return Path(self.name).stem

    @property
    def parent(self) -> ObjectPath:
        """What it lies in."""
        return ObjectPath(self.opening, self.key.rpartition("/")[0], self.beside)

    def with_suffix(self, suffix: str) -> ObjectPath:
        """Return the place beside it with another last suffix."""
        return self.parent / Path(self.name).with_suffix(suffix).name

    def exists(self) -> bool:
        """Return whether an object lies there, or something below it."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Return whether an object lies there."""
        return self.store.head(self.key) is not None

    def is_dir(self) -> bool:
        """Return whether something lies below it."""
        return next(iter(self.store.level(f"{self.key}/")), None) is not None

    def iterdir(self) -> Iterator[ObjectPath]:
        """Yield what lies directly below."""
        for found in self.store.level(f"{self.key}/"):
            key = found if isinstance(found, str) else found.key
            if key != f"{self.key}/":  # what others put there to say that there is a folder
                yield ObjectPath(self.opening, key.strip("/"), self.beside)

    def glob(self, pattern: str) -> Iterator[ObjectPath]:
        """Yield what lies below and fits a pattern, which has a part for each level."""
        first, _, rest = pattern.partition("/")
        for each in self.iterdir():
            if fnmatch.fnmatchcase(each.name, first):
                yield from each.glob(rest) if rest else (each,)

    def files(self) -> Iterator[tuple[str, Facts]]:
        """Yield the objects directly below, by their names; a thousand of them are one request."""
        for found in self.store.level(f"{self.key}/"):
            if not isinstance(found, str) and not found.key.endswith("/"):
                yield found.key[len(self.key) + 1 :], _facts(found)

    def walk(self) -> Iterator[tuple[str, Facts]]:
        """Yield the objects at any depth below, by their names relative to here."""
        for found in self.store.find(f"{self.key}/"):
            if not found.key.endswith("/"):
                yield found.key[len(self.key) + 1 :], _facts(found)

    def stat(self) -> Facts:
        """Return its size and time; raises FileNotFoundError."""
        found = self.store.head(self.key)
        if found is None:
            raise FileNotFoundError(str(self))
        return _facts(found)

    def read_bytes(self) -> bytes:
        """Return its content; raises FileNotFoundError."""
        content = self.store.get(self.key)
        if content is None:
            raise FileNotFoundError(str(self))
        return content

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return its content as text; raises FileNotFoundError."""
        return self.read_bytes().decode(encoding)

    def open(self, mode: str = "r", encoding: str = "utf-8") -> IO[Any]:
        """Return its content as a stream to read; raises FileNotFoundError."""
        if mode not in ("r", "rb"):
            raise ValueError(f"an object is put whole, not opened by {mode!r}")
        content = self.read_bytes()
        return io.BytesIO(content) if mode == "rb" else io.StringIO(content.decode(encoding))

    def write_text(self, text: str, encoding: str = "utf-8") -> None:
        """Put a text there, whole or not at all, over what lies there."""
        self.store.put(self.key, text.encode(encoding))

    def create_text(self, text: str) -> None:
        """Put a text there; raises FileExistsError where something lies there, also where it came just now."""
        try:
            claimed(self.store, self.key, text.encode())
        except TakenError:
            raise FileExistsError(str(self)) from None

    def unlink(self, missing_ok: bool = False) -> None:
        """Take the object away; raises FileNotFoundError where it is not there and that is not said to be fine."""
        if not missing_ok and not self.is_file():
            raise FileNotFoundError(str(self))
        self.store.delete(self.key)

    def clear(self) -> None:
        """Take away what lies there and below."""
        for found in list(self.store.find(f"{self.key}/")):
            self.store.delete(found.key)
        self.store.delete(self.key)

    @property
    def store(self) -> RootStore:
        """The store itself, for who needs its versions."""
        return _opened(self.opening)


@lru_cache(maxsize=64)
def _opened(opening: Opening) -> RootStore:
    # One client a bucket and process: each has its own connections.
    return cast("RootStore", opening.writing())


def beside(place: Path | ObjectPath) -> Path:
    """Return the folder of this machine for what can't lie in a store: the place itself where it is a folder."""
    return place if isinstance(place, Path) else place.beside


def _facts(found: Found) -> Facts:
    return Facts(found.size, int(found.changed.timestamp() * 1e9), found.version)


# Where a storage root may lie.
Location = Path | ObjectPath
