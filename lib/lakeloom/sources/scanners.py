"""Scanners: what a file's bytes say about its columns and soundness, chunk by chunk; each format has its own."""

from __future__ import annotations

import codecs
from typing import Protocol

from lakeloom.sources.reading import Reading

Found = tuple[tuple[str, ...] | None, str | None]
NOT_UTF8 = "the file is not UTF-8"
LARGEST_VALUE_BYTES = 256 << 20  # a larger one would not pass through Spark as a value of one row
# A record is held several times over while it is parsed: one that is longer would take a worker's memory with it.
LONGEST_RECORD_BYTES = 64 << 20
TOO_LONG = f"a record of it is longer than {LONGEST_RECORD_BYTES >> 20} MiB"


class Scanner(Protocol):
    """Takes a file's bytes in order, then tells its header and what is wrong with it."""

    def __init__(self, reading: Reading) -> None: ...

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def close(self, path: str) -> Found:
        """Return (header, None) or (header or None, problem)."""


def ends(chunk: bytes) -> tuple[int, int]:
    """Return where the first and the last end of a line stand, -1 for none."""
    starts = [at for at in (chunk.find(b"\n"), chunk.find(b"\r")) if at >= 0]
    return min(starts, default=-1), max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))


class Text:
    """Checks UTF-8 and gives the text on to `take`; nothing more is given once it is broken."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.problem: str | None = None
        self._run = 0  # bytes since the last end of a line
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self.problem is not None:
            return
        self.follow(chunk)
        if self.problem is not None:
            return
        try:
            self.take(self._decoder.decode(chunk))
        except UnicodeDecodeError:
            self.problem = NOT_UTF8

    def follow(self, chunk: bytes) -> None:
        """Look that records end: here, where lines do."""
        first, last = ends(chunk)
        if self._run + (len(chunk) if first < 0 else first) > LONGEST_RECORD_BYTES:
            self.problem = TOO_LONG
        self._run = self._run + len(chunk) if first < 0 else len(chunk) - last

    def close(self, path: str) -> Found:
        """Return what was found."""
        del path
        if self.problem is None:
            try:
                self._decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                self.problem = NOT_UTF8
        return (None, self.problem) if self.problem else self.found()

    def take(self, text: str) -> None:
        """Take the next text."""
        raise NotImplementedError

    def found(self) -> Found:
        """Return header and problem of a file that is sound text."""
        raise NotImplementedError
