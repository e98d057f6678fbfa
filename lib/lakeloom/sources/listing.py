"""Listing a landing folder: which files are there, by name, size and time of change; no bytes are read.

Names that start with ``_`` or ``.`` are left out, as Spark does: by custom they are unfinished.
"""

from __future__ import annotations

import glob
import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from lakeloom.core.errors import SourceError
from lakeloom.sources.globbing import matches


@dataclass(frozen=True)
class Listed:
    """A file as the folder lists it, or an object that was fetched from a store.

    Attributes
    ----------
    path : str
        Its name in ledgers: a path, or an object's address.
    size : int
        In bytes.
    mtime_ns : int
        When it was changed.
    version : str or None
        Of an object, what its store says.
    at : str or None
        Of an object, where its bytes lie, as a path that `full_path` takes.
    """

    path: str
    size: int
    mtime_ns: int
    version: str | None = None
    at: str | None = None

    @property
    def place(self) -> str:
        """Where its bytes lie, as a path that `full_path` takes."""
        return self.at or self.path


def find(pattern: str, base: Path) -> list[Listed]:
    """Return the files that match, ordered by path.

    Parameters
    ----------
    pattern : str
        A path or glob (``*``, ``?``, ``[…]``, ``**``), relative to `base` or absolute.
    base : Path
        The project's home.

    Raises
    ------
    SourceError
        LL-SOURCE-001 where the folder does not exist (transient: it may be mounted late);
        LL-SOURCE-004 where a plain path names a folder.
    """
    whole = base.absolute() / pattern
    folder = whole.parent
    while glob.has_magic(str(folder)):
        folder = folder.parent
    if not folder.is_dir():
        raise SourceError(
            "LL-SOURCE-001",
            f"the landing folder of '{pattern}' does not exist or is not mounted",
            fix="make the folder or mend the path; relative paths start at the project's home",
            transient=True,
        )
    if whole.is_dir():
        raise SourceError("LL-SOURCE-004", f"'{pattern}' is a folder", fix=f"write {pattern.rstrip('/')}/*.csv")
    found: dict[str, Listed] = {}
    for place, entries in matches(str(whole)):
        # One name for the folder, and not a path for each of its files.
        before = ledger_path(Path(place) / "x", pattern, base)[:-1]
        for entry in entries:
            if entry.name.startswith(("_", ".")):
                continue
            try:
                about = entry.stat()
            except FileNotFoundError:
                continue  # moved away since it was listed
            if stat.S_ISREG(about.st_mode):
                path = before + entry.name
                found[path] = Listed(path, about.st_size, about.st_mtime_ns)
    return [found[path] for path in sorted(found)]


def spelt(listed: list[Listed]) -> tuple[list[Listed], dict[str, list[str]]]:
    """Return the files whose names are text, and in words those whose are not, under ``refused`` as a batch tells it.

    Neither Spark nor a table can name a file by bytes that are no UTF-8.
    """
    good = [each for each in listed if is_text(each.path)]
    names = [os.fsencode(each.path).decode("utf-8", "backslashreplace") for each in listed if not is_text(each.path)]
    if not names:
        return good, {}
    told = "1 file has a name that is" if len(names) == 1 else f"{len(names):,} files have names that are"
    left = "was left where it lies" if len(names) == 1 else "were left where they lie"
    return good, {"refused": [f"LL-SOURCE-004: {told} no UTF-8 and {left}: {', '.join(names[:3])}"]}


def is_text(name: str) -> bool:
    """Return whether a name is UTF-8, where it lies too."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def ledger_path(path: Path, pattern: str, base: Path) -> str:
    """Return the file's name in ledgers: relative to `base`, unless the config names an absolute place outside."""
    relative = os.path.relpath(path, base.absolute())
    if relative.startswith("..") and Path(pattern).is_absolute():
        return Path(os.path.normpath(path)).as_posix()
    return Path(relative).as_posix()


# An object's address, as Hadoop writes it.
_REMOTE = re.compile(r"(?:s3a|gs|abfss?)://[^/]+")


def full_path(path: str, base: Path) -> str:
    """Return where the file of a ledger's entry lies; links are not followed, since Spark doesn't either.

    What Spark reads in a store has its address there.
    """
    return path if _REMOTE.match(path) else os.path.normpath(base.absolute() / path)


def spark_path(path: str) -> str:
    """Return a full path so that Spark reads that one file: signs that it takes for a glob are escaped.

    (Its internal switch against globs is no way: with it, one such name in a list doubles the others.)
    """
    return ("" if _REMOTE.match(path) else "file:") + re.sub(r"([\[\]{}*?\\])", r"\\\1", path)


def uri(path: str) -> str:
    """Return a full path as Spark's file metadata writes it: with Java's escapes, which are not Python's.

    Java leaves letters of other scripts as they are and escapes controls and blanks of any kind.

    Source: java.net.URI, "Identities" and "Character categories".

    Examples
    --------
    >>> uri("/in/a b[1].csv")
    'file:/in/a%20b%5B1%5D.csv'
    """
    remote = _REMOTE.match(path)
    before = remote.group() if remote else ""
    return (before or "file:") + "".join(_escaped(letter) for letter in path[len(before) :])


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-!.~'()*,;:$&+=@/")


def _escaped(letter: str) -> str:
    category = unicodedata.category(letter)
    if letter in _PLAIN or (ord(letter) > 127 and category != "Cc" and not category.startswith("Z")):
        return letter
    return "".join(f"%{byte:02X}" for byte in letter.encode())
