"""How a database is asked: its URL at home, the driver's properties, one connection a predicate, coded errors.

The URL, the user and the driver's own messages never get into an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.secrets import Secret, reveal
from lakeloom.session.connect import is_connect
from lakeloom.session.settings import is_local
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.dialects import adapted
from lakeloom.sources.jdbc.embedded import anchored, connect, is_embedded, read_alone

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def at_home(config: JdbcConfig, base: Path) -> JdbcConfig:
    """Return the config as the driver is to be asked, an embedded database at the home; a secret URL stays secret."""
    url, driver = adapted(anchored(reveal(config.url), base))
    kept = Secret(url) if isinstance(config.url, Secret) else url
    return config.model_copy(update={"url": kept, "driver": config.driver or driver})


@contextmanager
def coded(config: JdbcConfig) -> Iterator[None]:
    """Turn what drivers and Spark raise into coded errors that show neither URL nor user."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    from lakeloom.sources.jdbc.errors import translate

    try:
        yield
    except (Py4JError, PySparkException) as cause:
        # Not chained: the cause's text may carry the URL and the user.
        raise translate(cause, f"jdbc source {config.table or 'query'}") from None


def _properties(config: JdbcConfig, **more: str) -> dict[str, str]:
    found = {name: reveal(value) for name, value in config.properties.items()}
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


def fetch(spark: SparkSession, config: JdbcConfig, table: str, predicates: Sequence[str], **more: str) -> DataFrame:
    """Return a table or bracketed query of the database, one connection a predicate."""
    url, properties = reveal(config.url), _properties(config, **more)
    # CHAR and VARCHAR are text: else Spark pads the values of an enumeration, and Delta would hold bronze to lengths.
    spark.conf.set("spark.sql.legacy.charVarcharAsString", "true")
    if is_embedded(url) and not is_connect(spark) and not is_local(spark.sparkContext.master):
        return read_alone(spark, url, table, predicates, properties)
    return spark.read.jdbc(url, table, predicates=list(predicates), properties=properties)


@contextmanager
def opened(spark: SparkSession, config: JdbcConfig) -> Iterator[Any]:
    """Give a connection (``java.sql.Connection``) of the driver's own process, for what is no reading of rows."""
    connection = connect(spark, reveal(config.url), origin_of(config), _properties(config))
    try:
        yield connection
    finally:
        connection.close()
