"""A Spark session as SparkTrials sees it, whose Python workers live from one trial to the next.

SparkTrials' task ignores its input, so that Spark finds unread data, distrusts the worker and ends it
(measured: a new process a trial, with the imports of torch and pandas again, seconds each). Here the
input is read to its end first; nothing else is changed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any


def drained(task: Callable[[Any], Iterator[Any]], rows: Iterator[Any]) -> Iterator[Any]:
    """Read `rows` to the end, then run `task` on nothing."""
    for _ in rows:
        pass
    yield from task(iter(()))


class _Seen:
    """An object whose attributes are those of another one, where a subclass does not say otherwise."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class ReusingSession(_Seen):
    """A session for ``SparkTrials(spark_session=…)``."""

    @property
    def sparkContext(self) -> Any:  # noqa: N802 - Spark's name
        """The context, whose one-row tables read their input."""
        return _Context(self._real.sparkContext)


class _Context(_Seen):
    def parallelize(self, rows: Any, slices: int | None = None) -> Any:
        return _Rows(self._real.parallelize(rows, slices))


class _Rows(_Seen):
    def mapPartitions(self, task: Any) -> Any:  # noqa: N802 - Spark's name
        return self._real.mapPartitions(functools.partial(drained, task))
