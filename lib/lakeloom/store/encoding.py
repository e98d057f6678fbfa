"""How a file's columns are encoded, by what its first rows show: dictionaries and compression where they gain.

Source: the Parquet format, "Encodings" and "Compression".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# Spark's word for a compression → pyarrow's, of those that both write.
WRITTEN = {"none": "none", "uncompressed": "none", "snappy": "snappy", "gzip": "gzip", "zstd": "zstd",
           "brotli": "brotli", "lz4_raw": "lz4"}  # fmt: skip
SAMPLE_BYTES = 64 << 10
_WORTH = 7 / 8  # of the size: what compresses to more is quicker to write and to read as it is


def repeating(table: pa.Table) -> list[str]:
    """Return the columns, fields by dotted names, in which a value comes twice on average.

    A dictionary of the others would cost twice: it is given up when it has grown too large, and what was encoded stays.
    """
    return [name for name, column in _leaves(table) if _repeats(column)]


def codecs(table: pa.Table, codec: str) -> str | dict[str, str]:
    """Return the compression, by column where one is better left as it is.

    Parameters
    ----------
    codec : str
        A key of `WRITTEN`.
    """
    import pyarrow as pa

    leaves, codec = dict(_leaves(table)), WRITTEN[codec]
    if codec == "none" or any(pa.types.is_nested(column.type) for column in leaves.values()):
        return codec
    packer = pa.Codec(codec)
    return {name: codec if _shrinks(column, packer) else "none" for name, column in leaves.items()}


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
    """Return whether a column's first bytes are worth compressing; what will have a dictionary is."""
    if not len(column) or _repeats(column):
        return True
    values = column.chunk(0)
    held = values.buffers()[-1]
    if held is None:
        return True
    bits = getattr(values.type, "bit_width", 0) if values.type.num_buffers == 2 else 0
    start = values.offset * bits // 8
    sample = held.slice(start, min(SAMPLE_BYTES, held.size - start))
    return len(packer.compress(sample, asbytes=True)) <= _WORTH * sample.size
