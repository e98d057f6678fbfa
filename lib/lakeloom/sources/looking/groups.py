"""Files of a place → sources: which of them belong together, under which name and glob. Pure.

What lies directly in the place belongs together where the names differ only in numbers (dates and hashes among them);
a folder in it is a source of its own for each ending, unless its name is a part of a date or says ``key=value``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lakeloom.core.errors import SourceError
from lakeloom.objects.address import Address
from lakeloom.sources.looking.places import Entry

_NUMBERS = re.compile(r"[0-9a-fA-F-]{16,}|\d[\d_.:T-]*")
_PARTED = re.compile(r".*=.*|[\d_.:T-]+")
_PACKED = frozenset((".gz", ".bz2", ".xz", ".zst", ".zstd", ".lz4"))


@dataclass(frozen=True)
class Group:
    """Files that are one source.

    Attributes
    ----------
    name : str
        For the source: lower case letters, digits and underscores.
    pattern : str
        A name or glob below the place.
    entries : tuple of Entry
    """

    name: str
    pattern: str
    entries: tuple[Entry, ...]


def groups(entries: Sequence[Entry], pattern: str, called: str) -> list[Group]:
    """Return the sources in the order of their names.

    Parameters
    ----------
    pattern : str
        The glob or file that was asked for; empty for whatever there is.
    called : str
        The last part of the place's own name.

    Raises
    ------
    SourceError
        LL-SOURCE-008 where there is nothing, or a table of Delta or Iceberg.
    """
    if pattern:
        rule = Address("file", "", pattern)
        taken = [each for each in entries if rule.matches(each.name) or each.name == pattern]
        stem = _stem(PurePosixPath(pattern).name)
        return [Group(named(stem or called), pattern, tuple(_some(taken, pattern)))]
    _some(entries, called)
    found: dict[str, Group] = {}
    for folder, members in _by_folder(entries).items():
        path = f"{folder}/" if folder else ""
        deep = any("/" in each.name.removeprefix(path) for each in members)
        for (stem, ending), own in _alike(members, apart=not folder and not deep).items():
            only = len({_ending(each.name) for each in members}) == 1 and (folder or len(members) == len(own))
            name = named(folder.rpartition("/")[2] or stem or called)
            while name in found:
                name = _next(name)
            glob = f"*{ending}" if only or deep or folder else _glob([each.name for each in own], ending)
            found[name] = Group(name, path + ("**/" if deep else "") + glob, tuple(own))
    return [found[name] for name in sorted(found)]


def named(text: str) -> str:
    """Return a source's name made of a file's, folder's or table's.

    Examples
    --------
    >>> named("Order Lines-2026"), named("2026")
    ('order_lines_2026', 'source_2026')
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
    return name if name[:1].isalpha() else f"source_{name}".rstrip("_")


def _some(entries: Sequence[Entry], place: str) -> Sequence[Entry]:
    if not entries:
        raise SourceError(
            "LL-SOURCE-008", f"there is no file in '{place}'", fix="name a folder, file or glob with some"
        )
    return entries


def _stem(name: str) -> str:
    """Return a file's name without its endings, and without what is a number, a date or a glob in it."""
    bare = name.partition(".")[0] if not name.startswith("*") else ""
    return _NUMBERS.sub("", re.sub(r"[*?\[\]]", "", bare)).strip("_-. ")


def _next(name: str) -> str:
    head, mark, number = name.rpartition("_")
    return f"{head}_{int(number) + 1}" if mark and number.isdigit() and len(number) < 3 else f"{name}_2"


def _by_folder(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the files by the folder that is a source: the deepest whose name is no part of a date or partition."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        parts = entry.name.split("/")[:-1]
        while parts and _PARTED.fullmatch(parts[-1]):
            parts.pop()
        found.setdefault("/".join(parts), []).append(entry)
    return found


def _alike(entries: Sequence[Entry], *, apart: bool) -> dict[tuple[str, str], list[Entry]]:
    """Return the files of a folder by stem and ending; by ending alone where they are not to be kept apart."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        name = entry.name.rpartition("/")[2]
        found.setdefault((_stem(name) if apart else "", _ending(name)), []).append(entry)
    return found


def _glob(names: Sequence[str], ending: str) -> str:
    """Return what takes files of one stem and none of a longer one."""
    if len(names) == 1:
        return re.sub(r"([*?\[])", r"[\1]", names[0])
    heads = {re.match(r"\D*", name).group() for name in names}  # type: ignore[union-attr]  # it matches nothing at least
    return f"{heads.pop()}[0-9]*{ending}" if len(heads) == 1 else f"*{ending}"


def _ending(name: str) -> str:
    """Return what a file is and how it is packed, such as ``.csv.gz``."""
    path = PurePosixPath(name)
    last = path.suffix
    return "".join(path.suffixes[-2:]) if last.lower() in _PACKED else last
