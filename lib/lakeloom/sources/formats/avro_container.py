"""Avro's container files: the header, then blocks with a sync marker behind each; walked without decoding a record.

Source: Apache Avro 1.12 specification, "Object Container Files".
"""

from __future__ import annotations

import bz2
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

MAGIC = b"Obj\x01"
LARGEST_BLOCK_BYTES = 256 << 20
_SYNC = 16
_CHUNK = 1 << 20


class DamagedError(Exception):
    """Why a container can't be read, in words with the place."""


@dataclass(frozen=True)
class Header:
    """What stands before the first block: the writer's schema as JSON, the codec, the sync marker, its length."""

    schema: Any
    codec: str
    sync: bytes
    end: int


@dataclass(frozen=True)
class Block:
    """A block: its first byte in the file, how many records it holds, and these, decompressed."""

    offset: int
    count: int
    data: bytes


def header_of(file: BinaryIO) -> Header:
    """Return the header of a file that stands at its start.

    Raises
    ------
    DamagedError
        Where it is no container, its schema is no JSON, or its codec is unknown.
    """
    if file.read(4) != MAGIC:
        raise DamagedError("it is not Avro")
    told: dict[str, bytes] = {}
    while count := _long(file):
        if count < 0:  # the length of what follows stands behind a negative count
            count, _ = -count, _long(file)
        for _ in range(count):
            key = _bytes(file).decode("utf-8", "replace")
            told[key] = _bytes(file)
    sync = file.read(_SYNC)
    codec = told.get("avro.codec", b"null").decode("utf-8", "replace")
    if len(sync) < _SYNC or "avro.schema" not in told:
        raise DamagedError("it is not Avro, or is truncated")
    if codec not in _CODECS:
        raise DamagedError(f"its codec is none of {', '.join(_CODECS)}")
    try:
        schema = json.loads(told["avro.schema"])
    except (ValueError, RecursionError):
        raise DamagedError("its schema is no JSON") from None
    return Header(schema, codec, sync, file.tell())


def blocks(file: BinaryIO, header: Header, start: int, end: int) -> Iterator[Block]:
    """Yield the blocks whose first byte lies in [`start`, `end`).

    Raises
    ------
    DamagedError
        With the byte at which a block can't be read.
    """
    offset = header.end if start <= header.end else _first(file, header, start)
    while offset is not None and offset < end:
        file.seek(offset)
        if not file.read(1):
            return
        file.seek(offset)
        try:
            count, size = _long(file), _long(file)
            if count < 0 or not 0 <= size <= LARGEST_BLOCK_BYTES:
                raise DamagedError("its length is none")
            packed = file.read(size)
            if len(packed) < size:
                raise DamagedError("it is cut off")
            if file.read(_SYNC) != header.sync:
                raise DamagedError("no sync marker is behind it")
            data = _CODECS[header.codec](packed)
        except DamagedError as cause:
            raise DamagedError(f"the block at byte {offset} is damaged: {cause}") from None
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
            raise DamagedError(f"the block at byte {offset} is damaged: it is no {header.codec}") from None
        yield Block(offset, count, data)
        offset = file.tell()


def _first(file: BinaryIO, header: Header, start: int) -> int | None:
    """Return where the first block at or behind `start` begins: behind a sync marker."""
    at = start - _SYNC
    file.seek(at)
    seen = b""
    while chunk := file.read(_CHUNK):
        seen += chunk
        found = seen.find(header.sync)
        if found >= 0:
            return at + found + _SYNC
        at += max(0, len(seen) - _SYNC + 1)
        seen = seen[-(_SYNC - 1) :]
    return None


def _long(file: BinaryIO) -> int:
    """Read a zigzag number."""
    value = shift = 0
    while True:
        byte = file.read(1)
        if not byte or shift > 63:
            raise DamagedError("it is truncated")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        shift += 7


def _bytes(file: BinaryIO) -> bytes:
    size = _long(file)
    if not 0 <= size <= LARGEST_BLOCK_BYTES:
        raise DamagedError("it is not Avro, or is damaged")
    found = file.read(size)
    if len(found) < size:
        raise DamagedError("it is truncated")
    return found


def _bounded(data: bytes) -> bytes:
    if len(data) > LARGEST_BLOCK_BYTES:
        raise DamagedError("it unpacks to more than 256 MiB")
    return data


def _deflate(packed: bytes) -> bytes:
    stream = zlib.decompressobj(-15)
    data = _bounded(stream.decompress(packed, LARGEST_BLOCK_BYTES + 1))
    if not stream.eof:
        raise EOFError
    return data


def _bzip2(packed: bytes) -> bytes:
    return _bounded(bz2.BZ2Decompressor().decompress(packed, LARGEST_BLOCK_BYTES + 1))


def _xz(packed: bytes) -> bytes:
    return _bounded(lzma.LZMADecompressor().decompress(packed, LARGEST_BLOCK_BYTES + 1))


def _snappy(packed: bytes) -> bytes:
    from lakeloom.sources.snappy import raw

    data = raw(packed[:-4], LARGEST_BLOCK_BYTES)
    if zlib.crc32(data) != int.from_bytes(packed[-4:], "big"):
        raise DamagedError("its checksum is another one")
    return data


def _zstandard(packed: bytes) -> bytes:
    import pyarrow as pa

    with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
        return _bounded(stream.read(LARGEST_BLOCK_BYTES + 1))


_CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes, "deflate": _deflate, "snappy": _snappy, "bzip2": _bzip2, "xz": _xz, "zstandard": _zstandard,
}  # fmt: skip
