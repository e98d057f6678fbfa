"""Work on many files over few tasks of the executors: one each would cost more than what is done in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from lakeloom.session.connect import is_connect

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import SparkSession

Item = TypeVar("Item")


def spread(
    items: Sequence[Item], size_bytes: int, from_bytes: int, tasks_a_slot: int, spark: Callable[[], SparkSession]
) -> RDD[Item] | None:
    """Return the items in so many tasks a slot; None where this process had better do the work itself.

    That is for one item, for less than `from_bytes` in all, and where there are no tasks to give work to (Spark
    Connect). Only else Spark is started.
    """
    if len(items) < 2 or size_bytes < from_bytes:
        return None
    session = spark()
    if is_connect(session):
        return None
    context = session.sparkContext
    return context.parallelize(items, min(len(items), context.defaultParallelism * tasks_a_slot))
