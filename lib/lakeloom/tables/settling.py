"""What becomes of a table's entries in quarantine when rows are judged again: pure frames.

What was decided about a row (a fix, or that it is given up) holds on for the entry that the same row
gives next time. Nothing is deleted: an entry whose row is in the table now stays, as ``replayed``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.tables.bronze import Stamp

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WAITING = "coalesce(state, 'open') IN ('open', 'fixed')"
DECIDED = "coalesce(state, 'open') <> 'open' OR fix IS NOT NULL"
_DECISION = ("fix", "fix_on", "why", "who", "changed_at", "changed_run")


def inheriting(broken: DataFrame, before: DataFrame) -> DataFrame:
    """Return new entries with what was decided before about their rows, each (id, row) once.

    A row that breaks a rule again is open again, fix and all; one that was given up stays so.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    decided = before.where(DECIDED).select(
        F.col("id").alias("_of"),
        F.when(F.col("fix_on") == "row", F.col("row")).alias("_only"),
        F.struct("state", *_DECISION).alias("_decision"),
    )
    joined = broken.join(
        decided, (F.col("id") == F.col("_of")) & (F.col("_only").isNull() | (F.col("_only") == F.col("row"))), "left"
    )
    newest = Window.partitionBy("id", "row").orderBy(F.col("_decision.changed_at").desc_nulls_last())
    once = joined.withColumn("_rank", F.row_number().over(newest)).where("_rank = 1")
    taken = {name: F.col(f"_decision.{name}") for name in _DECISION}
    state = F.when(F.col("_decision.state") == "dropped", F.lit("dropped")).otherwise(F.lit("open"))
    return once.withColumns({"state": state, **taken}).select(*broken.columns)


def kept(before: DataFrame, now: DataFrame, mark: Stamp) -> DataFrame:
    """Return the decided entries that a table built anew gives no entry for: their rows are in it now."""
    gone = before.where(DECIDED).join(now.select("id").distinct(), "id", "left_anti")
    return replayed(gone, mark)


def closed(chosen: DataFrame, now: DataFrame, mark: Stamp) -> DataFrame:
    """Return the chosen entries that are none any longer: their rows passed, or gave another entry."""
    from pyspark.sql import functions as F

    again = now.select(F.col("id").alias("_of"), F.col("row").alias("_as")).distinct()
    same = (F.col("id") == F.col("_of")) & F.col("row").eqNullSafe(F.col("_as"))
    return replayed(chosen.join(again, same, "left_anti"), mark).dropDuplicates(["id", "row"])


def replayed(entries: DataFrame, mark: Stamp) -> DataFrame:
    """Return entries that were waiting as replayed, with time and run; what was resolved before stays."""
    from pyspark.sql import functions as F

    now = {
        "state": F.lit("replayed"),
        "changed_at": F.lit(mark.clock).cast("timestamp"),
        "changed_run": F.lit(mark.run),
    }
    waits = F.expr(WAITING)
    return entries.withColumns({name: F.when(waits, value).otherwise(F.col(name)) for name, value in now.items()})
