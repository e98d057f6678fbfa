"""What the author of a table wrote, over the frames of its inputs: SQL or a function → one frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakeloom.core.errors import LakeloomError, RunError, TableError
from lakeloom.core.extras import missing
from lakeloom.core.kinds import load
from lakeloom.core.steps import Step
from lakeloom.flow.explain import condition_of
from lakeloom.project.spec import Project
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.sql import bind, recursive, view_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Where a row came from goes with it into a table that begins with its input's columns; when it landed does not.
NOT_PASSED = ("_source", "_ingested_at", "_run")


def made(project: Project, step: Step, session: SparkSession, inputs: dict[str, DataFrame]) -> DataFrame:
    """Return what the step's SQL or function makes of its inputs, whether these stream or not; raises as `refine`."""
    from pyspark.errors import AnalysisException, ParseException

    spec: TableSpec = step.spec
    if spec.passes:
        (frame,) = inputs.values()
        return frame.drop(*NOT_PASSED)
    if spec.function is None:
        return _queried(session, bind(project.sql[step.name], set(inputs)), inputs, f"{step.name} ({spec.sql})")
    try:
        return load(spec.function, step.name)(inputs)
    except LakeloomError:
        raise
    except (AnalysisException, ParseException) as cause:
        raise _unfit(str(cause).splitlines()[0], f"{step.name} ({spec.function})") from cause
    except Exception as cause:  # a user's function may raise anything; its values must not reach the message
        raise missing(cause, step.name) or RunError(
            "LL-RUN-004",
            f"{spec.function} raised {type(cause).__name__}",
            where=step.name,
            fix="run with --debug to see the traceback",
        ) from cause


def _queried(session: SparkSession, sql: str, inputs: Mapping[str, DataFrame], where: str) -> DataFrame:
    """Return what a query makes of frames; raises LL-TABLE-007 where it can't."""
    from pyspark.errors import AnalysisException, ParseException

    for table, frame in inputs.items():
        frame.createOrReplaceTempView(view_of(table))
    try:
        found = session.sql(sql)
        if recursive(sql) and hasattr(found, "_jdf"):
            found._jdf.queryExecution().executedPlan()  # some releases of Spark analyse recursion, and plan none
        return found
    except (AnalysisException, ParseException) as cause:
        raise _unfit(str(cause).splitlines()[0], where) from cause
    except Exception as cause:  # Spark's own faults: told by their class, since the text may be anything
        condition = condition_of(cause)
        if not condition:
            raise
        if recursive(sql):
            raise TableError(
                "LL-TABLE-007", f"Spark {session.version} does not run this recursive query", where=where,
                fix="give both parts the same types, or write it as a function, or take a newer Spark",
            ) from cause  # fmt: skip
        raise _unfit(condition, where) from cause


def _unfit(said: str, where: str) -> TableError:
    fix = "mend the SQL, or run the step whose table it reads"
    return TableError("LL-TABLE-007", f"the SQL does not analyse: {said}", where=where, fix=fix)
