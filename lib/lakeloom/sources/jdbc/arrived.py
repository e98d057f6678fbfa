"""When the first of a database's new rows arrived, where its watermark is a time with a zone: an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.secrets import reveal
from lakeloom.sources.jdbc import windows
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import condition, fetch, origin_of
from lakeloom.sources.jdbc.dialects import literals

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def first_new(session: SparkSession, config: JdbcConfig, by: str, lower: str | None, of: str) -> str | None:
    """Return the least watermark beyond `lower`, as ISO time in UTC; None for a first window, or one that tells none.

    Parameters
    ----------
    by : str
        The watermark, quoted for the database.
    lower : str or None
        The greatest of the last batch.
    of : str
        Its family: of others than ``zoned`` nobody knows when that was.
    """
    if lower is None or of != "zoned":
        return None
    after = windows.literal(lower, of, literals(reveal(config.url)))
    where = windows.both(condition(config), f"{by} > {after}")
    asked = f"(SELECT MIN({by}) AS first_new FROM {origin_of(config)} WHERE {where}) lakeloom_first"  # noqa: S608  quoted, pinned
    row = fetch(session, config, asked, [windows.EVERY_ROW]).selectExpr("CAST(first_new AS STRING) AS t").first()
    return f"{row['t'].replace(' ', 'T')}+00:00" if row is not None and row["t"] is not None else None
