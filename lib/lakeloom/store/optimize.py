"""Writing a table's files anew without changing a row: OPTIMIZE, REORG, and what statistics are kept of columns.

Each commit carries the manifest and says of every file that its data did not change, so that nobody
who reads the table has to read it again.

Source: Delta's OPTIMIZE, ``REORG TABLE … APPLY (PURGE)``, ``delta.dataSkippingStatsColumns``. Delta's
``ANALYZE … COMPUTE DELTA STATISTICS`` is not in the open release 4.4 (measured); its own recomputation
can be called in the JVM, and refuses tables with deletion vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.core.names import TableName, quoted
from lakeloom.session import connect
from lakeloom.store.commit import Mark, metadata
from lakeloom.store.describe import quoted as text
from lakeloom.store.describe import unsigned
from lakeloom.store.lake import Lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STATISTICS = "delta.dataSkippingStatsColumns"
# Below this share of the target a file is small: those near it are left alone.
SMALL = 0.75


@dataclass(frozen=True)
class Rewrite:
    """What is to be written anew.

    Attributes
    ----------
    target : int
        The size of a file that is wanted, in bytes.
    compact, purge : bool
        Put small files together (and order them where the table is clustered); write files without the rows that
        deletion vectors take out.
    zorder : tuple of str
    statistics : str or None
        The property that names the columns statistics are kept of; None to leave it as it is.
    """

    target: int
    compact: bool = False
    purge: bool = False
    zorder: tuple[str, ...] = ()
    statistics: str | None = None


def rewrite(session: SparkSession, lake: Lake, table: TableName, mark: Mark, what: Rewrite) -> int:
    """Do it, each part in a commit of its own where there is something to do; return the newest version.

    Parameters
    ----------
    session : SparkSession
        A session of its own.
    """
    path = lake.path(table)
    place = f"delta.`{path}`"
    unsigned(session)
    session.conf.set("spark.databricks.delta.commitInfo.userMetadata", metadata(mark))
    session.conf.set("spark.databricks.delta.optimize.minFileSize", str(int(what.target * SMALL)))
    session.conf.set("spark.databricks.delta.optimize.maxFileSize", str(what.target))
    if what.statistics is not None:
        session.sql(f"ALTER TABLE {place} SET TBLPROPERTIES ({text(STATISTICS)} = {text(what.statistics)})")
    if what.purge:
        session.sql(f"REORG TABLE {place} APPLY (PURGE)")
    if what.zorder:
        session.sql(f"OPTIMIZE {place} ZORDER BY ({', '.join(map(quoted, what.zorder))})")
    elif what.compact:
        session.sql(f"OPTIMIZE {place}")
    if what.statistics is not None and not what.zorder:
        _recompute(session, lake, table)
    return lake.version(table)


def _recompute(session: SparkSession, lake: Lake, table: TableName) -> None:
    """Compute the statistics of files that are there; where that can't be, they come as files are written anew."""
    if connect.is_connect(session) or "deletionVectors" in (lake.delta(table).protocol().writer_features or ()):
        return
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    jvm = session._jvm
    assert jvm is not None
    try:
        delta = jvm.org.apache.spark.sql.delta
        recompute = delta.stats.StatisticsCollection
        every = [getattr(recompute, f"recompute$default${place}")() for place in (4, 5)]
        log = delta.DeltaLog.forTable(session._jsparkSession, lake.path(table))
        recompute.recompute(session._jsparkSession, log, jvm.scala.Option.empty(), *every)
    except (Py4JError, PySparkException, TypeError):  # another Delta than the one that this was measured with
        return
