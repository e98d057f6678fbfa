"""Many small files in few tasks: a task a file costs more than a small file's rows, and leaves a file of its own.

Each split of a file stays a partition of its own, by which its records are numbered (`lakeloom.sources.records`); a
task takes several of them one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from lakeloom.session.connect import is_connect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Of a task, as the files lie there; packed ones hold several times as much.
TASK_BYTES = 64 << 20
_TASKS_A_SLOT = 2


def tasks(sizes: Iterable[int], split_bytes: int, slots: int) -> int | None:
    """Return how many tasks are to read files of these sizes; None for one a split.

    Spark divides splits by their number, in any order of theirs, so even the largest ones together must not be more
    than a task's bytes.

    Parameters
    ----------
    sizes : iterable of int
        Bytes of each file.
    split_bytes : int
        Size of a split.
    slots : int
        How many tasks there can be at a time.
    """
    splits = sorted((part for size in sizes for part in _splits(size, split_bytes)), reverse=True)
    together = sum(total <= TASK_BYTES for total in accumulate(splits))
    together = min(together, len(splits) // (_TASKS_A_SLOT * slots))
    return -(-len(splits) // together) if together > 1 else None


def packed(rows: DataFrame, sizes: Iterable[int], split_bytes: int) -> DataFrame:
    """Return rows of files, with `tasks` of them to a task; parameters are those of `tasks`."""
    session = rows.sparkSession
    slots = 2 if is_connect(session) else session.sparkContext.defaultParallelism
    number = tasks(sizes, split_bytes, slots)
    return rows if number is None else rows.coalesce(number)


def _splits(size: int, split_bytes: int) -> list[int]:
    whole, rest = divmod(size, split_bytes)
    return [split_bytes] * whole + ([rest] if rest or not whole else [])
