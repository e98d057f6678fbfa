"""Scanners: what each format's bytes say about a file's columns and soundness, chunk by chunk."""

from __future__ import annotations

import codecs
import csv
import json
from typing import Any, Protocol
from xml.parsers import expat

Found = tuple[tuple[str, ...] | None, str | None]
NOT_UTF8 = "the file is not UTF-8"
_LONGEST_HEADER = 1 << 20
LARGEST_VALUE_BYTES = 256 << 20  # a larger one would not pass through Spark as a value of one row


class Scanner(Protocol):
    """Takes a file's bytes in order, then tells its header and what is wrong with it."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def close(self, path: str) -> Found:
        """Return (header, None) or (header or None, problem)."""


class Text:
    """Checks UTF-8 and gives the text on to `take`; nothing more is given once it is broken."""

    def __init__(self, options: dict[str, str], row_tag: str | None, names: tuple[str, ...]) -> None:
        self.options = options
        self.row_tag = row_tag or ""
        self.names = names
        self.problem: str | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self.problem is not None:
            return
        try:
            self.take(self._decoder.decode(chunk))
        except UnicodeDecodeError:
            self.problem = NOT_UTF8

    def close(self, path: str) -> Found:
        """Return what was found."""
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


class Csv(Text):
    """The first line's names, or the declared ones where the files have no header."""

    def __init__(self, options: dict[str, str], row_tag: str | None, names: tuple[str, ...]) -> None:
        super().__init__(options, row_tag, names)
        self._line = ""
        self._done = False

    def take(self, text: str) -> None:
        """Keep text up to the end of the first line."""
        if self._done:
            return
        self._line += text
        ends = [at for at in (self._line.find("\n"), self._line.find("\r")) if at >= 0]
        if ends:
            self._line, self._done = self._line[: min(ends)], True
        elif len(self._line) > _LONGEST_HEADER:
            self._line, self._done = "", True

    def found(self) -> Found:
        """Return the header."""
        if self.options.get("header", "true") == "false":
            return self.names, None
        if not self._line.strip():
            return None, "the first line is no header"
        quote = self.options.get("quote", '"')
        rows = list(csv.reader([self._line], delimiter=self.options.get("sep", ","), quotechar=quote))
        return tuple(name.strip() for name in rows[0]), None


class JsonLines(Text):
    """The keys of all objects, in the order in which they are first seen."""

    def __init__(self, options: dict[str, str], row_tag: str | None, names: tuple[str, ...]) -> None:
        super().__init__(options, row_tag, names)
        self._rest: list[str] = []
        self._keys: dict[str, None] = {}
        self._objects = 0

    def take(self, text: str) -> None:
        """Look at the lines that end in `text`."""
        lines = text.replace("\r", "\n").split("\n")
        if len(lines) > 1:
            self._look("".join([*self._rest, lines[0]]))
            for line in lines[1:-1]:
                self._look(line)
            self._rest = []
        self._rest.append(lines[-1])

    def _look(self, line: str) -> None:
        if not line.strip():
            return
        try:
            value: Any = json.loads(line)
        except (ValueError, RecursionError):
            return  # a malformed record: the reader sends it to quarantine
        if isinstance(value, dict):
            self._objects += 1
            self._keys.update(dict.fromkeys(value))

    def found(self) -> Found:
        """Return the keys."""
        self._look("".join(self._rest))
        if not self._objects:
            return None, "no line is a JSON object"
        return tuple(self._keys), None


class Xml(Text):
    """Children and attributes of the row elements; a child that repeats within a row is marked ``[]``."""

    def __init__(self, options: dict[str, str], row_tag: str | None, names: tuple[str, ...]) -> None:
        super().__init__(options, row_tag, names)
        self._prefix = options.get("attributePrefix", "attr_")
        self._depth = 0  # below the row element; 0 outside of rows
        self._row: dict[str, int] = {}
        self._seen: dict[str, bool] = {}
        self._rows = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def take(self, text: str) -> None:
        """Parse the next text."""
        self._parse(text, final=False)

    def _parse(self, text: str, *, final: bool) -> None:
        try:
            self._parser.Parse(text.encode(), final)
        except expat.ExpatError as cause:
            self.problem = f"the XML is not well-formed (line {cause.lineno})"

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._depth == 0:
            if tag != self.row_tag:
                return
            self._rows += 1
            self._row = {self._prefix + name: 1 for name in attributes}
        elif self._depth == 1:
            self._row[tag] = self._row.get(tag, 0) + 1
        self._depth += 1

    def _end(self, tag: str) -> None:
        if self._depth == 0:
            return
        self._depth -= 1
        if self._depth == 0:
            for name, times in self._row.items():
                self._seen[name] = self._seen.get(name, False) or times > 1

    def found(self) -> Found:
        """Return the fields."""
        self._parse("", final=True)
        if self.problem is None and not self._rows:
            self.problem = f"there is no <{self.row_tag}> element"
        if self.problem is not None:
            return None, self.problem
        return tuple(name + ("[]" if repeats else "") for name, repeats in self._seen.items()), None


class Lines(Text):
    """Whole lines, or what stands in them at fixed places: the names are declared."""

    def take(self, text: str) -> None:
        """Nothing: that it is text is all that is asked."""

    def found(self) -> Found:
        """Return the declared names, or that of the line."""
        return self.names or ("value",), None


class Columnar:
    """The columns of a footer with their types, ``name<TAB>type``; pages are only read by the reader."""

    format = ""

    def __init__(self, options: dict[str, str], row_tag: str | None, names: tuple[str, ...]) -> None:
        del options, row_tag, names

    def feed(self, chunk: bytes) -> None:
        """Nothing: the footer is at the end."""

    def close(self, path: str) -> Found:
        """Return the footer's columns."""
        from pyarrow import ArrowException

        try:
            schema = self.schema(path)
        except (ArrowException, OSError):
            return None, f"it is not {self.format}, or is truncated"
        return tuple(f"{each.name}\t{each.type}" for each in schema), None

    def schema(self, path: str) -> Any:
        """Return the footer's schema."""
        raise NotImplementedError


class Parquet(Columnar):
    """Apache Parquet."""

    format = "Parquet"

    def schema(self, path: str) -> Any:
        """Return the footer's schema."""
        from pyarrow import parquet

        return parquet.ParquetFile(path).schema_arrow


class Orc(Columnar):
    """Apache ORC."""

    format = "ORC"

    def schema(self, path: str) -> Any:
        """Return the footer's schema."""
        from pyarrow import orc

        return orc.ORCFile(path).schema


class Binary:
    """Bytes of any kind: a file is a row."""

    def __init__(self, options: dict[str, str], row_tag: str | None, names: tuple[str, ...]) -> None:
        del options, row_tag, names
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Count."""
        self._size += len(chunk)

    def close(self, path: str) -> Found:
        """Return the names of what is known of a file; one that is too large for a value is a problem."""
        del path
        too_large = self._size > LARGEST_VALUE_BYTES
        return ("content", "size"), "it is too large to be one value" if too_large else None


SCANNERS: dict[str, Any] = {
    "csv": Csv, "json": JsonLines, "parquet": Parquet, "xml": Xml, "orc": Orc, "text": Lines, "fixed": Lines,
    "binary": Binary,
}  # fmt: skip
# What has a compression of its own, or is taken byte for byte.
AS_THEY_ARE = ("parquet", "orc", "binary")
