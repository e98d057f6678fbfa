"""One worker, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakeloom.training.communicators.base import Communicator, Job, Result, Work

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from torch import Tensor


class Single(Communicator):
    """The only worker: a sum is what it has."""

    def add(self, tensor: Tensor) -> None:
        """Leave `tensor` as it is."""

    def share(self, value: Any) -> Any:
        """Return `value`."""
        return value

    @classmethod
    def launch(cls, work: Work, job: Job, workers: int, spark: SparkSession | None, timeout_s: int) -> Result:
        """Run in this process, whatever `workers` says."""
        return work(cls(), job)
