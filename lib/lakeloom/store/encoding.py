"""How a file's columns are encoded, by what its first rows show: dictionaries and compression where they gain.

Source: the Parquet format, "Encodings" and "Compression".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# Spark's word for a compression → pyarrow's, of those that both write.
WRITTEN = {"none": "none", "uncompressed": "none", "snappy": "snappy", "gzip": "gzip", "zstd": "zstd",
           "brotli": "brotli", "lz4_raw": "lz4"}  # fmt: skip
SAMPLE_BYTES = 64 << 10
_WORTH = 7 / 8  # of the size: what compresses to more is quicker to write and to read as it is


def encoded(table: pa.Table, codec: str) -> dict[str, Any]:
    """Return a writer's words: which columns have a dictionary, and the compression, by column where one is left out.

    A dictionary is for columns, fields by dotted names, in which a value comes twice on average. Of the others it would
    cost twice: it is given up when it has grown too large, and what was encoded stays.

    Parameters
    ----------
    table : pyarrow.Table
        The first rows.
    codec : str
        A key of `WRITTEN`.
    """
    import pyarrow as pa

    leaves, codec = dict(_leaves(table)), WRITTEN[codec]
    repeating = [name for name, column in leaves.items() if _repeats(column)]
    packed: str | dict[str, str] = codec
    if codec != "none" and not any(pa.types.is_nested(column.type) for column in leaves.values()):
        packer = pa.Codec(codec)
        packed = {
            name: codec if name in repeating or _shrinks(column, packer) else "none" for name, column in leaves.items()
        }
    return {"use_dictionary": repeating, "compression": packed}


def _leaves(table: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    import pyarrow as pa

    while any(pa.types.is_struct(each.type) for each in table.schema):
        table = table.flatten()
    return zip(table.column_names, table.columns, strict=True)


def _repeats(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_nested(column.type) or pa.types.is_dictionary(column.type):
        return True
    return 2 * int(compute.count_distinct(column).as_py()) <= len(column)


def _shrinks(column: pa.ChunkedArray, packer: pa.Codec) -> bool:
    """Return whether the first bytes of a column that has values are worth compressing."""
    values = column.chunk(0)
    held = values.buffers()[-1]
    if held is None:
        return True
    bits = getattr(values.type, "bit_width", 0) if values.type.num_buffers == 2 else 0
    start = values.offset * bits // 8
    sample = held.slice(start, min(SAMPLE_BYTES, held.size - start))
    return len(packer.compress(sample, asbytes=True)) <= _WORTH * sample.size
