"""Excel's workbooks (xlsx, xlsm): a row of a sheet is a record, formulas give what they gave when it was last saved.

By openpyxl's streaming reader: a sheet of two cells at its far corners takes no memory there. (The reader in Rust that
was looked at, python-calamine, is ten times as fast, and ends the process over such a file of a kilobyte.) A value
is text as exact as the sheet holds it, until a type is declared.

Refused: what is encrypted, of before 2007, or declares entities; formulas that were never calculated.

Source: ECMA-376, "Office Open XML File Formats", part 1, 18.3.1 (worksheets).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.decoded import Piece, Rows, decoded, told
from lakeloom.sources.formats.merged import Merged
from lakeloom.sources.formats.workbook import DAMAGED, unreadable
from lakeloom.sources.reading import Reading
from lakeloom.sources.scanners import Found

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakeloom.sources.records import Group

_CHUNK, _OVERLAP = 1 << 20, 32 << 10  # a formula has at most 8,192 signs
# A formula without a value, unless it gave an empty text.
_NEVER_CALCULATED = re.compile(
    rb'<(?:\w+:)?c(?![^<>]*\bt="str")(?:\s[^<>]*)?>\s*<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^<>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')


class XlsxScanner:
    """The names in the header's row, and whether the workbook can be read."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def feed(self, chunk: bytes) -> None:
        """Nothing: the index of what is in it stands at the end."""

    def close(self, path: str) -> Found:
        """Return the header's names."""
        problem = unreadable(path)
        if problem:
            return None, problem
        try:
            with closing(_Sheet(path, self._reading)) as sheet:
                if sheet.problem:
                    return None, sheet.problem
                names = sheet.header()
        except Exception:  # a damaged workbook makes openpyxl raise whatever it meets first
            return None, DAMAGED
        return (names, None) if names else (None, f"row {sheet.header_row} holds no header")


class Xlsx(Format):
    """The format ``xlsx``."""

    options = frozenset(["header_row", "merged"])
    takes = ("sheet",)
    extra = "formats"
    as_it_is = True
    header_line = True
    scanner = XlsxScanner

    @classmethod
    def check(cls, config: Any) -> None:
        """The header's row is a number, 0 for none, and merged cells are first or fill."""
        row = str(config.options.get("header_row", "1"))
        if not row.isdigit():
            raise ValueError("option header_row is the number of the header's row, 0 where there is none")
        if int(row) == 0 and not config.columns:
            raise ValueError("without a header the columns must be declared, in their order")
        if config.options.get("merged", "first") not in ("first", "fill"):
            raise ValueError("option merged is 'first' or 'fill'")

    @classmethod
    def names(cls, config: Any) -> tuple[str, ...]:
        """Return the declared columns in order."""
        return tuple(config.columns)

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return a record a row that holds anything; its number is the row's."""
        import pyarrow as pa

        del types
        schema = pa.schema([pa.field(stored_name(name), pa.string()) for name in group.header])
        return decoded(spark, schema, [Piece(path, 0, 0) for path in group.paths], partial(_decode, reading))

    @classmethod
    def fault(cls, path: str, reading: Reading) -> str | None:
        """Return at which row a sheet can't be read on."""
        row = 0
        try:
            for rows in _decode(reading, Piece(path, 0, 0)):
                row = rows.records[-1]
        except Exception:
            return f"its sheet is damaged behind row {row}"
        return None


class _Sheet:
    """The sheet that the config names, or the first one."""

    def __init__(self, path: str, reading: Reading) -> None:
        from openpyxl import load_workbook

        self.header_row = int(reading.options.get("header_row", "1"))
        self._names = reading.names
        self._merged: list[str] = []
        self.problem: str | None = None
        # Not by its name: of that it would ask for a certain ending.
        self._file = Path(path).open("rb")  # noqa: SIM115  `close` does
        self._book = load_workbook(self._file, read_only=True, data_only=True, keep_links=False)
        names = [each.title for each in self._book.worksheets]
        wanted = reading.sheet or (names[0] if names else "")
        if wanted not in names:
            self.problem = f"it has no sheet '{wanted}'; it has {len(names)}"
            return
        self._sheet: Any = self._book[wanted]
        self._sheet.reset_dimensions()  # what a file says of its size need not be true
        with zipfile.ZipFile(path) as archive, archive.open(self._sheet._worksheet_path) as stream:
            self._look(stream, fill=reading.options.get("merged") == "fill")

    def _look(self, stream: Any, *, fill: bool) -> None:
        rest = b""
        while chunk := stream.read(_CHUNK):
            text = rest + chunk
            if _NEVER_CALCULATED.search(text):
                self.problem = "a formula of it was never calculated; open it in Excel and save it"
                return
            # What stands in the overlap was seen before, and would be found twice.
            cut = len(text) - _OVERLAP if len(chunk) == _CHUNK else len(text)
            if fill:
                areas = [found for found in _MERGED.finditer(text) if found.start() < cut]
                self._merged += [found.group(1).decode() for found in areas]
            rest = text[max(cut, 0) :] if cut < len(text) else b""

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def header(self) -> tuple[str, ...]:
        """Return the columns' names: those of the header without the empty cells behind it, or the declared ones."""
        if not self.header_row:
            return self._names
        for row in self._sheet.iter_rows(min_row=self.header_row, max_row=self.header_row, values_only=True):
            names = [_text(value) or "" for value in row]
            while names and not names[-1].strip():
                names.pop()
            return tuple(name.strip() for name in names)
        return ()

    def rows(self) -> Iterator[tuple[int, list[str | None]]]:
        """Yield number and texts of each row below the header that holds anything."""
        merged = Merged(self._merged)
        begin = self.header_row + 1
        for number, row in enumerate(self._sheet.iter_rows(min_row=begin, values_only=True), begin):
            values = merged.filled(number, [_text(value) for value in row])
            if any(value is not None for value in values):
                yield number, values


def _decode(reading: Reading, piece: Piece) -> Iterator[Rows]:
    with closing(_Sheet(piece.path, reading)) as sheet:
        width = len(sheet.header())
        rows = Rows([[] for _ in range(width)])
        for number, values in sheet.rows():
            beyond = any(value is not None for value in values[width:])
            reason = "cells beyond the header" if beyond else None
            rows.add((values + [None] * width)[:width], number, told(values) if beyond else None, reason)
            if rows.full:
                yield rows
                rows = Rows([[] for _ in range(width)])
        if rows.records:
            yield rows


def _text(value: Any) -> str | None:
    """Return a cell's value as text that casts to what it is.

    Examples
    --------
    >>> _text(3.0), _text(0.1), _text(datetime(2024, 5, 1)), _text(True)
    ('3', '0.1', '2024-05-01', 'true')
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(value.total_seconds(), 60)
        return f"{int(minutes // 60)}:{int(minutes % 60):02d}:{seconds:02.0f}"
    return value.isoformat() if isinstance(value, (date, time)) else str(value)
