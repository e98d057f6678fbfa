"""Counts and sums at a JDBC source, made by its database in one query: nothing but the totals is fetched.

Rows that came after the last landing are not counted, where the source has a watermark that tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.core.secrets import reveal
from lakeloom.sources.jdbc import windows
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import at_home, coded, condition, fetch, origin_of
from lakeloom.sources.jdbc.dialects import literals, quote_identifier
from lakeloom.sources.jdbc.tunnel import reached
from lakeloom.sources.jdbc.types import spelled

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def totals(
    spark: SparkSession, config: JdbcConfig, by: Sequence[str], sums: Sequence[str], upper: str | None, base: Path
) -> DataFrame:
    """Return ``key_0`` …, ``count`` and ``sum_0`` … of each group at the source, read once and kept.

    Parameters
    ----------
    by, sums : sequence of str
        Columns of the source to group by, and to sum up.
    upper : str or None
        The largest watermark that was landed; None to count every row.

    Raises
    ------
    SourceError
        LL-SOURCE-001 to LL-SOURCE-005; LL-SOURCE-003 for a column that is not there.
    """
    with coded(config), reached(at_home(config, base), spark) as config:
        quote = partial(quote_identifier, reveal(config.url))
        types = dict(fetch(spark, config, origin_of(config), [windows.EVERY_ROW], preferTimestampNTZ="true").dtypes)
        keys = [quote(spelled(types, name)) for name in by]
        # Times 1.0: the sum of a database's integers is an integer again, and may overflow.
        added = [f"SUM(1.0 * {quote(spelled(types, name, ('number',)))})" for name in sums]
        listed = [f"{key} AS key_{place}" for place, key in enumerate(keys)]
        listed += ["COUNT(*) AS row_count", *(f"{sql} AS sum_{place}" for place, sql in enumerate(added))]
        where = windows.EVERY_ROW
        if config.incremental is not None and upper is not None:
            mark = spelled(types, config.incremental.by)
            of = str(windows.family(types[mark]))
            where = windows.window(quote(mark), None, upper, of, literals(reveal(config.url)))
        where = windows.both(condition(config), where)
        groups = f" GROUP BY {', '.join(keys)}" if keys else ""
        query = f"SELECT {', '.join(listed)} FROM {origin_of(config)} WHERE {where}{groups}"  # noqa: S608  quoted
        found = fetch(spark, config, f"({query}) lakeloom_totals", [windows.EVERY_ROW], preferTimestampNTZ="true")
        named = [f"key_{place} AS key_{place}" for place in range(len(keys))] + ["CAST(row_count AS DOUBLE) AS count"]
        named += [f"CAST(sum_{place} AS DOUBLE) AS sum_{place}" for place in range(len(sums))]
        # Kept, so that what compares with it asks the database once, and an error is met here.
        return found.selectExpr(*named).localCheckpoint()
