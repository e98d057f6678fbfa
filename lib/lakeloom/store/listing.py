"""What lies directly in a folder of the root, by one look: names, sizes, and a mark that tells contents apart.

In an object store each question is a request. A listing answers many at once: whether a table is there, whether a
commit is empty, whether anything has come since it was read last.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lakeloom.objects.path import Location


@dataclass(frozen=True)
class Listed:
    """A file as a listing tells it.

    Attributes
    ----------
    size : int
        In bytes.
    mark : str
        Another one for other content under the same name: ETag or generation; in a folder the file's number and time.
    changed_s : float
        When it was put there, in seconds since 1970.
    """

    size: int
    mark: str
    changed_s: float


Listing = dict[str, Listed]


def listed(folder: Location) -> Listing:
    """Return the files directly in a folder by their names; none where it is not there."""
    if not isinstance(folder, Path):
        return {name: Listed(facts.st_size, facts.version, facts.st_mtime) for name, facts in folder.files()}
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # it has gone since it was listed
                    facts = entry.stat()
                    mark = f"{facts.st_ino}-{facts.st_mtime_ns}"
                    found[entry.name] = Listed(facts.st_size, mark, facts.st_mtime)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return found


def names_at(folder: Location) -> Iterator[str]:
    """Yield the names of what lies directly in a folder, sizes and times unasked; none where it is not there."""
    try:
        yield from (each.name for each in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
