"""Snappy: raw blocks, the framing format (``.sz``) and Hadoop's blocks (``.snappy``), as streams of bounded memory.

Source: snappy's format_description.txt and framing_format.txt; Hadoop's BlockCompressorStream.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

IDENTIFIER = b"\xff\x06\x00\x00sNaPpY"
_LARGEST_BLOCK = 64 << 20  # Hadoop writes 256 KiB by default; the framing format allows 64 KiB
_SHORT = "it is cut off"


def raw(packed: bytes, largest: int) -> bytes:
    """Return a raw block's bytes; raises ValueError where it is none, or would be larger than `largest`."""
    import pyarrow as pa

    size = shift = 0
    for byte in packed[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    else:
        raise ValueError("no length")
    if size > largest or size > 64 * len(packed) + 64:  # a copy of 64 bytes takes at least two
        raise ValueError("too large")
    try:
        found: bytes = pa.Codec("snappy").decompress(packed, size, asbytes=True) if size else b""
    except OSError:
        raise ValueError("damaged") from None
    return found


def open_framed(full: Path, mode: str = "rb") -> io.BufferedReader:
    """Open a file of either form for reading; raises ValueError as it is read where it is damaged."""
    del mode
    file = full.open("rb")
    begin = file.read(len(IDENTIFIER))
    file.seek(0)
    chunks = _frames(file) if begin == IDENTIFIER else _hadoop(file)
    return io.BufferedReader(_Chunks(file, chunks), 1 << 20)


class _Chunks(io.RawIOBase):
    """A stream over chunks of bytes."""

    def __init__(self, file: BinaryIO, chunks: Iterator[bytes]) -> None:
        self._file, self._chunks, self._rest = file, chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(into), len(self._rest))
        into[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def _frames(file: BinaryIO) -> Iterator[bytes]:
    while head := file.read(4):
        if len(head) < 4:
            raise ValueError(_SHORT)
        kind, size = head[0], int.from_bytes(head[1:], "little")
        body = _exactly(file, size)
        if kind in (0x00, 0x01):
            data = raw(body[4:], 1 << 16) if kind == 0x00 else body[4:]
            if size < 4 or len(data) > 1 << 16 or _masked(data) != int.from_bytes(body[:4], "little"):
                raise ValueError("its checksum is another one")
            yield data
        elif kind == 0xFF:
            if head + body != IDENTIFIER:
                raise ValueError("no snappy")
        elif kind < 0x80:
            raise ValueError("a chunk of an unknown kind")


def _hadoop(file: BinaryIO) -> Iterator[bytes]:
    while head := file.read(4):
        left = int.from_bytes(head, "big")
        if len(head) < 4 or left > _LARGEST_BLOCK:
            raise ValueError("no snappy")
        while left > 0:
            size = int.from_bytes(_exactly(file, 4), "big")
            if size > _LARGEST_BLOCK:
                raise ValueError("no snappy")
            data = raw(_exactly(file, size), left)
            if not data:
                raise ValueError("no snappy")
            left -= len(data)
            yield data


def _exactly(file: BinaryIO, size: int) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise ValueError(_SHORT)
    return found


_TABLE: list[int] = []


def _masked(data: bytes) -> int:
    """Return the masked CRC-32C, as the framing format keeps it."""
    crc = _crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _crc32c(data: bytes) -> int:
    try:
        import google_crc32c
    except ImportError:  # it comes with the extra for Google's storage; this is as right, and slow
        return _slowly(data)
    return int(google_crc32c.value(data))


def _slowly(data: bytes) -> int:
    if not _TABLE:
        for value in range(256):
            for _ in range(8):
                value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
            _TABLE.append(value)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF
