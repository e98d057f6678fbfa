"""Whether a batch of PostgreSQL comes as Arrow, and what each task asks then.

Refused, and left to the driver: types of which both ways are not known to give the same, words for the driver that
libpq has none for, a zone of the JVM in which times without one are no UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakeloom.core.secrets import Secret, reveal
from lakeloom.session.connect import is_connect
from lakeloom.sources.jdbc import libpq
from lakeloom.sources.jdbc.arrow import Part, available
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import condition, origin_of, properties_of
from lakeloom.sources.jdbc.described import described
from lakeloom.sources.jdbc.dialects import product, quote_identifier
from lakeloom.sources.jdbc.rows import stored
from lakeloom.sources.jdbc.taken import Taken, taken
from lakeloom.sources.jdbc.windows import both
from lakeloom.sources.landing import Batch

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FROM_ROWS = 100_000  # fewer have come through the driver before a worker of Python has started
_UTC = ("UTC", "Etc/UTC", "GMT", "Z", "Zulu")


def parts(
    session: SparkSession, config: JdbcConfig, batch: Batch, rows: DataFrame, state: Sequence[str]
) -> list[Part] | None:
    """Return what each task is to read, None where the driver is to read the batch.

    Parameters
    ----------
    config : JdbcConfig
        Under which the database is reached.
    rows : DataFrame
        What the driver would give, before its columns are renamed.
    state : sequence of str
        SQL by which a connection takes the state that the batch is read under; empty where there is none.
    """
    url = reveal(config.url)
    if config.by == "jdbc" or product(url) != "postgresql" or is_connect(session) or not available():
        return None
    if "sample" in batch or config.deletes is not None or batch["rows"] < FROM_ROWS:
        return None
    properties = properties_of(config)
    told = libpq.words(url, properties)
    zone = session._jvm.java.util.TimeZone.getDefault().getID()
    columns = _columns(session, config, rows) if told is not None and zone in _UTC else None
    if told is None or not columns:
        return None
    asked = ", ".join(column.sql for column in columns)
    place = Secret(libpq.uri(told))
    return [
        Part(
            place,
            tuple(state),
            f"SELECT {asked} FROM {origin_of(config)} WHERE {both(condition(config), each)}",  # noqa: S608  names are quoted, predicates pinned
            tuple(columns),
            config.table or "query",
            int(properties.get(libpq.SILENCE, 0)),
        )
        for each in batch["partitions"]
    ]


def _columns(session: SparkSession, config: JdbcConfig, rows: DataFrame) -> list[Taken] | None:
    """Return how each column is taken, None where one of them is not."""
    about = described(session, config)
    if about.encoding != "UTF8":  # others' texts may hold what is none
        return None
    found = []
    for field, name in zip(rows.schema, stored(rows).columns, strict=True):
        quoted = quote_identifier(reveal(config.url), field.name)
        column = taken(field, name, quoted, about.kinds.get(field.name, ""))
        if column is None:
            return None
        found.append(column)
    return found
