"""Bronze's own columns around rows that Arrow holds; what `lakeloom.tables.bronze.stamp` does to a frame."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lakeloom.tables.bronze import Stamp

if TYPE_CHECKING:
    import pyarrow as pa


def stamped(rows: pa.Table, source: str, mark: Stamp) -> pa.Table:
    """Return bronze rows.

    Parameters
    ----------
    rows : pyarrow.Table
        Raw columns, ``_file``, ``_file_no int32`` and ``_record int64``.
    source : str
        The source's name.
    mark : Stamp
        Of the landing, from its intent.

    Returns
    -------
    pyarrow.Table
        ``_position``, the raw columns, ``_source``, ``_file``, ``_ingested_at``, ``_run``.
    """
    import pyarrow as pa

    count = rows.num_rows
    own = ("_file", "_file_no", "_record")
    parts = {
        "epoch": _same(pa.scalar(mark.epoch, pa.int64()), count),
        "file": _whole(rows["_file_no"]),
        "record": _whole(rows["_record"]),
    }
    at = datetime.fromisoformat(mark.clock)
    columns = {"_position": pa.StructArray.from_arrays(list(parts.values()), list(parts))}
    columns |= {name: rows[name] for name in rows.column_names if name not in own}
    columns |= {
        "_source": _told(source, count),
        "_file": rows["_file"],
        "_ingested_at": _same(pa.scalar(at, pa.timestamp("us", "UTC")), count),
        "_run": _told(mark.run, count),
    }
    return pa.table(columns)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _same(value: pa.Scalar, count: int) -> pa.Array:
    import pyarrow as pa

    return pa.repeat(value, count)


def _told(text: str, count: int) -> pa.Array:
    """Return a text as often as that, kept once."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), pa.array([text]))
