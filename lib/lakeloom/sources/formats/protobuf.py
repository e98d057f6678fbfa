"""Protobuf: messages of a descriptor set, each behind its length as a varint, or one a file.

A message that can't be decoded, or holds what its descriptor does not know, is a broken record: its raw text is the
base64 of its bytes. A length that leads beyond the end spoils the file from there on: it is kept whole.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.decoded import Piece, Rows, decoded
from lakeloom.sources.formats.protobuf_schema import columns, message_class, unknown
from lakeloom.sources.ledger import REFUSED_BY_POLICY
from lakeloom.sources.reading import Reading
from lakeloom.sources.scanners import LARGEST_VALUE_BYTES, Found

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakeloom.sources.records import Group

_FRAMINGS = ("delimited", "file")
_LONGEST_VARINT = 5  # of a length


class ProtobufScanner:
    """Whether each length leads to the next one, and the file's end; what messages hold is the reader's to find."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._framed = reading.options.get("framing", "delimited") == "delimited"
        self._held = b""  # the beginning of a length
        self._skip = 0  # bytes of the message that are still to come
        self._at = self._begin = 0
        self._problem: str | None = None

    def feed(self, chunk: bytes) -> None:
        """Step from length to length."""
        if self._problem or not self._framed:
            self._at += len(chunk)
            return
        held = len(self._held)
        data, place = self._held + chunk, 0
        self._held = b""
        start = self._at - held
        while place < len(data):
            if self._skip:
                step = min(self._skip, len(data) - place)
                place, self._skip = place + step, self._skip - step
                continue
            size, width = _varint(data, place)
            if width == 0 and len(data) - place < _LONGEST_VARINT:
                self._held = data[place:]
                break
            if width == 0 or size > LARGEST_VALUE_BYTES:
                self._problem = f"at byte {start + place} stands no length of a message"
                return
            self._begin, self._skip, place = start + place, size, place + width
        self._at += len(chunk)

    def close(self, path: str) -> Found:
        """Return the message's columns."""
        if self._problem is None and (self._skip or self._held):
            begin = self._begin if self._skip else self._at - len(self._held)
            self._problem = f"the message at byte {begin} is cut off"
        if self._problem is None and not self._framed and self._at > LARGEST_VALUE_BYTES:
            self._problem = "it is too large to be one message"
        if self._problem is None and self._reading.unknown == "fail":
            self._problem = self._refused(path)
        if self._problem:
            return None, self._problem
        found = columns(message_class(self._reading.schema, self._reading.message).DESCRIPTOR)
        return tuple(f"{each.name}\t{each.kind}" for each in found), None

    def _refused(self, path: str) -> str | None:
        for rows in _decode(self._reading, Piece(path, 0, self._at)):
            for place, why in zip(rows.records, rows.reasons, strict=True):
                if why and why[0].startswith(_NEWER):
                    return f"{REFUSED_BY_POLICY}the message at byte {place} holds {why[0].removeprefix(_NEWER)}"
        return None


_NEWER = "its descriptor does not know "


class Protobuf(Format):
    """The format ``protobuf``."""

    options = frozenset(["framing"])
    needs = ("descriptor", "message")
    takes = ("unknown",)
    extra = "formats"
    scanner = ProtobufScanner

    @classmethod
    def check(cls, config: Any) -> None:
        """The framing is one of those."""
        if config.options.get("framing", "delimited") not in _FRAMINGS:
            raise ValueError("option framing is 'delimited' or 'file'")

    @classmethod
    def check_schema(cls, reading: Reading) -> None:
        """It is a descriptor set that holds the message."""
        columns(message_class(reading.schema, reading.message).DESCRIPTOR)

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return a record a message."""
        import pyarrow as pa

        del types
        found = columns(message_class(reading.schema, reading.message).DESCRIPTOR)
        schema = pa.schema([pa.field(stored_name(each.name), each.kind) for each in found])
        cut = [Piece(path, 0, Path(path).stat().st_size) for path in group.paths]
        return decoded(spark, schema, cut, partial(_decode, reading))


def _decode(reading: Reading, piece: Piece) -> Iterator[Rows]:
    from google.protobuf.message import DecodeError

    made = message_class(reading.schema, reading.message)
    found = columns(made.DESCRIPTOR)
    nothing = [None] * len(found)
    rows = Rows([[] for _ in found])
    for place, data in _messages(piece.path, reading.options.get("framing", "delimited") == "delimited"):
        reason, values = None, nothing
        try:
            message = made.FromString(data)
        except DecodeError:
            reason = f"not decodable as {reading.message}"
        else:
            newer = None if reading.unknown == "ignore" else unknown(message)
            if newer:
                reason = f"{_NEWER}{newer}"
            else:
                values = [each.of(message) for each in found]
        rows.add(values, place, base64.b64encode(data).decode() if reason else None, reason)
        if rows.full:
            yield rows
            rows = Rows([[] for _ in found])
    if rows.records:
        yield rows


def _messages(path: str, framed: bool) -> Iterator[tuple[int, bytes]]:
    """Yield the messages of a file that inspection found whole, each with its first byte's place."""
    opening = gzip.open if path.lower().endswith(".gz") else Path.open
    with opening(Path(path), "rb") as file:
        stream = cast("BinaryIO", file)
        if not framed:
            yield 0, stream.read()
            return
        at = 0
        while head := stream.read(1):
            while head[-1] > 0x7F and len(head) < _LONGEST_VARINT:
                head += stream.read(1)
            size, width = _varint(head, 0)
            yield at, stream.read(size)
            at += width + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a varint and its width; a width of 0 where it does not end."""
    value = 0
    for width, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * width
        if byte < 0x80:
            return value, width + 1
    return value, 0
