"""Objects that Spark reads where they lie, by Hadoop's connectors: for those that are too large to be copied.

A poll lists and pins them like all objects. Then they are looked at: of those with a footer that is read and no more,
the others are read through once, as files are, by tasks. What has a footer is read by Spark under the version that it
has listed (S3A and ABFS compare ETags), and after it has listed, each object must still be the version that was pinned;
the others must be so after they were read. Else the step looks again, as for a file that was rewritten.

The original bytes stay where they are, and nowhere else: who deletes an object takes bronze its source.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from lakeloom.core.errors import SourceError
from lakeloom.objects.base import Found, MovedError, RootStore, Store
from lakeloom.objects.translated import address
from lakeloom.sources.formats.base import format_of
from lakeloom.sources.formats.columnar import ColumnarScanner, has_footer
from lakeloom.sources.inspection import is_packed, looked_through
from lakeloom.sources.landing import Batch
from lakeloom.sources.ledger import FileEntry
from lakeloom.sources.objects import Place, listed, words
from lakeloom.sources.reading import Reading
from lakeloom.sources.spreading import spread

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_THREADS = 8
# Less is read through by this process; more by so many tasks a slot.
_EXECUTORS_FROM_BYTES, _TASKS_A_SLOT = 64 << 20, 4
_PART_BYTES = 8 << 20
_PACKED = "it would have to be unpacked or renamed first, which access 'landed' does"
Told = FileEntry | SourceError | None


def looked(
    place: Place, batch: Batch, reading: Reading, spark: Callable[[], SparkSession]
) -> tuple[list[FileEntry], list[str]]:
    """Return the entries of a batch's objects, and in words which could not be had.

    What is another version by now is left to the next poll.

    Raises
    ------
    SourceError
        LL-SOURCE-001 (transient) where the line fails; LL-SOURCE-002 where no object could be had.
    """
    found, tasks = listed(batch), None
    if not has_footer(format_of(reading.format)):
        tasks = spread(found, sum(each.size for each in found), _EXECUTORS_FROM_BYTES, _TASKS_A_SLOT, spark)
    if tasks is None:
        told = _looked(place, found, reading)
    else:
        told = tasks.mapPartitions(lambda part: _looked(place, part, reading)).collect()
    entries = [each for _, each in told if isinstance(each, FileEntry)]
    errors = {key: each for key, each in told if isinstance(each, SourceError)}
    failed = [each for each in errors.values() if each.transient]
    if failed or (errors and not entries):
        raise next(iter(failed or errors.values()))
    return entries, words(errors)


def _looked(place: Place, found: Iterable[Found], reading: Reading) -> list[tuple[str, Told]]:
    """Return for each object by its key its entry, or why it could not be had; None where it is another one by now."""
    store, lost = place.opening.open(), list[SourceError]()

    def one(each: Found) -> tuple[str, Told]:
        if lost:  # the line: it is not waited for once more with each object
            return each.key, lost[0]
        try:
            return each.key, _entry(place, store, each, reading)
        except MovedError:
            return each.key, None
        except SourceError as error:
            if error.transient:
                lost.append(error)
            return each.key, error

    with ThreadPoolExecutor(_THREADS, "look") as pool:
        return list(pool.map(one, found))


def moved(place: Place, entries: Sequence[FileEntry]) -> list[str]:
    """Return the paths of entries whose objects are no longer the version that was pinned."""
    store = cast("RootStore", place.opening.open())
    keys = {entry.path: entry.path[len(place.address.root) + 1 :] for entry in entries if entry.loadable}
    with ThreadPoolExecutor(_THREADS, "look") as pool:
        now: Mapping[str, Found | None] = dict(zip(keys, pool.map(store.head, keys.values()), strict=True))
    pinned = {entry.path: entry.version for entry in entries}
    return [path for path, found in now.items() if found is None or found.version != pinned[path]]


def _entry(place: Place, store: Store, found: Found, reading: Reading) -> FileEntry:
    name = place.address.of(found.key)
    told = f"md5 {found.check.value}" if found.check and found.check.kind == "md5" else f"{name}\0{found.version}"
    content = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
    header, problem = None, None if found.size else "the file is empty"
    bytes_ = _Ranged(store, found)
    scanner = format_of(reading.format).scanner(reading)
    if problem is None and isinstance(scanner, ColumnarScanner):
        header, problem = scanner.close(cast("IO[bytes]", bytes_))
    elif problem is None and is_packed(name, reading):
        problem = _PACKED
    elif problem is None:
        stream = cast("BinaryIO", io.BufferedReader(bytes_, _PART_BYTES))
        content, header, problem, _ = looked_through(stream, name, found.size, reading)
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

    def readinto(self, buffer: Any) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)
