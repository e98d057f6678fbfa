"""How a database is asked: its URL at home, the driver's properties, one connection a predicate, coded errors.

The URL, the user and the driver's own messages never get into an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.secrets import Secret, reveal
from lakeloom.session.connect import is_connect
from lakeloom.session.settings import is_local
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.dialects import adapted, properties
from lakeloom.sources.jdbc.embedded import anchored, connect, is_embedded, read_alone
from lakeloom.sources.jdbc.tls import Tls, words
from lakeloom.sources.jdbc.windows import EVERY_ROW, both

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

# Of a query that answers with a row: PostgreSQL computes an answer that is fetched in portions by one process alone.
IN_ONE = {"preferTimestampNTZ": "true", "fetchsize": "0"}


def at_home(config: JdbcConfig, base: Path) -> JdbcConfig:
    """Return the config as the driver is to be asked, an embedded database at the home; a secret URL stays secret."""
    url, driver = adapted(anchored(reveal(config.url), base))
    kept = Secret(url) if isinstance(config.url, Secret) else url
    tls = config.tls
    if isinstance(tls, Tls) and tls.ca is not None:
        tls = Tls(ca=str(base / tls.ca))
    tunnel = config.tunnel
    if tunnel is not None:
        files = {name: getattr(tunnel, name) for name in ("key", "known_hosts")}
        tunnel = tunnel.model_copy(update={name: str(base / file) for name, file in files.items() if file is not None})
    told = {"url": kept, "driver": config.driver or driver, "tls": tls, "tunnel": tunnel}
    return config.model_copy(update=told)


@contextmanager
def coded(config: JdbcConfig, *, alone: bool = True) -> Iterator[None]:
    """Turn what drivers and Spark raise into coded errors that show neither URL nor user.

    Parameters
    ----------
    alone : bool
        Whether nothing but the database is at work; else an error that is not a database's goes on as it is.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    from lakeloom.sources.jdbc.errors import is_databases, translate

    try:
        yield
    except (Py4JError, PySparkException) as cause:
        if not alone and not is_databases(cause):
            raise
        # Not chained: the cause's text may carry the URL and the user.
        raise translate(cause, f"jdbc source {config.table or 'query'}") from None


def properties_of(config: JdbcConfig, **more: str) -> dict[str, str]:
    """Return what the driver and Spark's reader are told, the credentials among it."""
    url, told = reveal(config.url), {name: reveal(value) for name, value in config.properties.items()}
    found = properties(url) | words(url, config.tls, told, tunnelled=config.tunnel is not None) | told
    found |= {
        name: reveal(value)
        for name, value in (("user", config.user), ("password", config.password))
        if value is not None
    }
    if config.driver:
        found["driver"] = config.driver
    return found | {"fetchsize": str(config.fetch_rows)} | more


def origin_of(config: JdbcConfig) -> str:
    """Return what a query reads from: the table, or the source's own query in brackets."""
    return config.table or f"({config.query}) lakeloom_source"


def condition(config: JdbcConfig) -> str:
    """Return the predicate that every row of the source satisfies."""
    return config.where or EVERY_ROW


def fetch(spark: SparkSession, config: JdbcConfig, table: str, predicates: Sequence[str], **more: str) -> DataFrame:
    """Return a table or bracketed query of the database, one connection a predicate."""
    url, properties = reveal(config.url), properties_of(config, **more)
    # CHAR and VARCHAR are text: else Spark pads the values of an enumeration, and Delta would hold bronze to lengths.
    spark.conf.set("spark.sql.legacy.charVarcharAsString", "true")
    if is_embedded(url) and not is_connect(spark) and not is_local(spark.sparkContext.master):
        return read_alone(spark, url, table, predicates, properties)
    return spark.read.jdbc(url, table, predicates=list(predicates), properties=properties)


def one(session: SparkSession, config: JdbcConfig, query: str) -> Row | None:
    """Return the first row of a query of our own, None where it has none."""
    asked = fetch(session, config, f"({query}) lakeloom_asked", [EVERY_ROW], **IN_ONE)
    return asked.first()


def measured(
    session: SparkSession,
    config: JdbcConfig,
    figures: Mapping[str, str],
    where: str = EVERY_ROW,
    texts: Sequence[str] = (),
) -> dict[str, str | None]:
    """Return aggregates over the source's rows that `where` takes, as text.

    Parameters
    ----------
    texts : sequence of str
        Those that are texts there, whatever the driver says: SQLite's takes each aggregate for a number.
    """
    listed = ", ".join(f"{sql} AS {name}" for name, sql in figures.items())
    asked = f"(SELECT {listed} FROM {origin_of(config)} WHERE {both(condition(config), where)}) lakeloom_figures"  # noqa: S608  names are validated or quoted
    told = {"customSchema": ", ".join(f"{name} STRING" for name in texts)} if texts else {}
    frame = fetch(session, config, asked, [EVERY_ROW], **IN_ONE, **told)
    row = frame.selectExpr(*[f"CAST({name} AS STRING) AS {name}" for name in figures]).first()
    assert row is not None  # an aggregate without groups has one row
    return {name: row[name] for name in figures}


@contextmanager
def opened(spark: SparkSession, config: JdbcConfig) -> Iterator[Any]:
    """Give a connection (``java.sql.Connection``) of the driver's own process, for what is no reading of rows."""
    connection = connect(spark, reveal(config.url), origin_of(config), properties_of(config))
    try:
        yield connection
    finally:
        connection.close()
