"""Inspecting a file: one streaming pass over its bytes, before Spark sees it.

It gives the content's id, the header and whatever makes the file unreadable as a whole: empty,
truncated, not UTF-8, not well-formed. What is wrong with single records is the reader's to find.
The id is that of the decompressed bytes, so that a month compressed twice is the same month.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lakeloom.core.errors import SourceError
from lakeloom.sources.columns import clash
from lakeloom.sources.formats.base import format_of
from lakeloom.sources.ledger import FileEntry
from lakeloom.sources.packed import has_plain_name, is_utf8, kind_of
from lakeloom.sources.reading import Reading as Reading

CHUNK_BYTES = 1 << 20
REFUSED = {".deflate": "deflate", ".7z": "7z", ".rar": "rar", ".z": "compress"}


def inspect(path: str, full: str, reading: Reading) -> FileEntry | None:
    """Inspect the file at `full` and return its entry under the name `path`.

    Returns
    -------
    FileEntry or None
        None where the file changes while it is read: it is still being written, and the next poll
        takes it.

    Raises
    ------
    SourceError
        LL-SOURCE-001 where it can't be opened.
    """
    try:
        with Path(full).open("rb") as file:
            before = os.fstat(file.fileno())
            content, header, problem, plain = looked_through(file, full, before.st_size, reading)
        after = Path(full).stat()
    except OSError as cause:
        raise SourceError(
            "LL-SOURCE-001",
            f"{path} can't be opened ({type(cause).__name__})",
            fix="check its permissions",
            transient=True,
        ) from cause
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return None
    packed = is_packed(full, reading)
    return FileEntry(path, before.st_size, before.st_mtime_ns, content, header, problem, packed=packed, plain=plain)


def looked_through(
    file: BinaryIO, full: str, size: int, reading: Reading
) -> tuple[str, tuple[str, ...] | None, str | None, bool]:
    """Return what a file's bytes tell: the content's id, the header, what is wrong with it, and whether it is plain.

    Parameters
    ----------
    file : binary stream
        That can be sought in.
    full : str
        Its name, by whose ending it is read.
    size : int
        In bytes.
    """
    content, header, problem, plain = _pass(file, full, size, reading)
    names = header or ()
    if problem is None and not is_packed(full, reading):
        problem = clash([name.partition("\t")[0] for name in names]) or _lacking(names, reading.required)
    return content, header, problem, plain and problem is None


def _pass(
    file: BinaryIO, full: str, size: int, reading: Reading
) -> tuple[str, tuple[str, ...] | None, str | None, bool]:
    suffix, format_ = Path(full).suffix.lower(), format_of(reading.format)
    if is_packed(full, reading):  # what it holds is inspected when it was unpacked
        return _digest(_chunks(file)), None, None if size else "the file is empty", False
    if suffix in REFUSED and not format_.as_it_is:
        return _digest(_chunks(file)), None, f"{REFUSED[suffix]} compression is not read; use gzip or zstd", False
    scanner = format_.scanner(reading)
    digest = hashlib.blake2b(digest_size=16)
    stream = gzip.GzipFile(fileobj=file) if suffix == ".gz" and not format_.as_it_is else file
    held = 0
    try:
        for chunk in _chunks(stream):  # type: ignore[arg-type]
            held += len(chunk)
            digest.update(chunk)
            scanner.feed(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error) as cause:
        file.seek(0)
        told = "the gzip is truncated" if isinstance(cause, EOFError) else "it is not gzip, or is damaged"
        return _digest(_chunks(file)), None, told if size else "the file is empty", False
    if not held:
        return digest.hexdigest(), None, "the file is empty", False
    header, problem = scanner.close(full)
    return digest.hexdigest(), header, problem, stream is file and getattr(scanner, "plain", False)


def is_packed(full: str, reading: Reading) -> bool:
    """Return whether a file is laid into the landing zone before it is read: unpacked, recoded, or renamed."""
    kind = kind_of(full)
    if not has_plain_name(full):
        return True
    if format_of(reading.format).as_it_is:
        return kind in ("zip", "tar")
    return kind is not None or not is_utf8(reading.encoding)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _digest(chunks: Iterator[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _lacking(names: tuple[str, ...], required: tuple[str, ...]) -> str | None:
    present = {name.partition("\t")[0].strip().lower() for name in names}
    lacking = [name for name in required if name.lower() not in present]
    return f"the header lacks {', '.join(lacking)}" if lacking else None
