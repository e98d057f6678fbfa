"""Small files of the root that are read again and again: in a store each once, several of them side by side.

A text is kept by the mark of its file, which a listing tells: one that was written anew is read anew.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lakeloom.objects.path import Location
from lakeloom.store.listing import Listing

_AT_A_TIME = 8
_LARGEST = 1 << 16  # bytes of a text that is kept
_MOST = 4096  # of them


class Texts:
    """Texts by folder and name."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, bytes]] = {}
        self._lock = threading.Lock()

    def of(self, folder: Location, there: Listing, names: Sequence[str]) -> dict[str, bytes]:
        """Return the content of some of the files that a listing has.

        Raises
        ------
        FileNotFoundError
            Where one has gone since.
        """
        if isinstance(folder, Path):
            return {name: (folder / name).read_bytes() for name in names}
        kept = {name: self._kept.get(f"{folder}/{name}") for name in names}
        found = {name: text[1] for name, text in kept.items() if text is not None and text[0] == there[name].mark}
        lacking = [name for name in names if name not in found]
        if lacking:
            with ThreadPoolExecutor(min(_AT_A_TIME, len(lacking)), "texts") as pool:
                read = dict(zip(lacking, pool.map(lambda name: (folder / name).read_bytes(), lacking), strict=True))
            found |= read
            small = {name: text for name, text in read.items() if len(text) <= _LARGEST}
            with self._lock:  # steps that run side by side share them
                self._kept |= {f"{folder}/{name}": (there[name].mark, text) for name, text in small.items()}
                while len(self._kept) > _MOST:
                    del self._kept[next(iter(self._kept))]
        return {name: found[name] for name in names}
