"""A connection to the database that rows go to, by the driver's JVM: short transactions of a few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import ConfigError, SinkError
from lakeloom.core.secrets import reveal
from lakeloom.session.connect import is_connect
from lakeloom.session.settings import is_local
from lakeloom.sinks.jdbc.config import JdbcSinkConfig
from lakeloom.sinks.jdbc.errors import translated
from lakeloom.sources.jdbc.dialects import adapted, product
from lakeloom.sources.jdbc.embedded import anchored, connect, is_embedded
from lakeloom.sources.jdbc.tls import Tls, words

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Of PostgreSQL's driver: texts become what their column is (uuid, jsonb, an enumeration); a batch is one statement.
_ASKED = {"postgresql": {"stringtype": "unspecified", "reWriteBatchedInserts": "true"}}


class Place:
    """Where rows go, and how its driver is asked.

    Attributes
    ----------
    url : str
        As the driver takes it; holds whatever the config has put there, so it is never shown.
    where : str
        For messages.
    """

    def __init__(self, config: JdbcSinkConfig, home: Path, where: str = "") -> None:
        self.config, self.where = config, where
        self.url, driver = adapted(anchored(reveal(config.url), home))
        named = {name: reveal(value) for name, value in config.properties.items()}
        given = (("user", config.user), ("password", config.password), ("driver", config.driver or driver))
        named |= {name: reveal(value) for name, value in given if value is not None}
        said = self.url.lower()
        asked = {
            name: value for name, value in _ASKED.get(product(self.url), {}).items() if f"{name.lower()}=" not in said
        }
        tls = Tls(ca=str(home / config.tls.ca)) if isinstance(config.tls, Tls) and config.tls.ca else config.tls
        self.properties = asked | words(self.url, tls, named) | named

    @property
    def one_writer(self) -> bool:
        """Whether the database takes one connection that writes at a time."""
        return product(self.url) == "sqlite"

    @property
    def is_derby(self) -> bool:
        """Whether it is Derby, which is particular about NULL."""
        return product(self.url) == "derby"

    def require_reachable(self, session: SparkSession) -> None:
        """Refuse what can't be done from this session; raises LL-SINK-007, LL-CONF-004."""
        if is_connect(session):
            raise SinkError(
                "LL-SINK-007", "a client of Spark Connect has no driver that could speak to a database",
                where=self.where, fix="run the step where Spark's own driver runs",
            )  # fmt: skip
        if is_embedded(self.url) and not is_local(session.sparkContext.master):
            raise ConfigError(
                "LL-CONF-004", "an embedded database is written by one process, and a cluster has several",
                where=self.where, fix="export to a server, or run with a local master",
            )  # fmt: skip

    @contextmanager
    def coded(self) -> Iterator[None]:
        """Turn what drivers and Spark's writer raise into coded errors."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            yield
        except (Py4JError, PySparkException) as cause:
            # Not chained: the cause's text may carry the URL, the user and a row's values.
            raise translated(cause, self.where, self.config.table, self.config.keys) from None

    @contextmanager
    def opened(self, session: SparkSession) -> Iterator[Any]:
        """Give a connection whose statements stand at once."""
        with self.coded():
            connection = connect(session, self.url, self.config.table, self.properties)
            try:
                connection.setAutoCommit(True)
                yield connection
            finally:
                with suppress(Exception):  # it may be gone already
                    connection.close()

    @contextmanager
    def transaction(self, session: SparkSession) -> Iterator[Any]:
        """Give a connection whose statements stand together, or not at all."""
        with self.opened(session) as connection:
            connection.setAutoCommit(False)
            try:
                yield connection
                connection.commit()
            except BaseException:
                with suppress(Exception):  # where the line broke the database rolls back by itself
                    connection.rollback()
                raise


def execute(connection: Any, *statements: str) -> int:
    """Run statements; return how many rows they changed, as far as the driver tells."""
    changed = 0
    for sql in statements:
        asked = connection.createStatement()
        try:
            changed += 0 if asked.execute(sql) else max(0, int(asked.getUpdateCount()))
        finally:
            asked.close()
    return changed


def numbers(connection: Any, sql: str) -> list[int]:
    """Return the whole numbers of a query's one row."""
    asked = connection.createStatement()
    try:
        found = asked.executeQuery(sql)
        found.next()
        return [int(found.getLong(at + 1)) for at in range(found.getMetaData().getColumnCount())]
    finally:
        asked.close()


def texts(connection: Any, sql: str) -> list[tuple[str, ...]]:
    """Return the rows of a small query as texts."""
    asked, rows = connection.createStatement(), []
    try:
        found = asked.executeQuery(sql)
        while found.next():
            rows.append(tuple(str(found.getString(at + 1)) for at in range(found.getMetaData().getColumnCount())))
    finally:
        asked.close()
    return rows


def columns(connection: Any, table: str) -> dict[str, str]:
    """Return a table's columns as the database spells them, each with its type; that of a text with its length."""
    asked = connection.createStatement()
    try:
        about = asked.executeQuery(f"SELECT * FROM {table} WHERE 1 = 0").getMetaData()  # noqa: S608 - an identifier
        return {
            str(about.getColumnName(at)): _type(str(about.getColumnTypeName(at)), int(about.getPrecision(at)))
            for at in range(1, about.getColumnCount() + 1)
        }
    finally:
        asked.close()


def _type(name: str, length: int) -> str:
    return f"{name}({length})" if name.upper() in ("CHAR", "VARCHAR") and length > 0 else name


def beside(table: str, name: str) -> str:
    """Return the name of a table in the schema of another."""
    schema, dot, _ = table.rpartition(".")
    return f"{schema}{dot}{name}"


def tables(connection: Any, table: str, prefix: str) -> Sequence[str]:
    """Return the tables beside another whose names begin so; asked of the catalog, as a failed query is no answer."""
    named, own = table.rpartition(".")[0], str(connection.getSchema() or "")
    # MariaDB calls a catalog what others call a schema.
    catalog, schema = (named, "") if named and not own else (connection.getCatalog() or None, named or own)
    names = []
    for pattern in dict.fromkeys((f"{prefix}%", f"{prefix.upper()}%")):
        found = connection.getMetaData().getTables(catalog, None, pattern, None)
        while found.next():
            if not schema or str(found.getString(2) or schema).lower() == schema.lower():
                names.append(str(found.getString(3)))
        found.close()
    return list(dict.fromkeys(names))
