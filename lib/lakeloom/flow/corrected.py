"""A corrected file: rows that name a quarantined row and give new values for some of its columns.

CSV with a line of names (an empty value is NULL), or JSON lines. A row is named by its entry's ``id``
(``_id`` where the data have a column of that name), or by the table's keys. Written by people, it is
read on the driver; messages name lines and columns, never values.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakeloom.core.errors import FixError
from lakeloom.flow.choice import unknown_column

MOST = 100_000
Values = dict[str, str | None]


@dataclass(frozen=True)
class Corrected:
    """The rows of a corrected file.

    Attributes
    ----------
    keys : tuple of str
        The table's keys that name a row; none where ids of entries do.
    rows : tuple of (names, values)
        For each line what names the row, and its new values by column, as text.
    """

    keys: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], Values], ...]


def read(file: Path, keys: Sequence[str], columns: Sequence[str]) -> Corrected:
    """Read a corrected file.

    Parameters
    ----------
    keys : sequence of str
        The table's keys.
    columns : sequence of str
        Those that a fix may change.

    Raises
    ------
    FixError
        LL-FIX-003 where it can't be read, names no rows, or names one twice.
    TableError
        LL-TABLE-003 for a column that the rows lack.
    """
    where = file.name
    lines = list(_lines(file))
    if not lines or len(lines) > MOST:
        raise _wrong(f"{len(lines):,} rows; from 1 to {MOST:,} are read", where, "split it")
    names = list(dict.fromkeys(name for _, row in lines for name in row))
    by = _named_by(names, keys, columns)
    if not by:
        told = f"a column id{' or the keys ' + ', '.join(keys) if keys else ''}"
        raise _wrong("nothing names the rows", where, f"give it {told}")
    known = {*columns, *by}
    for name in names:
        if name not in known:
            raise unknown_column(name, list(columns), where)
    if not set(names) - set(by):
        raise _wrong("no column beside those that name the rows", where, "give the corrected columns")
    rows, seen = [], set[tuple[str, ...]]()
    for line, row in lines:
        named = tuple(str(row.get(key) or "") for key in by)
        if not all(named):
            raise _wrong(f"line {line} does not name its row", where, f"give {', '.join(by)}")
        if named in seen:
            raise _wrong(f"line {line} names a row that an earlier line names", where, "keep one of them")
        seen.add(named)
        rows.append((named, {key: value for key, value in row.items() if key not in by}))
    return Corrected(by if by == tuple(keys) else (), tuple(rows))


def id_column(keys: Sequence[str], columns: Sequence[str]) -> str:
    """Return how the column of a file is called that names entries by their ids."""
    return "_id" if "id" in (*keys, *columns) else "id"


def _named_by(names: Sequence[str], keys: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    for name in ("_id", id_column(keys, columns)):
        if name in names:
            return (name,)
    return tuple(keys) if keys and set(keys) <= set(names) else ()


def _lines(file: Path) -> Iterator[tuple[int, Values]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            if file.suffix.lower() in (".jsonl", ".json", ".ndjson"):
                for number, line in enumerate(stream, 1):
                    if line.strip():
                        yield number, _object(line, number, file.name)
            else:
                reader = csv.DictReader(stream, strict=True)
                for row in reader:
                    if None in row or None in row.values():
                        raise _wrong(f"line {reader.line_num} has not as many values as names", file.name, "mend it")
                    yield reader.line_num, {name: value or None for name, value in row.items()}
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        told = f"it can't be read ({type(cause).__name__})"
        raise _wrong(told, file.name, "give a CSV or JSON lines file") from cause


def _object(line: str, number: int, where: str) -> Values:
    try:
        found, exact = json.loads(line), json.loads(line, parse_float=Decimal)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _wrong(f"line {number} is no JSON object", where, "write one object a line")
    # A number keeps its digits; those inside of nested values are written as a double's.
    numbers = {str(name): str(value) for name, value in exact.items() if isinstance(value, Decimal)}
    return {str(name): _text(value) for name, value in found.items()} | numbers


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _wrong(told: str, where: str, fix: str) -> FixError:
    return FixError("LL-FIX-003", told, where=where, fix=fix)
