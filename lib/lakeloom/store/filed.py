"""A Parquet file of a table, written from Arrow where no Spark is, and what the log is to say of it.

No version has it before `lakeloom.store.stage.Stage` commits it: a task that is done twice leaves a file that the next
vacuum takes.

Source: the Delta transaction log protocol, "Add File" and "Per-file Statistics".
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.objects.path import Location
from lakeloom.store.encoding import encoded

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

_LONGEST = 32  # characters of a text in the statistics
_AFTER_ALL = "\U0010ffff"
_EXACT = 15


def filed(folder: Location, tables: Iterable[pa.Table], leaves: Iterable[str], codec: str) -> dict[str, Any] | None:
    """Write tables of one schema into one new file; return the log's ``add`` action, None where there are no rows.

    Parameters
    ----------
    folder : Path or ObjectPath
        The table's.
    leaves : iterable of str
        The columns, fields inside of structs by dotted names, of which the log is to have statistics.
    codec : str
        A key of `lakeloom.store.encoding.WRITTEN`.
    """
    from pyarrow import parquet as pq

    name = f"part-{uuid.uuid4()}.{codec}.parquet"
    writer, made = None, list[Any]()
    with _opened(folder, name) as file:
        try:
            for table in tables:
                if writer is None:
                    writer = pq.ParquetWriter(
                        file, table.schema, store_schema=False, metadata_collector=made, coerce_timestamps="us",
                        **encoded(table, codec),
                    )  # fmt: skip
                writer.write_table(table, row_group_size=max(1, table.num_rows))
        finally:
            if writer is not None:
                writer.close()
    if writer is None or not made[0].num_rows:
        (folder / name).unlink(missing_ok=True)
        return None
    return {
        "path": name,
        "partitionValues": {},
        "size": (folder / name).stat().st_size,
        "modificationTime": int(time.time() * 1000),
        "dataChange": True,
        "stats": json.dumps(statistics(made[0], frozenset(leaves))),
    }


def statistics(file: pq.FileMetaData, leaves: frozenset[str]) -> dict[str, Any]:
    """Return what the log says of a file's rows, from its footer: their number; bounds and NULLs by column.

    Bounds of texts are cut to 32 characters, the upper one to one that is above all that begin so; where a footer has
    none, since a value is very long, there are none.
    """
    found: dict[str, list[Any]] = {}
    for at in range(file.num_row_groups):
        group = file.row_group(at)
        for number in range(group.num_columns):
            column = group.column(number)
            if column.path_in_schema in leaves:
                found.setdefault(column.path_in_schema, []).append(column)
    nulls, least, most = dict[str, Any](), dict[str, Any](), dict[str, Any]()
    for leaf, columns in found.items():
        told = [column.statistics for column in columns]
        if not all(each is not None and each.has_null_count for each in told):
            continue
        _put(nulls, leaf, sum(each.null_count for each in told))
        bounded = [each for each, column in zip(told, columns, strict=True) if each.null_count < column.num_values]
        if bounded and all(each.has_min_max for each in bounded):
            low, high = _low(min(each.min for each in bounded)), _high(max(each.max for each in bounded))
            if low is not None and high is not None:
                _put(least, leaf, low)
                _put(most, leaf, high)
    return {"numRecords": file.num_rows, "minValues": least, "maxValues": most, "nullCount": nulls}


@contextmanager
def _opened(folder: Location, name: str) -> Iterator[Any]:
    """Give a stream to write a file by; what is left of one that failed goes."""
    import pyarrow as pa

    if not isinstance(folder, Path):
        sink = pa.BufferOutputStream()
        yield sink
        folder.store.put((folder / name).key, sink.getvalue().to_pybytes())
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (folder / name).open("xb") as file:
            yield file
    except BaseException:
        (folder / name).unlink(missing_ok=True)
        raise


def _put(into: dict[str, Any], leaf: str, value: Any) -> None:
    *outer, last = leaf.split(".")
    for name in outer:
        into = into.setdefault(name, {})
    into[last] = value


def _low(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_LONGEST]
    return _told(value, timedelta(0))


def _high(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[:_LONGEST] + _AFTER_ALL
    return _told(value, timedelta(milliseconds=1))


def _told(value: Any, more: timedelta) -> Any:
    """Return a bound as the log writes it; times in whole milliseconds, which `more` makes an upper bound."""
    if isinstance(value, datetime):
        exact = value.microsecond % 1000 == 0
        whole = value.replace(microsecond=value.microsecond // 1000 * 1000) + (timedelta(0) if exact else more)
        zone = "Z" if value.tzinfo is not None else ""
        utc = whole.astimezone(UTC).replace(tzinfo=None) if zone else whole
        return utc.isoformat(timespec="milliseconds") + zone
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):  # of so many digits a binary number still tells each
        return float(value) if len(value.as_tuple().digits) <= _EXACT else None
    # Bounds in a footer pass over NaN, which is above all numbers to Spark: those of binary fractions are not told.
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def leaves_of(nodes: Mapping[str, Any], most: int) -> list[str]:
    """Return the first so many columns of a table by dotted names, fields inside of structs one by one.

    Parameters
    ----------
    nodes : mapping
        Column → type, as `lakeloom.store.types.Node`.
    most : int
        How many; below 0 all.
    """
    found = list(_leaves(nodes))
    return found if most < 0 else found[:most]


def _leaves(nodes: Mapping[str, Any], within: str = "") -> Iterator[str]:
    for name, node in nodes.items():
        if "." in name:  # which a footer does not tell from a field
            continue
        if isinstance(node, dict) and node["type"] == "struct":
            yield from _leaves({field["name"]: field["type"] for field in node["fields"]}, f"{within}{name}.")
        else:
            yield f"{within}{name}"
