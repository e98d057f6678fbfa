"""Apache Avro: container files by fastavro, with the types of the writer's schema or of the declared one (``schema:``).

Why not Spark's own reader: it is a jar that must be of the very release of Spark, it numbers no records, and a
record that it can't decode ends the whole query without telling where. Here each block is checked on arrival
(length, checksum, sync marker), and what can't be decoded is told with its block's first byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.avro_container import Block, DamagedError, blocks, header_of
from lakeloom.sources.formats.avro_resolution import forks
from lakeloom.sources.formats.avro_schema import Column, SchemaError, bare, columns, parsed
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.decoded import Piece, Rows, decoded, pieces, told
from lakeloom.sources.reading import Reading
from lakeloom.sources.scanners import Found

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakeloom.sources.records import Group

# A block may hold many records a byte, so the numbers of two blocks begin further apart than their bytes.
_RECORDS_A_BYTE = 1 << 20
_MOST_EMPTY = 1 << 20  # records of nothing but NULL take no byte


class AvroScanner:
    """The columns, and whether each block is whole."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def feed(self, chunk: bytes) -> None:
        """Nothing: a block is looked at as one."""

    def close(self, path: str) -> Found:
        """Return the columns as ``name<TAB>type``."""
        try:
            with Path(path).open("rb") as file:
                header = header_of(file)
                found = [f"{each.name}\t{each.kind}" for each in columns(_readers(header.schema, self._reading))]
                for _ in blocks(file, header, 0, Path(path).stat().st_size):
                    pass
        except (DamagedError, SchemaError) as cause:
            return None, str(cause)
        return tuple(found), None


class Avro(Format):
    """The format ``avro``."""

    takes = ("schema",)
    extra = "formats"
    as_it_is = True
    scanner = AvroScanner

    @classmethod
    def check_schema(cls, reading: Reading) -> None:
        """It is a schema of Avro that makes columns."""
        try:
            columns(parsed(json.loads(reading.schema)))
        except (SchemaError, ValueError) as cause:
            raise ValueError(str(cause) if isinstance(cause, SchemaError) else "it is no JSON") from None

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return the records; a value that Spark's type can't hold breaks its record."""
        import pyarrow as pa

        del types
        with Path(group.paths[0]).open("rb") as file:
            found = columns(_readers(header_of(file).schema, reading))
        schema = pa.schema([pa.field(stored_name(each.name), each.kind) for each in found])
        cut = pieces(group.paths, int(spark.conf.get("spark.sql.files.maxPartitionBytes")))
        return decoded(spark, schema, cut, partial(_decode, reading))

    @classmethod
    def fault(cls, path: str, reading: Reading) -> str | None:
        """Return at which block and record a file can't be decoded."""
        try:
            for _ in _decode(reading, Piece(path, 0, Path(path).stat().st_size)):
                pass
        except DamagedError as cause:
            return str(cause)
        return None


def _readers(schema: Any, reading: Reading) -> Any:
    """Return the schema that a file is read with, parsed; raises SchemaError where it forks from the declared one."""
    writer = parsed(schema)
    if not reading.schema:
        return writer
    reader = parsed(json.loads(reading.schema))
    told = forks(writer, reader)
    if told:
        raise SchemaError(f"its schema forks from the declared one at {told}")
    return reader


def _decode(reading: Reading, piece: Piece) -> Iterator[Rows]:
    """Yield the records of the blocks that begin in a piece."""
    with Path(piece.path).open("rb") as file:
        header = header_of(file)
        readers = _readers(header.schema, reading)
        found = columns(readers)
        writer = parsed(bare(header.schema))
        reader = parsed(bare(json.loads(reading.schema))) if reading.schema else None
        if reader is not None and isinstance(writer, dict):
            writer = writer | {"name": reader["name"]}  # whatever a writer calls the record as a whole
        for block in blocks(file, header, piece.start, piece.end):
            yield from _records(block, found, writer, reader)


def _records(block: Block, found: list[Column], writer: Any, reader: Any) -> Iterator[Rows]:
    from io import BytesIO

    from fastavro import schemaless_reader

    if block.count > len(block.data) + _MOST_EMPTY:
        raise DamagedError(f"the block at byte {block.offset} speaks of more records than it has bytes")
    data = BytesIO(block.data)
    rows = Rows([[] for _ in found])
    for index in range(block.count):
        try:
            value: Any = schemaless_reader(data, writer, reader)
        except Exception:  # whatever bytes at random make of a decoder: fastavro names no error of its own
            raise DamagedError(f"record {index} of the block at byte {block.offset} can't be decoded") from None
        reasons: list[str] = []
        rows.add([_value(value[each.name], each, reasons) for each in found], block.offset * _RECORDS_A_BYTE + index)
        rows.reasons[-1] = reasons
        if reasons:
            rows.raws[-1] = told(value)
        if rows.full:
            yield rows
            rows = Rows([[] for _ in found])
    if data.read(1):
        raise DamagedError(f"the block at byte {block.offset} holds more than its {block.count} records")
    if rows.records:
        yield rows


def _value(value: Any, column: Column, reasons: list[str]) -> Any:
    if value is None or column.convert is None:
        return value
    try:
        return column.convert(value)
    except (ArithmeticError, ValueError):
        reasons.append(f"{column.name}: not {column.kind}")
        return None
