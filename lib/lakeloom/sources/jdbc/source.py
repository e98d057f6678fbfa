"""A table or query of a database over JDBC: incremental by a watermark, read in partitions.

A poll asks for the largest watermark and pins the window and its partitions as predicates; a read
takes exactly these, so a replay after a crash reads the same window. Within the overlap, rows that
bronze holds already are dropped by the hash of the whole row. Without a watermark (or in rows where
it is NULL) the table is compared as a whole: a fingerprint says whether it changed, hashes which rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from lakeloom.core.names import quoted
from lakeloom.core.secrets import reveal
from lakeloom.session.spark import step_session
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import at_home, coded
from lakeloom.sources.jdbc.dialects import silences
from lakeloom.sources.jdbc.poll import poll
from lakeloom.sources.jdbc.rows import marked, stored, unknown
from lakeloom.sources.jdbc.types import table
from lakeloom.sources.landing import Batch, Landing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Jdbc:
    """The source kind ``jdbc``. Derby is inside Spark; other drivers' jars lie in ``environment/jars``."""

    Config: ClassVar[type[BaseModel]] = JdbcConfig
    jars: ClassVar[tuple[str, ...]] = ()
    needs_spark: ClassVar[bool] = True

    @classmethod
    def limited(cls, config: JdbcConfig, seconds: int) -> JdbcConfig:
        """Return the config with the driver told to give a silent line up after so long; own properties hold."""
        told = silences(reveal(config.url), seconds)
        return config.model_copy(update={"properties": told | config.properties})

    @classmethod
    def poll(
        cls, config: JdbcConfig, landed: Sequence[Batch], clock: datetime, spark: Callable[[], SparkSession], base: Path
    ) -> Batch | None:
        """Return the window of what is new, None where watermark, count and fingerprint are as they were.

        Raises
        ------
        SourceError
            LL-SOURCE-001 to LL-SOURCE-005.
        """
        del clock
        config = at_home(config, base)
        with coded(config), step_session(spark()) as session:
            return poll(config, landed[-1] if landed else None, session)

    @classmethod
    def read(
        cls, spark: SparkSession, config: JdbcConfig, batch: Batch, known: DataFrame | None, base: Path
    ) -> Landing:
        """Read a batch's window once, into the session's cache, and drop what `known` (bronze) holds.

        The rows are fetched here and not when they are written, so that the database is asked once and
        a lost connection is a coded, transient error.

        Raises
        ------
        SourceError
            LL-SOURCE-001 to LL-SOURCE-005.
        """
        from pyspark.sql import functions as F

        config = at_home(config, base)

        with coded(config):
            rows = stored(table(spark, config, batch["partitions"]))
            raw = rows.columns
            kept = marked(rows, config).persist()
            kept.count()
        found = kept if known is None else unknown(kept, known, config, batch)
        good = found.select(
            *[F.col(quoted(name)) for name in raw],
            F.lit(config.table or "query").alias("_file"),
            F.lit(0).alias("_file_no"),
            "_record",
        )
        return Landing(good, None, kept)

    @classmethod
    def probe(cls, spark: SparkSession, config: JdbcConfig, batch: Batch, base: Path) -> Batch:
        """Return the batch as it is: there are no files of which one could be bad."""
        del spark, config, base
        return batch
