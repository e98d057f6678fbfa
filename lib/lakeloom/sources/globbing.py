"""Files that match a glob, folder by folder: one look at each folder tells names, sizes and times together.

The rules are those of `glob.glob(…, recursive=True)`, which makes a path of every name and asks for each one again: a
folder of 100,000 files took it four times as long.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import translate
from glob import has_magic
from pathlib import Path
from typing import Any, Protocol


class Named(Protocol):
    """An entry of a folder: `os.DirEntry`, or a path."""

    @property
    def name(self) -> str:
        """Its name in the folder."""

    def stat(self) -> os.stat_result:
        """Return what it is; links are followed."""


def matches(pattern: str) -> Iterator[tuple[str, Sequence[Named]]]:
    """Yield folders with what in them matches; a folder may come twice where ``**`` does.

    Parameters
    ----------
    pattern : str
        An absolute path with ``*``, ``?``, ``[…]`` and ``**``. What begins with a dot matches only where the pattern
        does so too.
    """
    parts = pattern.split("/")
    first = next((at for at, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    yield from _below("/".join(parts[:first]), parts[first:])


def _below(folder: str, parts: Sequence[str]) -> Iterator[tuple[str, Sequence[Named]]]:
    part, rest = parts[0], parts[1:]
    if part == "**":
        for each in _folders(folder):
            if rest:
                yield from _below(each, rest)
            else:
                yield each, [entry for entry in _scanned(each) if not entry.name.startswith(".")]
    elif rest and not has_magic(part):
        yield from _below(f"{folder}/{part}", rest)
    elif rest:
        fits = _rule(part)
        for entry in _scanned(folder):
            if fits(entry.name) and _is_folder(entry):
                yield from _below(f"{folder}/{entry.name}", rest)
    elif has_magic(part):
        fits = _rule(part)
        yield folder, [entry for entry in _scanned(folder) if fits(entry.name)]
    elif os.path.lexists(f"{folder}/{part}"):
        yield folder, [Path(folder, part)]


def _folders(folder: str) -> Iterator[str]:
    """Yield a folder and all below it, but for those whose names begin with a dot."""
    yield folder
    for entry in _scanned(folder):
        if not entry.name.startswith(".") and _is_folder(entry):
            yield from _folders(f"{folder}/{entry.name}")


def _scanned(folder: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing of one that is none, or may not be read."""
    try:
        with os.scandir(folder or "/") as entries:
            return list(entries)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _rule(part: str) -> Callable[[str], Any]:
    rule = re.compile(translate(part)).match
    if part.startswith("."):
        return rule
    return lambda name: not name.startswith(".") and rule(name)
