"""What databases differ in when they are written to: the SQL of each step, and the types of a table that is made.

All of it is text, a function of the product in the URL. Tried against PostgreSQL, MariaDB, SQLite and Derby; what SQL
Server, Oracle and MySQL are told follows their manuals and is not verified. Of any other product standard SQL is asked.
"""

# ruff: noqa: S608 - names of tables are identifiers, by the config; names of columns are quoted

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lakeloom.sources.jdbc.dialects import product, quote_identifier

# Of the staging table: which row it is, and whether it is to be deleted.
ROW, GONE = "lakeloom_row", "lakeloom_gone"


@dataclass(frozen=True)
class Writing:
    """A table, its staging table and the columns that are written, as the database spells them.

    Attributes
    ----------
    texts : dict
        Of Derby: column of text → its own type. Spark's writer tells every NULL text to be a CLOB, which Derby takes
        into no other column: such a one is staged as CLOB, and cast when it has been seen to fit.
    """

    url: str
    table: str
    stage: str
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def product(self) -> str:
        """The product in the URL."""
        return product(self.url)

    def quoted(self, names: Sequence[str], before: str = "") -> str:
        """Return names as a list of SQL."""
        return ", ".join(before + quote_identifier(self.url, name) for name in names)

    def value(self, name: str, before: str = "") -> str:
        """Return a staged value in its column's own type."""
        told = before + quote_identifier(self.url, name)
        return f"CAST({told} AS {self.texts[name]})" if name in self.texts else told

    def values(self, before: str = "") -> str:
        """Return the staged values of all columns."""
        return ", ".join(self.value(name, before) for name in self.columns)

    @property
    def rest(self) -> tuple[str, ...]:
        """The columns that are no keys."""
        return tuple(name for name in self.columns if name not in self.keys)

    def same(self, one: str, other: str) -> str:
        """Return the condition that two rows have one key."""
        each = (quote_identifier(self.url, key) for key in self.keys)
        return " AND ".join(f"{one}.{key} = {other}.{key}" for key in each)

    @property
    def kept(self) -> str:
        """The rows of the staging table that stay."""
        return f"{GONE} = 0"


def is_mysql(url: str) -> bool:
    """Return whether it is MySQL or MariaDB."""
    return product(url) in ("mysql", "mariadb")


def unique_keys(table: str) -> str:
    """Return the query for the unique keys of a table of MySQL: index, column."""
    return f"SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND {_named(table)}"


def engine(table: str) -> str:
    """Return the query for the engine of a table of MySQL, and whether that has transactions."""
    engines = "information_schema.ENGINES e ON e.ENGINE = t.ENGINE"
    return f"SELECT t.ENGINE, e.TRANSACTIONS FROM information_schema.TABLES t JOIN {engines} WHERE {_named(table)}"


def _named(table: str) -> str:
    schema, _, name = table.rpartition(".")
    of = f"'{schema}'" if schema else "DATABASE()"
    return f"TABLE_NAME = '{name}' AND TABLE_SCHEMA = {of}"


def staging(to: Writing) -> str:
    """Return the statement that makes the staging table with the types of the table's own columns."""
    integer = "NUMBER(19)" if to.product == "oracle" else "BIGINT"
    if is_mysql(to.url):  # there a CAST makes an integer as short as its value
        listed = f"{to.quoted(to.columns)}, 0 AS {ROW}, 0 AS {GONE}"
        return f"CREATE TABLE {to.stage} ({ROW} BIGINT, {GONE} BIGINT) AS SELECT {listed} FROM {to.table} WHERE 1 = 0"
    more = f"CAST(0 AS {integer}) AS {ROW}, CAST(0 AS {integer}) AS {GONE}"
    quote = _quoter(to)
    each = (f"CAST({quote(name)} AS CLOB) AS {quote(name)}" if name in to.texts else quote(name) for name in to.columns)
    listed = ", ".join((*each, more))
    if to.product == "sqlserver":
        return f"SELECT {listed} INTO {to.stage} FROM {to.table} WHERE 1 = 0"
    unlogged = "UNLOGGED " if to.product == "postgresql" else ""
    end = "WITH NO DATA" if to.product == "derby" else "WHERE 1 = 0"
    return f"CREATE {unlogged}TABLE {to.stage} AS SELECT {listed} FROM {to.table} {end}"


def cleared(to: Writing) -> str:
    """Return the statement that empties the table; a DELETE, since in some databases TRUNCATE ends a transaction."""
    return f"DELETE FROM {to.table}"


def inserted(to: Writing) -> str:
    """Return the statement that inserts all staged rows."""
    names = to.quoted(to.columns)
    return f"INSERT INTO {to.table} ({names}) SELECT {to.values()} FROM {to.stage} WHERE {to.kept}"


def deleted(to: Writing) -> str:
    """Return the statement that deletes the rows that are marked so."""
    return (
        f"DELETE FROM {to.table} WHERE EXISTS (SELECT 1 FROM {to.stage} lakeloom_s"
        f" WHERE lakeloom_s.{GONE} = 1 AND {to.same('lakeloom_s', to.table)})"
    )


def vanished(to: Writing) -> str:
    """Return the statement that deletes the rows whose keys are not staged."""
    return (
        f"DELETE FROM {to.table} WHERE NOT EXISTS (SELECT 1 FROM {to.stage} lakeloom_s"
        f" WHERE {to.same('lakeloom_s', to.table)})"
    )


def upserted(to: Writing, *, alone: bool = True) -> list[str]:
    """Return the statements that write the staged rows by their keys.

    Parameters
    ----------
    alone : bool
        Of MariaDB and MySQL: whether the keys are the only unique ones, since ON DUPLICATE KEY also replaces the row
        that another one of them meets.
    """
    if is_mysql(to.url) and not alone:
        return _updated_then_inserted(to)
    return _UPSERTS.get(to.product, _updated_then_inserted)(to)


def _on_conflict(to: Writing) -> list[str]:
    sets = ", ".join(f"{name} = excluded.{name}" for name in map(_quoter(to), to.rest))
    what = f"DO UPDATE SET {sets}" if sets else "DO NOTHING"
    return [f"{inserted(to)} ON CONFLICT ({to.quoted(to.keys)}) {what}"]


def _on_duplicate(to: Writing) -> list[str]:
    quote = _quoter(to)
    sets = ", ".join(f"{name} = VALUES({name})" for name in map(quote, to.rest))
    first = quote(to.keys[0])
    return [f"{inserted(to)} ON DUPLICATE KEY UPDATE {sets or f'{first} = VALUES({first})'}"]


def _merged(to: Writing) -> list[str]:
    quote = _quoter(to)
    sets = ", ".join(f"{quote(name)} = {to.value(name, 's.')}" for name in to.rest)
    update = f" WHEN MATCHED THEN UPDATE SET {sets}" if sets else ""
    # Derby takes a table alone as what is merged; what is to be deleted was marked and is passed over.
    source = to.stage if to.product == "derby" else f"(SELECT * FROM {to.stage} WHERE {to.kept})"
    only = f" AND s.{to.kept}" if to.product == "derby" else ""
    update = update.replace("WHEN MATCHED", f"WHEN MATCHED{only}")
    end = ";" if to.product == "sqlserver" else ""
    return [
        f"MERGE INTO {to.table} t USING {source} s ON ({to.same('t', 's')}){update}"
        f" WHEN NOT MATCHED{only} THEN INSERT ({to.quoted(to.columns)}) VALUES ({to.values('s.')}){end}"
    ]


def _updated_then_inserted(to: Writing) -> list[str]:
    quote = _quoter(to)
    same = to.same("lakeloom_s", to.table)
    found = f"FROM {to.stage} lakeloom_s WHERE {same} AND lakeloom_s.{to.kept}"
    sets = ", ".join(f"{quote(name)} = (SELECT lakeloom_s.{quote(name)} {found})" for name in to.rest)
    update = [f"UPDATE {to.table} SET {sets} WHERE EXISTS (SELECT 1 {found})"] if sets else []
    names = to.quoted(to.columns)
    insert = (
        f"INSERT INTO {to.table} ({names}) SELECT {names} FROM {to.stage} lakeloom_s WHERE {to.kept}"
        f" AND NOT EXISTS (SELECT 1 FROM {to.table} WHERE {to.same(to.table, 'lakeloom_s')})"
    )
    return [*update, insert]


_UPSERTS: dict[str, Callable[[Writing], list[str]]] = {
    "postgresql": _on_conflict, "sqlite": _on_conflict, "mysql": _on_duplicate, "mariadb": _on_duplicate,
    "derby": _merged, "sqlserver": _merged, "oracle": _merged,
}  # fmt: skip


def _quoter(to: Writing) -> Callable[[str], str]:
    return lambda name: quote_identifier(to.url, name)


# Spark type → SQL type; {} stands for what is in its brackets. A text that is a key has a length in most databases.
_STANDARD = {
    "boolean": "BOOLEAN", "tinyint": "SMALLINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
    "float": "REAL", "double": "DOUBLE PRECISION", "decimal": "DECIMAL({})", "string": "CLOB", "key": "VARCHAR(255)",
    "date": "DATE", "timestamp": "TIMESTAMP", "timestamp_ntz": "TIMESTAMP", "binary": "BLOB",
}  # fmt: skip
_MARIADB = {"double": "DOUBLE", "float": "FLOAT", "string": "LONGTEXT", "timestamp": "DATETIME(6)",
            "timestamp_ntz": "DATETIME(6)", "binary": "LONGBLOB"}  # fmt: skip
_TYPES = {
    "postgresql": {"string": "TEXT", "key": "TEXT", "timestamp": "TIMESTAMPTZ", "binary": "BYTEA"},
    "mysql": _MARIADB, "mariadb": _MARIADB, "sqlite": {"string": "TEXT", "key": "TEXT"},
    "sqlserver": {"boolean": "BIT", "double": "FLOAT", "string": "NVARCHAR(MAX)", "key": "NVARCHAR(255)",
                  "timestamp": "DATETIMEOFFSET", "timestamp_ntz": "DATETIME2", "binary": "VARBINARY(MAX)"},
    "oracle": {"boolean": "NUMBER(1)", "tinyint": "NUMBER(3)", "smallint": "NUMBER(5)", "int": "NUMBER(10)",
               "bigint": "NUMBER(19)", "float": "BINARY_FLOAT", "double": "BINARY_DOUBLE", "decimal": "NUMBER({})",
               "key": "VARCHAR2(255)", "timestamp": "TIMESTAMP WITH TIME ZONE"},
}  # fmt: skip


def created(url: str, table: str, columns: dict[str, str], keys: Sequence[str], types: dict[str, str]) -> str:
    """Return the statement that makes a table.

    Parameters
    ----------
    columns : dict
        Column → Spark type.
    types : dict
        Column → SQL type, instead of the one that is chosen.
    """
    known = _STANDARD | _TYPES.get(product(url), {})

    def of(name: str, kind: str) -> str:
        base, _, inner = kind.partition("(")
        base = "string" if base not in known else "key" if base == "string" and name in keys else base
        found = types.get(name) or known[base].format(inner.rstrip(")"))
        return f"{quote_identifier(url, name)} {found}{' NOT NULL' if name in keys else ''}"

    listed = ", ".join(of(name, kind) for name, kind in columns.items())
    key = ", ".join(quote_identifier(url, name) for name in keys)
    return f"CREATE TABLE {table} ({listed}{f', PRIMARY KEY ({key})' if key else ''})"
