"""A Delta table at a version → an Arrow table that every pyarrow can take, without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable


def scanned(opened: DeltaTable, columns: list[str] | None = None, filters: Any = None) -> pa.Table:
    """Return the rows of a table without deletion vectors, mapped columns and partitions, by Arrow's own scan.

    Parameters
    ----------
    opened : DeltaTable
    columns : list of str, optional
        All of them by default.
    filters : list of tuple, optional
        As deltalake takes them: ``[("split", "=", "train")]``; files are pruned by them and rows filtered.
    """
    from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

    # deltalake's own file system is Python: Arrow's threads call it, and where one of them still does as the
    # interpreter ends, the process aborts (delta-io/delta-rs#2184).
    place = SubTreeFileSystem(folder(opened), LocalFileSystem())
    return opened.to_pyarrow_table(columns=columns, filters=filters, filesystem=place)


def folder(opened: DeltaTable) -> str:
    """Return the folder that a table lies in."""
    return unquote(opened.table_uri.removeprefix("file://"))


def gathered(reader: Any, limit: int | None = None) -> pa.Table:
    """Return the rows of a reader of record batches, at most `limit` of them."""
    import pyarrow as pa
    from arro3.core import Table

    batches, rows = [], 0
    for batch in reader:
        if limit is not None and rows + batch.num_rows >= limit:
            batches.append(batch.slice(0, limit - rows))
            break
        batches.append(batch)
        rows += batch.num_rows
    table = Table.from_batches(batches, schema=reader.schema)
    columns = []
    for index in range(table.num_columns):
        column = table.column(index)
        wanted = _without_views(column.type)
        columns.append(column if wanted is None else column.cast(wanted))
    return pa.table(Table.from_arrays(columns, names=table.column_names))


def _without_views(kind: Any) -> Any:
    """Return a type without text and binary views, which older pyarrow can't take; None where it has none."""
    from arro3.core import DataType

    if DataType.is_string_view(kind):
        return DataType.large_utf8()
    if DataType.is_binary_view(kind):
        return DataType.large_binary()
    if DataType.is_list(kind):
        inner = _without_views(kind.value_type)
        return None if inner is None else DataType.list(kind.value_field.with_type(inner))
    if DataType.is_struct(kind):
        inners = [(field, _without_views(field.type)) for field in kind.fields]
        if any(inner is not None for _, inner in inners):
            return DataType.struct([field if inner is None else field.with_type(inner) for field, inner in inners])
    return None
