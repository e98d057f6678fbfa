"""What PostgreSQL's own driver tells of a source: the server's release and encoding, its columns' types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import opened, origin_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Described:
    """What a source is.

    Attributes
    ----------
    release : int
        The server's major one.
    encoding : str
        Of its texts, such as ``UTF8``.
    kinds : mapping
        Column → the database's type, such as ``int8``.
    """

    release: int
    encoding: str
    kinds: Mapping[str, str]


def described(session: SparkSession, config: JdbcConfig) -> Described:
    """Return what the server at a source's URL, one of PostgreSQL, tells; no row is read."""
    with opened(session, config) as connection:
        asking = connection.createStatement()
        encoding = asking.executeQuery("SELECT current_setting('server_encoding')")
        encoding.next()
        told = encoding.getString(1)
        about = asking.executeQuery(f"SELECT * FROM {origin_of(config)} WHERE 1 = 0").getMetaData()  # noqa: S608  names are validated
        kinds = {about.getColumnName(at): about.getColumnTypeName(at) for at in range(1, about.getColumnCount() + 1)}
        return Described(connection.getMetaData().getDatabaseMajorVersion(), told, kinds)
