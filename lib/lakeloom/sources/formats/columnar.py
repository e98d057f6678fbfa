"""What formats with a footer share: the columns with their types are told without reading a page."""

from __future__ import annotations

from typing import IO, Any

from lakeloom.sources.formats.base import Format
from lakeloom.sources.reading import Reading
from lakeloom.sources.scanners import Found


class ColumnarScanner:
    """The columns of a footer with their types, ``name<TAB>type``; pages are only read by the reader."""

    format = ""

    def __init__(self, reading: Reading) -> None:
        del reading

    def feed(self, chunk: bytes) -> None:
        """Nothing: the footer is at the end."""

    def close(self, path: str | IO[bytes]) -> Found:
        """Return the footer's columns, of a file by its path or of a stream that can be sought in."""
        from pyarrow import ArrowException

        try:
            schema = self.schema(path)
        except (ArrowException, OSError):
            return None, f"it is not {self.format}, or is truncated"
        return tuple(f"{each.name}\t{each.type}" for each in schema), None

    def schema(self, path: str | IO[bytes]) -> Any:
        """Return the footer's schema."""
        raise NotImplementedError


def has_footer(format_: type[Format]) -> bool:
    """Return whether a footer tells a format's columns, so that no other byte need be read before Spark does."""
    return issubclass(format_.scanner, ColumnarScanner)
