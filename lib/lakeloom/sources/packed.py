"""Packed files: bzip2, xz, zstd, lz4, snappy, and members of zip and tar, each unpacked once into the landing zone.

What is written in another encoding than UTF-8 goes the same way, and is UTF-8 there.

Spark reads none of them record by record: it would split bzip2 by compressed offsets, where record numbers are not
unique, and knows no archives. What is unpacked lies under the hash of the packed bytes, complete or not at all, so
that a landing that is killed finds it again. Nothing is written but by number: a member's name climbs nowhere.

Refused: what is encrypted or damaged, what unpacks to a thousand times its size, archives inside of archives.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import json
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, cast

from lakeloom.sources.reading import UTF8 as UTF8
from lakeloom.sources.snappy import open_framed

Kind = Literal["bz2", "xz", "zstd", "lz4", "zip", "tar", "snappy"]
_STREAMS: dict[str, Kind] = {
    ".bz2": "bz2",
    ".xz": "xz",
    ".zst": "zstd",
    ".zstd": "zstd",
    ".lz4": "lz4",
    ".sz": "snappy",
    ".snappy": "snappy",
}
_SHORT = {".tgz": ".gz", ".tbz": ".bz2", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst"}
_CHUNK = 1 << 20
# Below the first nothing is a bomb; above it what unpacks to more than so many times its size is one.
_HARMLESS_BYTES, _MOST = 1 << 30, 1000
_DAMAGED = (
    OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, RuntimeError,
    NotImplementedError,
)  # fmt: skip


class PackedError(Exception):
    """Why a file can't be unpacked, in words for its entry."""


@dataclass(frozen=True)
class Member:
    """An unpacked file: its name in the archive, empty where the file was but one, and where it lies."""

    name: str
    file: Path


def kind_of(path: str) -> Kind | None:
    """Return how a file is packed, by its name; None for what is read as it is (gzip among it).

    Examples
    --------
    >>> kind_of("a.csv.zst"), kind_of("a.TAR.gz"), kind_of("a.tgz"), kind_of("a.csv.gz")
    ('zstd', 'tar', 'tar', None)
    """
    suffixes = [each.lower() for each in Path(path).suffixes[-2:]]
    last = suffixes[-1] if suffixes else ""
    if last in (".zip", ".tar"):
        return cast("Kind", last[1:])
    if last in _SHORT or (len(suffixes) == 2 and suffixes[0] == ".tar" and (last in _STREAMS or last == ".gz")):
        return "tar"
    return _STREAMS.get(last)


def unpack(full: Path, folder: Path, encoding: str = UTF8) -> list[Member]:
    """Unpack a file into `folder`, which is there whole afterwards; one that is there already is taken for it.

    Parameters
    ----------
    full : Path
        Where the packed file lies.
    folder : Path
        Named by the content of the packed file, and by the encoding.
    encoding : str
        In which it is written; what is unpacked is in UTF-8.

    Raises
    ------
    PackedError
        Where it is damaged, encrypted, a bomb, or holds archives, or is not written in the encoding.
    """
    index = folder / "members.json"
    if not index.exists():
        draft = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            names = _unpacked(full, draft, encoding)
        except PackedError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        (draft / index.name).write_text(json.dumps(names), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        draft.replace(folder)
    return [Member(name, folder / file) for name, file in json.loads(index.read_text(encoding="utf-8"))]


def has_plain_name(full: str) -> bool:
    """Return whether Hadoop opens a local file by its name: it takes what stands before a colon for a scheme."""
    return ":" not in Path(full).name


def renamed(full: Path, folder: Path) -> Path:
    """Copy a file into `folder` under a plain name, whole or not at all, and return where it lies."""
    ending = "".join(full.suffixes[-2:])
    file = folder / f"000000{ending if ending.replace('.', '').isalnum() else ''}"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{file.name}.partial"
        shutil.copyfile(full, draft)
        draft.replace(file)
    return file


def beginning(full: Path, limit: int) -> tuple[str, bytes]:
    """Return the name and the first bytes of what a file holds, of an archive those of its first member.

    The name is without what the file is packed by. Raises PackedError where it is damaged or encrypted.
    """
    try:
        for name, stream in _members(full, kind_of(full.name)):
            plain = full.stem if full.suffix.lower() in _OPENERS else full.name
            return name or plain, stream.read(limit)
    except _DAMAGED as cause:
        raise PackedError("it is encrypted, cut off or damaged, or not what its name says") from cause
    raise PackedError("it holds no file")


def budget_of(size: int) -> _Budget:
    """Return what a packed file of so many bytes may unpack to, to be spent as it is read."""
    return _Budget(size)


def is_utf8(encoding: str) -> bool:
    """Return whether an encoding needs no other bytes to be UTF-8; raises LookupError for what is none of texts."""
    "a".encode(encoding)
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def _unpacked(full: Path, draft: Path, encoding: str) -> list[tuple[str, str]]:
    kind = kind_of(full.name)
    budget = _Budget(full.stat().st_size)
    found: list[tuple[str, str]] = []
    try:
        for name, stream in _members(full, kind):
            inner = kind_of(name) if name else None
            if inner is not None:
                raise PackedError(f"it holds '{name}', which is packed again; unpack it before")
            ending = "".join(Path(name or (full.stem if full.suffix.lower() in _OPENERS else full.name)).suffixes[-2:])
            recoded = None if is_utf8(encoding) else codecs.getincrementaldecoder(encoding)()
            if recoded is not None and ending.lower().endswith(".gz"):
                stream, ending = cast("IO[bytes]", gzip.GzipFile(fileobj=stream)), ending[:-3]
            file = f"{len(found):06d}{ending if ending.replace('.', '').isalnum() else ''}"
            with (draft / file).open("xb") as out:
                while chunk := stream.read(_CHUNK):
                    budget.spend(len(chunk))
                    out.write(chunk if recoded is None else recoded.decode(chunk).encode())
                if recoded is not None:
                    out.write(recoded.decode(b"", final=True).encode())
            found.append((name, file))
    except PackedError:
        raise
    except UnicodeError:  # of a decoder, or of a byte order mark that is not there
        raise PackedError(f"it is not written in {encoding}") from None
    except _DAMAGED as cause:
        if "encrypted" in str(cause) or "password" in str(cause):
            raise PackedError("it is encrypted") from None
        if isinstance(cause, OSError) and cause.errno is not None:  # the machine's fault, not the file's
            raise
        raise PackedError(f"it is no {kind or 'gzip'}, is cut off or damaged") from None
    if not found:
        raise PackedError("it holds no file")
    return found


def _members(full: Path, kind: Kind | None) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield name and content of each file; names that begin with ``_`` or ``.`` are left out, as of folders."""
    if kind == "zip":
        with zipfile.ZipFile(full) as archive:
            for info in sorted(archive.infolist(), key=lambda each: each.header_offset):
                if not info.is_dir() and _counts(info.filename):
                    with archive.open(info) as stream:
                        yield info.filename, stream
    elif kind == "tar":
        with _plain(full) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
            for member in archive:
                opened = archive.extractfile(member) if member.isreg() and _counts(member.name) else None
                if opened is not None:
                    yield member.name, opened
    else:
        with _plain(full) as plain:
            yield "", plain


@contextmanager
def _plain(full: Path) -> Iterator[IO[bytes]]:
    """Open a file as what its last ending says it is packed by."""
    last = full.suffix.lower()
    opened = _OPENERS.get(_SHORT.get(last, last), Path.open)(full, mode="rb")
    with closing(opened):
        yield opened


def _by_arrow(codec: str, full: Path, mode: str) -> Any:
    del mode
    from pyarrow import CompressedInputStream, OSFile

    return CompressedInputStream(OSFile(str(full)), codec)


_OPENERS: dict[str, Callable[..., Any]] = {
    ".bz2": bz2.open, ".xz": lzma.open, ".gz": gzip.open, ".zst": partial(_by_arrow, "zstd"),
    ".zstd": partial(_by_arrow, "zstd"), ".lz4": partial(_by_arrow, "lz4"), ".sz": open_framed,
    ".snappy": open_framed,
}  # fmt: skip


def _counts(name: str) -> bool:
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    return bool(parts) and not parts[-1].startswith(("_", ".")) and "__MACOSX" not in parts


class _Budget:
    """How many bytes a file may unpack to."""

    def __init__(self, packed: int) -> None:
        self._left = max(_HARMLESS_BYTES, packed * _MOST)

    def spend(self, size: int) -> None:
        """Take some of it; raises PackedError where no more is left."""
        self._left -= size
        if self._left < 0:
            raise PackedError("it unpacks to more than a thousand times its size")
