"""What a worker of a training sees of the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from torch import Tensor

Job = dict[str, Any]
Result = dict[str, Any]
Work = Callable[["Communicator", Job], Result]


class Communicator(ABC):
    """One worker among `size`, numbered `rank` from 0."""

    rank: int = 0
    size: int = 1

    @abstractmethod
    def add(self, tensor: Tensor) -> None:
        """Replace `tensor` by its sum over all workers, the same bits on each."""

    @abstractmethod
    def share(self, value: Any) -> Any:
        """Return rank 0's `value` on every worker; the others' is ignored."""

    @classmethod
    @abstractmethod
    def launch(cls, work: Work, job: Job, workers: int, spark: SparkSession | None, timeout_s: int) -> Result:
        """Run ``work(communicator, job)`` on `workers` workers and return rank 0's result.

        Parameters
        ----------
        work : callable
            A module-level function: it is imported by name on the workers.
        job : dict
            Plain data only, never a session.
        workers : int
        spark : SparkSession or None
            Where the kind runs its workers as Spark tasks.
        timeout_s : int
            How long they may take to start.

        Raises
        ------
        TrainError
            LL-TRAIN-002 where a worker failed or did not start.
        """
