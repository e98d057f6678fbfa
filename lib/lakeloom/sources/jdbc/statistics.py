"""What a database knows of a table without reading it: its blocks, its primary key, how a column's values lie.

Source: PostgreSQL's system catalogs and the view ``pg_stats``; the information schema of MySQL and MariaDB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakeloom.core.secrets import reveal
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import one
from lakeloom.sources.jdbc.dialects import product
from lakeloom.sources.jdbc.windows import literal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MARK = "\x1f"  # stands in no plain name

# Ranges of rows' places are quick from release 14 on.
_POSTGRESQL = """
SELECT CASE WHEN c.relkind IN ('r', 'm') AND current_setting('server_version_num')::int >= 140000
    THEN (pg_relation_size(c.oid) / current_setting('block_size')::bigint)::text ELSE '0' END AS block_count,
  (SELECT string_agg(a.attname::text, chr(31)) FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = c.oid AND i.indisprimary) AS key_columns
FROM pg_class c WHERE c.oid = to_regclass('{table}')"""
_MYSQL = """
SELECT '0' AS block_count, GROUP_CONCAT(column_name SEPARATOR 0x1f) AS key_columns
FROM information_schema.key_column_usage WHERE constraint_name = 'PRIMARY'
  AND table_schema = {schema} AND table_name = '{table}'"""
_HISTOGRAM = """
SELECT array_to_string(s.histogram_bounds::text::text[], chr(31)) AS edges FROM pg_stats s
JOIN pg_namespace n ON n.nspname = s.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
WHERE c.oid = to_regclass('{table}') AND lower(s.attname) = lower('{column}')"""


@dataclass(frozen=True)
class Known:
    """What is known of a table.

    Attributes
    ----------
    blocks : int
        Of a table of PostgreSQL that lies in one piece; else 0.
    key : tuple of str
        The columns of its primary key; empty where there is none, or it is not told.
    """

    blocks: int = 0
    key: tuple[str, ...] = ()


def known(session: SparkSession, config: JdbcConfig) -> Known:
    """Return what the database knows of the source's table; of a query, or by another product, nothing."""
    if config.table is None:
        return Known()
    of, (schema, _, table) = product(reveal(config.url)), config.table.rpartition(".")
    asked = {
        "postgresql": _POSTGRESQL.format(table=config.table),
        "mysql": _MYSQL.format(schema=f"'{schema}'" if schema else "DATABASE()", table=table),
    }.get(of)
    row = one(session, config, asked) if asked else None
    if row is None:
        return Known()
    return Known(int(row["block_count"]), tuple((row["key_columns"] or "").split(_MARK)) if row["key_columns"] else ())


def edges(session: SparkSession, config: JdbcConfig, column: str, number: int, of: str) -> list[str]:
    """Return rising values that divide a column into `number` parts of as many rows, by PostgreSQL's histogram.

    Empty where there is none: another product, a query, a table that was never analysed, a column of few values.
    """
    if config.table is None or product(reveal(config.url)) != "postgresql" or of == "text":
        return []
    row = one(session, config, _HISTOGRAM.format(table=config.table, column=column))
    bounds = (row["edges"] or "").split(_MARK) if row is not None and row["edges"] else []
    return spread([value for value in (_plain(each, of) for each in bounds) if value is not None], number)


def spread(bounds: Sequence[str], number: int) -> list[str]:
    """Return at most `number` - 1 of a histogram's bounds, evenly apart, without its ends."""
    steps = len(bounds) - 1
    places = {round(steps * index / number) for index in range(1, number)} - {0, steps} if steps > 1 else set()
    return list(dict.fromkeys(bounds[place] for place in sorted(places)))


def _plain(value: str, of: str) -> str | None:
    """Return a bound as windows are told values; None for one that is none, such as infinity."""
    try:
        if of == "zoned":
            value = datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None).isoformat()
        literal(value, of)
    except ValueError:
        return None
    return value
