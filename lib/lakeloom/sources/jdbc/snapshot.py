"""One state of a database for many connections: a snapshot that one of them holds and the others take.

PostgreSQL exports it (``pg_export_snapshot``); each partition's transaction begins with it. Elsewhere a
connection sees a state of its own, so rows that move between partitions while they are read could come
twice or not at all: there a read is divided only where a watermark leaves out what changes, or where the
source says so.

It lives as long as the connection that holds it, which also keeps the table from being dropped, emptied or
rewritten until the read has ended: whoever wants to waits, as behind any long query. After a crash the replay
takes a new state: nothing of the first had been committed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lakeloom.core.secrets import reveal
from lakeloom.session.connect import is_connect
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import origin_of, properties_of
from lakeloom.sources.jdbc.dialects import product
from lakeloom.sources.jdbc.embedded import connect

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A transaction's isolation is said before its first query, and the snapshot right after.
_TAKEN = ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", "SET TRANSACTION SNAPSHOT '{}'")


def shared(session: SparkSession, config: JdbcConfig) -> bool:
    """Return whether the database's connections can see one state; it is held by a JVM beside this process."""
    return product(reveal(config.url)) == "postgresql" and not is_connect(session)


class Snapshot:
    """A held state of the database.

    Attributes
    ----------
    words : tuple of str
        SQL by which a connection takes the state.
    options : dict
        What Spark's reader is told, so that its connections take it.
    """

    def __init__(self, session: SparkSession, config: JdbcConfig) -> None:
        given = properties_of(config).get("sessionInitStatement", "")
        self._connection: Any = connect(session, reveal(config.url), origin_of(config), properties_of(config))
        try:
            self._connection.setAutoCommit(False)
            self._connection.setReadOnly(True)
            asking = self._connection.createStatement()
            # Held to the end: a table that is rewritten or emptied meanwhile would have no rows in an older state.
            asking.executeQuery(f"SELECT 1 FROM {origin_of(config)} LIMIT 0")  # noqa: S608  names are validated
            found = asking.executeQuery("SELECT pg_export_snapshot()")
            found.next()
            self.words = tuple(each.format(found.getString(1)) for each in _TAKEN)
        except BaseException:
            self.close()
            raise
        self.options = {"sessionInitStatement": "; ".join([given, *self.words] if given else self.words)}

    def close(self) -> None:
        """Let the state go; a connection that is gone already is no error."""
        from py4j.protocol import Py4JError

        with suppress(Py4JError):
            self._connection.close()
