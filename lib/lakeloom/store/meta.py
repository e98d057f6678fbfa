"""The platform's own small tables (layer ``meta``): appended and read through delta-rs, without a JVM."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.store.away import away
from lakeloom.store.damage import named
from lakeloom.store.lake import Lake

_TYPES = {"string": "string", "long": "int64", "double": "float64", "boolean": "bool_"}
_COMPACT_AT = 64
# Steps that run side by side append to the same tables; one at a time spares Delta's conflict retries.
_WRITING = threading.Lock()


def append(
    lake: Lake,
    table: TableName,
    columns: Mapping[str, str],
    records: Sequence[Mapping[str, Any]],
    properties: Mapping[str, str] | None = None,
) -> None:
    """Append `records` to a meta table, which is made on the first call.

    Parameters
    ----------
    columns : mapping
        Name → ``string``, ``long``, ``double``, ``boolean`` or ``timestamp`` (UTC). Those that the table lacks
        are added to it; its older rows have NULL there.
    records : sequence of mapping
        Column → value; a missing column is NULL.
    properties : mapping, optional
        Delta's properties, with which the table is made.

    Raises
    ------
    StoreError
        LL-STORE-004 where the storage root can't be written.
    SourceError
        LL-SOURCE-001 where it lies in a store that can't be reached.
    """
    import pyarrow as pa
    from deltalake import write_deltalake
    from deltalake.exceptions import DeltaError

    if not records:
        return
    fields = [
        pa.field(name, pa.timestamp("us", "UTC") if kind == "timestamp" else getattr(pa, _TYPES[kind])())
        for name, kind in columns.items()
    ]
    data = pa.table({field.name: pa.array([r.get(field.name) for r in records], field.type) for field in fields})
    try:
        with _WRITING:
            # A newer lakeloom may know more columns than the table was made with.
            made = None if lake.exists(table) else dict(properties or {})
            write_deltalake(
                lake.path(table),
                data,
                mode="append",
                schema_mode="merge",
                configuration=made,
                storage_options=lake.options,
            )
            if lake.size(table).files > _COMPACT_AT:
                lake.delta(table).optimize.compact()
    except (OSError, DeltaError) as cause:
        gone = away(str(cause), str(table))
        if gone is not None:
            raise gone from None
        raise StoreError(
            "LL-STORE-004",
            f"{table} can't be written ({type(cause).__name__})",
            where=str(table),
            fix="free the disk or mend the rights, then run again",
        ) from cause


def compact(lake: Lake, table: TableName, target: int) -> int:
    """Put a meta table's small files together, into files of `target` bytes; return the newest version."""
    with _WRITING:
        lake.delta(table).optimize.compact(target_size=target)
    return lake.version(table)


def rows(lake: Lake, table: TableName, sql: str = "SELECT * FROM t") -> list[dict[str, Any]]:
    """Return the rows of a query over a meta table, which is called ``t``; none where it does not exist.

    By default all rows, in no promised order.
    """
    if not lake.exists(table):
        return []
    from deltalake import QueryBuilder

    # Not as pyarrow: its dataset module imports pandas, a second that every command would pay.
    opened = lake.delta(table)
    with named(table, opened):
        found = QueryBuilder().register("t", opened).execute(sql).read_all()
    names = found.column_names
    columns = [found.column(name).to_pylist() for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
