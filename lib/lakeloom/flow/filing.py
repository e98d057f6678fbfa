"""Rows of a landing that executors write into files of the table as Arrow has them, without Spark's writer.

Files lie there before the step's commit names them, in the same commit as the rows that Spark has written. Where the
table takes no such files, or a job leaves its rows to Spark, Spark reads and writes all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.core.names import TableName
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.filer import LEFT, Filer
from lakeloom.project.about import about
from lakeloom.sources.landing import Job, Landing, LeftToSparkError
from lakeloom.store.commit import begin
from lakeloom.store.encoding import WRITTEN
from lakeloom.store.intents import Intent
from lakeloom.store.manner import Manner
from lakeloom.store.stage import Stage
from lakeloom.tables import bronze

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

APPENDED = Manner("append", evolve="add")


@dataclass(frozen=True)
class Filed:
    """A stage that has the files of a landing's jobs; `order` are the table's columns with their types."""

    stage: Stage
    order: DataFrame

    def write(self, good: DataFrame) -> None:
        """Write the rows that Spark has read beside them."""
        self.stage.write(self.order.unionByName(good, allowMissingColumns=True))


@contextmanager
def filing(
    context: Context, session: SparkSession, step: Step, intent: Intent, landing: Landing, mark: bronze.Stamp
) -> Iterator[tuple[Landing, Filed | None]]:
    """Write the rows of a landing's jobs; give what is left of the landing, and the stage that has the files.

    Without jobs, for a table that takes no files, and for a compression that only Spark writes, there is no stage, and
    the landing has all rows. Files of a landing that fails are taken away.
    """
    if not landing.jobs:
        yield landing, None
        return
    assert landing.by_spark is not None  # what has jobs has it
    codec = str(session.conf.get("spark.sql.parquet.compression.codec")).lower()
    if codec not in WRITTEN:
        yield landing.by_spark(), None
        return
    table = TableName.parse(step.writes[0])
    rows = bronze.stamp(landing.good, step.spec.name, mark)
    begun = begin(
        session,
        context.lake,
        table,
        rows,
        context.mark(intent, str(table)),
        APPENDED,
        about(context.project, str(table)),
    )
    if begun is None:
        yield landing.by_spark(), None
        return
    stage, ready = begun
    names = {name.lower(): name for name in ready.columns}
    filer = Filer(context.lake.folder(table), step.spec.name, mark, names, tuple(stage.indexed or ()), codec)
    try:
        whole = _done(session, landing.jobs, filer, stage)
        if whole:
            yield landing, Filed(stage, ready.where("false"))
    except BaseException:
        stage.forget()
        raise
    if not whole:
        stage.forget()
        yield landing.by_spark(), None


def _done(session: SparkSession, jobs: Sequence[Job], filer: Filer, stage: Stage) -> bool:
    """Let tasks do the jobs and the stage take their files; return whether none has left its rows to Spark."""
    try:
        made = session.sparkContext.parallelize(jobs, len(jobs)).map(filer).collect()
    except Exception as cause:  # a worker's error reaches this process as a text
        if f"{LeftToSparkError.__module__}.{LeftToSparkError.__name__}" in str(cause):
            return False
        raise
    stage.take(each for each in made if isinstance(each, dict))
    return LEFT not in made
