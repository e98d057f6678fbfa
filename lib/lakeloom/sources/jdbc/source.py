"""A table or query of a database over JDBC: incremental by a watermark, read in partitions.

A poll asks for the largest watermark and pins the window and its partitions as predicates; a read
takes exactly these, so a replay after a crash reads the same window. Within the overlap, rows that
bronze holds already are dropped by the hash of the whole row. Without a watermark (or in rows where
it is NULL) the table is compared as a whole: a fingerprint says whether it changed, hashes which rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from lakeloom.core.names import quoted
from lakeloom.core.secrets import reveal
from lakeloom.session.spark import step_session
from lakeloom.sources.columns import stored_name
from lakeloom.sources.jdbc.asked import parts
from lakeloom.sources.jdbc.comparison import compared
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import at_home, coded
from lakeloom.sources.jdbc.dialects import silences
from lakeloom.sources.jdbc.limits import counted
from lakeloom.sources.jdbc.poll import poll
from lakeloom.sources.jdbc.rows import marked, stored, unknown
from lakeloom.sources.jdbc.snapshot import Snapshot
from lakeloom.sources.jdbc.tunnel import reached
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
        with (
            counted(reveal(config.url), 1, config.connections),
            coded(config),
            step_session(spark()) as session,
            reached(config, session) as near,
        ):
            return poll(near, landed[-1] if landed else None, session)

    @classmethod
    def read(
        cls, spark: SparkSession, config: JdbcConfig, batch: Batch, known: DataFrame | None, base: Path
    ) -> Landing:
        """Read a batch's window and drop what `known` (bronze) holds; the rows are fetched when they are written.

        They are asked for once: kept are only rows that a sample is drawn from.

        Raises
        ------
        SourceError
            LL-SOURCE-001 to LL-SOURCE-005, also from `Landing.around`.
        """
        from pyspark.sql import functions as F

        config = at_home(config, base)
        with ExitStack() as stack, coded(config):
            connections = len(batch["partitions"]) + bool(batch.get("snapshot"))
            stack.enter_context(counted(reveal(config.url), connections, config.connections))
            config = stack.enter_context(reached(config, spark))
            held: dict[str, str] = {}
            state: tuple[str, ...] = ()
            if batch.get("snapshot"):
                snapshot = stack.enter_context(closing(Snapshot(spark, config)))
                held, state = snapshot.options, snapshot.words
            rows = table(spark, config, batch["partitions"], **held)
            unique = bool(config.keys or batch.get("unique"))
            jobs = parts(spark, config, batch, rows, state) if unique and known is None else None
            found = marked(stored(rows), unique=unique)
            shared = None
            if "sample" in batch:
                shared = found.persist()
                shared.count()
            if config.deletes is not None:
                found = compared(found, known, [stored_name(key) for key in config.keys], config.deletes)
            elif known is not None:
                found = unknown(found, known, config, batch)
            good = found.select(
                *[F.col(quoted(name)) for name in found.columns if name != "_record"],
                F.lit(config.table or "query").alias("_file"),
                F.lit(0).alias("_file_no"),
                "_record",
            )
            around = _around(config, stack.pop_all())
            if jobs is None:
                return Landing(good, None, shared, around)
            return Landing(good.where("false"), None, None, around, None, jobs, partial(Landing, good, None))

    @classmethod
    def probe(cls, spark: SparkSession, config: JdbcConfig, batch: Batch, base: Path) -> Batch:
        """Return the batch as it is: there are no files of which one could be bad."""
        del spark, config, base
        return batch


@contextmanager
def _around(config: JdbcConfig, held: ExitStack) -> Iterator[None]:
    """Hold the database's state and connections while rows are written, and code what it raises meanwhile."""
    with held, coded(config, alone=False):
        yield
