"""Formats that Python decodes and Spark does not: pieces of files → batches of records, on the executors.

A record's number comes from the file (the place of its block or message), never from how files are cut
into pieces, so a replay at another parallelism gives the same. What was read stays in batches of a few
thousand records: a task's memory does not grow with its file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.sources.listing import uri
from lakeloom.sources.records import RAW, REASONS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

BATCH_ROWS = 4096
_TASKS = 256


@dataclass(frozen=True)
class Piece:
    """Bytes `start` to `end` of a file; what begins there belongs to it."""

    path: str
    start: int
    end: int


@dataclass
class Rows:
    """Records of one piece: a list of values a column, and each record's number, raw text and reasons."""

    columns: list[list[Any]]
    records: list[int] = field(default_factory=list)
    raws: list[str | None] = field(default_factory=list)
    reasons: list[list[str]] = field(default_factory=list)

    def add(self, values: Sequence[Any], record: int, raw: str | None = None, reason: str | None = None) -> None:
        """Add a record; one with a reason is broken."""
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)
        self.records.append(record)
        self.raws.append(raw)
        self.reasons.append([reason] if reason else [])

    @property
    def full(self) -> bool:
        """Whether it is time for the next batch."""
        return len(self.records) >= BATCH_ROWS


def pieces(paths: Sequence[str], split_bytes: int) -> list[Piece]:
    """Return the files cut into pieces of a size."""
    found = []
    for path in paths:
        size = Path(path).stat().st_size
        found += [Piece(path, start, min(start + split_bytes, size)) for start in range(0, max(size, 1), split_bytes)]
    return found


def decoded(
    spark: SparkSession, schema: pa.Schema, cut: Sequence[Piece], decode: Callable[[Piece], Iterator[Rows]]
) -> DataFrame:
    """Return the records of all pieces.

    Parameters
    ----------
    schema : pyarrow.Schema
        The raw columns under their stored names; times in microseconds, as Spark takes them.
    decode : callable
        Gives a piece's records; it travels to executors.

    Returns
    -------
    DataFrame
        As `lakeloom.sources.formats.base.Format.read` returns it. A value that its column can't hold is NULL there
        and makes a reason.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    whole = _marked(schema)
    paths = [uri(piece.path) for piece in cut]

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for index in batch.column(0).to_pylist():
                for rows in decode(cut[index]):
                    yield _batch(rows, whole, paths[index])

    return spark.range(0, len(cut), 1, min(len(cut), _TASKS)).mapInArrow(task, from_arrow_schema(whole))


def told(value: Any) -> str:
    """Return a decoded value as JSON, for a person to read what could not land."""
    return json.dumps(value, default=lambda each: repr(each), ensure_ascii=False)


def _marked(schema: pa.Schema) -> pa.Schema:
    import pyarrow as pa

    marks = [("_path", pa.string()), ("_record", pa.int64()), (RAW, pa.string()), (REASONS, pa.list_(pa.string()))]
    return pa.schema([*schema, *(pa.field(name, kind) for name, kind in marks)])


def _batch(rows: Rows, schema: pa.Schema, path: str) -> pa.RecordBatch:
    import pyarrow as pa

    arrays = [_array(values, column, rows.reasons) for values, column in zip(rows.columns, schema, strict=False)]
    for index, why in enumerate(rows.reasons):
        if why and rows.raws[index] is None:
            rows.raws[index] = told({schema[at].name: values[index] for at, values in enumerate(rows.columns)})
    count = len(rows.records)
    arrays += [
        pa.array([path] * count, pa.string()),
        pa.array(rows.records, pa.int64()),
        pa.array(rows.raws, pa.string()),
        pa.array(rows.reasons, pa.list_(pa.string())),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: list[Any], column: pa.Field, reasons: list[list[str]]) -> pa.Array:
    """Return a column's values; those that don't fit its type are NULL and told among the reasons."""
    import pyarrow as pa

    try:
        return pa.array(values, column.type)
    except (pa.ArrowException, ArithmeticError, ValueError, TypeError):
        kept = []
        for value, why in zip(values, reasons, strict=True):
            try:
                kept.append(pa.scalar(value, column.type))
            except (pa.ArrowException, ArithmeticError, ValueError, TypeError):
                kept.append(None)
                why.append(f"{column.name}: not {column.type}")
        return pa.array([None if each is None else each.as_py() for each in kept], column.type)
