"""Whether reading rows again costs less than keeping them: then the judged rows are not cached.

Measured on a table of 13 columns: to fill the cache with whole rows took two to three times as long as to
read the columns of twenty rules and judge them, and what is read from it is hardly faster than Parquet. So
rows that are only taken from tables, filtered and projected are read again, at the same pinned versions; what
was joined, grouped, sorted or made in Python is computed once and kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_READING = frozenset({"Project", "Filter", "LogicalRelation"})


def read_again_cheaply(frame: DataFrame) -> bool:
    """Return whether `frame` is a scan of files with filters and projections, the same each time it is read.

    A client of Spark Connect can't see the plan, and keeps the rows.
    """
    frame_of_jvm = getattr(frame, "_jdf", None)
    if frame_of_jvm is None:
        return False
    plan = frame_of_jvm.queryExecution().optimizedPlan()
    return bool(plan.deterministic()) and _only_reads(plan)


def _only_reads(plan: Any) -> bool:
    name = plan.nodeName()
    if name.partition(" ")[0] not in _READING and not name.startswith("Relation"):
        return False
    children = plan.children()
    return all(_only_reads(children.apply(index)) for index in range(children.size()))
