"""Arrow batches → one file of a format: written as it comes, never more than a row group in memory.

The same rows in the same order make the same bytes: no clock and no name stands in a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.sinks.objects.config import ObjectsConfig
from lakeloom.sinks.objects.forms import LINE

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_BYTES = 32 << 20


class Written:
    """A file of rows, while it is written.

    Attributes
    ----------
    rows, size : int
        What went in so far; the size in bytes before compression.
    """

    def __init__(self, place: Path, schema: pa.Schema, config: ObjectsConfig) -> None:
        self.place, self.rows, self.size = place, 0, 0
        self._inner: _Parquet | _Csv | _Json = {"parquet": _Parquet, "csv": _Csv, "json": _Json}[config.format](
            place, schema, config
        )  # type: ignore[assignment]

    def take(self, batch: pa.RecordBatch) -> None:
        """Write a batch's rows."""
        self._inner.take(batch)
        self.rows += batch.num_rows
        self.size += batch.nbytes

    def close(self) -> None:
        """End the file."""
        self._inner.close()


class _Parquet:
    def __init__(self, place: Path, schema: pa.Schema, config: ObjectsConfig) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetWriter(place, schema, compression=config.packed)
        self._held: list[Any] = []
        self._bytes = 0

    def take(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= _GROUP_BYTES:
            self._group()

    def close(self) -> None:
        self._group()
        self._file.close()

    def _group(self) -> None:
        import pyarrow as pa

        if self._held:
            table = pa.Table.from_batches(self._held)
            self._file.write_table(table, row_group_size=table.num_rows)
        self._held, self._bytes = [], 0


class _Text:
    def __init__(self, place: Path, config: ObjectsConfig) -> None:
        import pyarrow as pa

        self._file = pa.OSFile(str(place), "wb")
        self._stream = self._file if config.packed == "none" else pa.CompressedOutputStream(self._file, config.packed)

    def close(self) -> None:
        self._stream.close()
        self._file.close()


class _Csv(_Text):
    def __init__(self, place: Path, schema: pa.Schema, config: ObjectsConfig) -> None:
        from pyarrow import csv

        super().__init__(place, config)
        options = csv.WriteOptions(include_header=config.header, delimiter=config.delimiter)
        self._rows = csv.CSVWriter(self._stream, schema, write_options=options)

    def take(self, batch: pa.RecordBatch) -> None:
        self._rows.write_batch(batch)

    def close(self) -> None:
        self._rows.close()
        super().close()


class _Json(_Text):
    def __init__(self, place: Path, schema: pa.Schema, config: ObjectsConfig) -> None:
        del schema
        super().__init__(place, config)

    def take(self, batch: pa.RecordBatch) -> None:
        lines = batch.column(batch.schema.get_field_index(LINE)).to_pylist()
        self._stream.write(("\n".join(lines) + "\n").encode())
