"""Objects that Spark reads where they lie, by Hadoop's connectors: for those that are too large to be copied.

A poll lists and pins them like all objects. Then only their footers are read, so it is for formats that have one. What
Spark has listed is read under the version that it listed (S3A and ABFS compare ETags), and after it has listed, each
object must still be the version that was pinned: else the step looks again, as for a file that was rewritten.

The original bytes stay where they are, and nowhere else: who deletes an object takes bronze its source.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, cast

from lakeloom.core.errors import SourceError
from lakeloom.objects.base import Found, MovedError, RootStore, Store
from lakeloom.objects.translated import address
from lakeloom.sources.formats.base import format_of
from lakeloom.sources.formats.columnar import ColumnarScanner
from lakeloom.sources.landing import Batch
from lakeloom.sources.ledger import FileEntry
from lakeloom.sources.objects import Place, listed, words
from lakeloom.sources.reading import Reading

_THREADS = 8


def looked(place: Place, batch: Batch, reading: Reading) -> tuple[list[FileEntry], list[str]]:
    """Return the entries of a batch's objects, by their footers, and in words which could not be had.

    What is another version by now is left to the next poll.

    Raises
    ------
    SourceError
        LL-SOURCE-001 (transient) where the line fails; LL-SOURCE-002 where no object could be had.
    """
    found, store = listed(batch), place.opening.open()

    def one(each: Found) -> FileEntry | SourceError | None:
        try:
            return _entry(place, store, each, reading)
        except MovedError:
            return None
        except SourceError as error:
            if error.transient:
                raise
            return error

    with ThreadPoolExecutor(_THREADS, "look") as pool:
        told = list(zip(found, pool.map(one, found), strict=True))
    entries = [each for _, each in told if isinstance(each, FileEntry)]
    errors = {found.key: each for found, each in told if isinstance(each, SourceError)}
    if errors and not entries:
        raise next(iter(errors.values()))
    return entries, words(errors)


def moved(place: Place, entries: Sequence[FileEntry]) -> list[str]:
    """Return the paths of entries whose objects are no longer the version that was pinned."""
    store = cast("RootStore", place.opening.open())
    keys = {entry.path: entry.path[len(place.address.root) + 1 :] for entry in entries if entry.loadable}
    with ThreadPoolExecutor(_THREADS, "look") as pool:
        now: Mapping[str, Found | None] = dict(zip(keys, pool.map(store.head, keys.values()), strict=True))
    pinned = {entry.path: entry.version for entry in entries}
    return [path for path, found in now.items() if found is None or found.version != pinned[path]]


def _entry(place: Place, store: Store, found: Found, reading: Reading) -> FileEntry:
    scanner = format_of(reading.format).scanner(reading)
    assert isinstance(scanner, ColumnarScanner)  # the config was checked
    header, problem = (
        scanner.close(cast("IO[bytes]", _Ranged(store, found))) if found.size else (None, "the file is empty")
    )
    name = place.address.of(found.key)
    told = f"md5 {found.check.value}" if found.check and found.check.kind == "md5" else f"{name}\0{found.version}"
    content = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
    mtime_ns = int(found.changed.timestamp() * 1e9)
    at = address(place.opening, found.key)
    return FileEntry(name, found.size, mtime_ns, content, header, problem, version=found.version, at=at)


class _Ranged(io.RawIOBase):
    """An object's bytes at its version, asked for as they are read."""

    def __init__(self, store: Store, found: Found) -> None:
        self._store, self._found, self._at = store, found, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._found.size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._found.size if size < 0 else min(self._found.size, self._at + size)
        if end <= self._at:
            return b""
        content = self._store.part(self._found, self._at, end)
        self._at += len(content)
        return content
