"""The largest value of a column of times, from the log's statistics where they have it, without a JVM."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from lakeloom.store.damage import named
from lakeloom.store.lake import Lake


def newest(lake: Lake, table: str, version: int, column: str) -> datetime | None:
    """Return the largest date or timestamp of `column` at a version, in UTC; None where there is none.

    A date counts from its midnight; a time without a zone is taken as UTC.
    """
    known, value = _by_statistics(lake, table, version, column)
    return _instant(value if known else _by_reading(lake, table, version, column))


def _by_statistics(lake: Lake, table: str, version: int, column: str) -> tuple[bool, Any]:
    """Return whether every file's statistics know the column's maximum, and the largest of them."""
    files = lake.delta(table, version).get_add_actions(flatten=True)
    names = (f"max.{column}", f"null_count.{column}", "num_records")
    if not set(names) <= set(files.schema.names):
        return files.num_rows == 0, None
    largest, nulls, rows = (files.column(name).to_pylist() for name in names)
    for value, empty, count in zip(largest, nulls, rows, strict=True):
        if value is None and (count is None or empty != count):
            return False, None
    return True, max((value for value in largest if value is not None), default=None)


def _by_reading(lake: Lake, table: str, version: int, column: str) -> Any:
    from deltalake import QueryBuilder

    quoted = column.replace('"', '""')
    text = f'SELECT max("{quoted}") AS newest FROM t'  # noqa: S608 - a column's name, quoted
    opened = lake.delta(table, version)
    with named(table, opened):
        found = QueryBuilder().register("t", opened).execute(text).read_all()
    return found.column("newest").to_pylist()[0]


def _instant(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    return None
