"""Databases that are files: where their relative paths start, and who may open them.

A relative path in the URL starts at the project's home, not at the working folder. One process at a
time can open such a database, so on a cluster the driver reads it alone and hands the rows on: they
must fit into its memory, as the file lies on its disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# After these words Derby means something other than a folder of its own.
_ELSEWHERE = ("//", "memory:", "jar:", "classpath:", "/")


def anchored(url: str, base: Path) -> str:
    """Return a JDBC URL with the relative path of an embedded Derby or SQLite database made absolute.

    Parameters
    ----------
    url : str
        Such as ``jdbc:derby:landing/fleet;user=x`` or ``jdbc:sqlite:fleet.db``; others come back as they are.
    base : Path
        The project's home.
    """
    for product in ("derby", "sqlite"):
        start = f"jdbc:{product}:"
        place = url.removeprefix(start)
        if place != url and place and not place.startswith((*_ELSEWHERE, ":")):
            path, mark, rest = place.removeprefix("directory:").partition(";")
            return f"{start}{base / path}{mark}{rest}"
    return url


def is_embedded(url: str) -> bool:
    """Return whether a JDBC URL names a database that is opened as files by the process that asks."""
    place = url.removeprefix("jdbc:derby:")
    return (place != url and not place.startswith("//")) or url.startswith("jdbc:sqlite:")


def connect(session: SparkSession, url: str, table: str, properties: Mapping[str, str]) -> Any:
    """Return a connection (``java.sql.Connection``) of the driver's own process, as Spark opens its own."""
    jvm: Any = session._jvm
    options = jvm.java.util.HashMap()
    for name, value in properties.items():
        options.put(name, value)
    reading = jvm.org.apache.spark.sql.execution.datasources.jdbc
    settings = reading.JDBCOptions(url, table, jvm.PythonUtils.toScalaMap(options))
    return jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(url).createConnectionFactory(settings).apply(-1)


def read_alone(
    session: SparkSession, url: str, table: str, predicates: Sequence[str], properties: Mapping[str, str]
) -> DataFrame:
    """Return the rows of a JDBC table that the driver's own process has read.

    Parameters
    ----------
    table : str
        A table's name, or a query in brackets with an alias.
    predicates : sequence of str
        SQL conditions, one after the other.

    Returns
    -------
    DataFrame
        The columns and types that Spark's JDBC reader gives.
    """
    from pyspark.sql import DataFrame

    jvm: Any = session._jvm
    # Asks for the columns only; Spark opens that connection in the driver.
    schema = session.read.jdbc(url, table, properties=dict(properties))._jdf.schema()
    dialects, scala = jvm.org.apache.spark.sql.jdbc.JdbcDialects, jvm.scala.jdk.javaapi.CollectionConverters
    reading = jvm.org.apache.spark.sql.execution.datasources.jdbc
    columns = ", ".join(dialects.get(url).quoteIdentifier(name) for name in schema.fieldNames()) or "1"
    connection = connect(session, url, table, properties)
    rows = jvm.java.util.ArrayList()
    try:
        for predicate in predicates:
            statement = connection.createStatement()
            found = statement.executeQuery(f"SELECT {columns} FROM {table} WHERE {predicate}")  # noqa: S608 - quoted
            reader = reading.JdbcUtils.resultSetToRows(found, schema)
            rows.addAll(scala.asJava(reader.toSeq()))
            statement.close()
    finally:
        connection.close()
    return DataFrame(session._jsparkSession.createDataFrame(rows, schema), session)
