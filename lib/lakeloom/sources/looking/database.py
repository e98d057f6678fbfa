"""Tables of a database by its own catalogue (JDBC's DatabaseMetaData): their keys, indexes and columns.

Source: the interface ``java.sql.DatabaseMetaData``. What a driver does not tell is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import SourceError
from lakeloom.core.names import is_identifier
from lakeloom.session.connect import is_connect
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import coded, opened
from lakeloom.sources.jdbc.dialects import product, quote_identifier

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MOST = 200
_KINDS = ("TABLE", "BASE TABLE", "PARTITIONED TABLE", "VIEW", "MATERIALIZED VIEW")
# What sorts as whole numbers do, of java.sql.Types: TINYINT, SMALLINT, INTEGER, BIGINT.
_WHOLE = (-6, 5, 4, -5)


@dataclass(frozen=True)
class Described:
    """What a database's catalogue says of a table.

    Attributes
    ----------
    schema, name : str
        As it spells them; the schema is empty where there is none, or it is the connection's own.
    primary : tuple of str
    unique : tuple of tuples of str
        Columns of unique indexes without a column that may be NULL.
    columns : tuple of str
    indexed : frozenset of str
        Columns that an index begins with.
    whole : frozenset of str
        Columns of whole numbers.
    """

    schema: str
    name: str
    primary: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...]
    indexed: frozenset[str]
    whole: frozenset[str]

    @property
    def keys(self) -> tuple[str, ...]:
        """The primary key, else the shortest unique index; empty where a name of it is no plain one."""
        found = self.primary or min(self.unique, key=len, default=())
        return found if all(map(is_identifier, found)) else ()

    def origin(self, url: str, *, quoted: bool) -> dict[str, str]:
        """Return ``table:`` or, where the name must be quoted, ``query:``."""
        names = [each for each in (self.schema, self.name) if each]
        if not quoted and all(map(is_identifier, names)):
            return {"table": ".".join(names)}
        return {"query": f"SELECT * FROM {'.'.join(quote_identifier(url, each) for each in names)}"}  # noqa: S608


def described(spark: SparkSession, config: JdbcConfig, url: str, patterns: Sequence[str]) -> list[Described]:
    """Return the tables that any of `patterns` names: ``orders``, ``sales.*``; those of the own schema without any.

    Parameters
    ----------
    config : JdbcConfig
        Of any table; who asks, and how.
    url : str
        Its URL, revealed.

    Raises
    ------
    SourceError
        LL-SOURCE-001, LL-SOURCE-002, LL-SOURCE-005 as for any reading; LL-SOURCE-008 where there is no such table, or
        there are too many.
    """
    if is_connect(spark):
        raise SourceError(
            "LL-SOURCE-008", "a client of Spark Connect can't ask a database for its tables",
            fix="look from a machine with Spark's own driver",
        )  # fmt: skip
    with coded(config), opened(spark, config) as connection:
        about = connection.getMetaData()
        own = _own(connection, url)
        found = [
            _table(about, catalog, schema, name, own)
            for catalog, schema, name in _tables(spark, about, own, url, patterns)
        ]
    if not found:
        wanted = ", ".join(patterns) or "the connection's own schema"
        raise SourceError(
            "LL-SOURCE-008", f"there is no table in {wanted} that may be read",
            fix="name one or a schema: --table sales.orders, --table 'sales.*'",
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class _Own:
    catalog: str | None
    schema: str | None


def _own(connection: Any, url: str) -> _Own:
    """Return where the connection's tables lie that need no schema before their names."""
    schema = catalog = None
    with suppress(Exception):  # a driver of JDBC 4.0 has no getSchema
        schema = connection.getSchema()
    with suppress(Exception):
        catalog = connection.getCatalog()
    return _Own(catalog, None if product(url) in ("mysql", "mariadb", "sqlite") else schema)


def _tables(
    spark: SparkSession, about: Any, own: _Own, url: str, patterns: Sequence[str]
) -> Iterator[tuple[str | None, str | None, str]]:
    wide = any("." in each for each in patterns)
    kinds = spark.sparkContext._gateway.new_array(spark._jvm.java.lang.String, len(_KINDS))
    for at, kind in enumerate(_KINDS):
        kinds[at] = kind
    flat = product(url) in ("mysql", "mariadb")  # its schemas are catalogues
    rows = about.getTables(None if wide and flat else own.catalog, None if wide else own.schema, "%", kinds)
    count = 0
    for row in _rows(rows, "TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME"):
        catalog, schema, name = row
        home = catalog if flat else schema
        full = f"{home}.{name}" if home else str(name)
        if patterns and not any(_fits(each, full if "." in each else str(name)) for each in patterns):
            continue
        count += 1
        if count > MOST:
            raise SourceError(
                "LL-SOURCE-008", f"more than {MOST} tables are named", fix="name fewer at a time: --table 'sales.ord*'"
            )
        yield catalog, schema, str(name)


def _fits(pattern: str, name: str) -> bool:
    return fnmatchcase(name.lower(), pattern.lower())


def _table(about: Any, catalog: str | None, schema: str | None, name: str, own: _Own) -> Described:
    home = schema if schema not in (None, own.schema) else catalog if schema is None and catalog != own.catalog else ""
    columns, nullable, whole = [], set(), set()
    for column, kind, empty, of in _rows(
        about.getColumns(catalog, schema, name, "%"), "COLUMN_NAME", "DATA_TYPE", "NULLABLE", "TABLE_NAME"
    ):
        if of != name:  # the name is a pattern to the driver
            continue
        columns.append(str(column))
        nullable |= {column} if str(empty) != "0" else set()
        whole |= {column} if int(kind or 0) in _WHOLE else set()
    keys = sorted(
        (int(at or 0), str(column))
        for column, at in _rows(about.getPrimaryKeys(catalog, schema, name), "COLUMN_NAME", "KEY_SEQ")
    )
    primary = tuple(column for _, column in keys)
    indexes: dict[str, list[tuple[int, str, bool]]] = {}
    with suppress(Exception):  # a view has none, and some drivers refuse to say so
        rows = about.getIndexInfo(catalog, schema, name, False, True)
        for index, column, at, many in _rows(rows, "INDEX_NAME", "COLUMN_NAME", "ORDINAL_POSITION", "NON_UNIQUE"):
            if index is not None and column is not None:
                indexes.setdefault(index, []).append((int(at or 0), column, str(many).lower() in ("1", "true", "t")))
    unique, first = [], set(primary[:1])
    for parts in indexes.values():
        names = tuple(column for _, column, _ in sorted(parts))
        first.add(names[0])
        if not any(many for *_, many in parts) and not nullable.intersection(names):
            unique.append(names)
    own_whole = frozenset(each for each in whole if each)
    return Described(home or "", name, primary, tuple(sorted(unique)), tuple(columns), frozenset(first), own_whole)


def _rows(found: Any, *names: str) -> Iterator[tuple[str | None, ...]]:
    """Yield the named columns of a result as text."""
    try:
        while found.next():
            yield tuple(found.getString(name) for name in names)
    finally:
        found.close()
