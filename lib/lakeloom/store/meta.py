"""The platform's own small tables (layer ``meta``): appended and read through delta-rs, without a JVM."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.store.away import away
from lakeloom.store.damage import named
from lakeloom.store.lake import Lake

_TYPES = {"string": "string", "long": "int64", "double": "float64", "boolean": "bool_"}
_COMPACT_AT = 64
# In a store each commit and each file is a request or more of every reader.
_COMPACT_STORE_AT, _CHECKPOINT_STORE_AT = 8, 10
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
            log = lake.log(table)
            opened = lake.delta(table, log=log) if log else None
            write_deltalake(
                opened or lake.path(table),
                data,
                mode="append",
                schema_mode="merge",  # a newer lakeloom may know more columns than the table was made with
                configuration=None if opened else _configuration(lake, properties),
                storage_options=lake.options,
            )
            if opened and opened.get_add_actions().num_rows > _most_files(lake):
                opened.optimize.compact()
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


def _configuration(lake: Lake, properties: Mapping[str, str] | None) -> dict[str, str]:
    often = {} if isinstance(lake.root, Path) else {"delta.checkpointInterval": str(_CHECKPOINT_STORE_AT)}
    return often | dict(properties or {})


def _most_files(lake: Lake) -> int:
    return _COMPACT_AT if isinstance(lake.root, Path) else _COMPACT_STORE_AT


def compact(lake: Lake, table: TableName, target: int) -> int:
    """Put a meta table's small files together, into files of `target` bytes; return the newest version."""
    with _WRITING:
        lake.delta(table).optimize.compact(target_size=target)
    return lake.version(table)


def rows(lake: Lake, table: TableName, sql: str = "SELECT * FROM t") -> list[dict[str, Any]]:
    """Return the rows of a query over a meta table, which is called ``t``; none where it does not exist.

    By default all rows, in no promised order. A table whose log is as it was is not read again.
    """
    log = lake.log(table)
    if not log:
        return []
    kept = lake.answers.kept(str(table), sql, log)
    if kept is not None:
        return kept
    from deltalake import QueryBuilder

    # Not as pyarrow: its dataset module imports pandas, a second that every command would pay.
    opened = lake.delta(table, log=log)
    with named(table, opened):
        found = QueryBuilder().register("t", opened).execute(sql).read_all()
    names = found.column_names
    columns = [found.column(name).to_pylist() for name in names]
    made = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    lake.answers.keep(str(table), sql, log, made)
    return made
