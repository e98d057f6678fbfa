"""Workers by Horovod, started as Spark tasks (`horovod.spark.run`), gradients summed by Gloo's ring.

One flat tensor is summed a step, so nothing is fused; the fusion threshold is 0 all the same, since
with three ranks and more fusion changes the order of sums and with it the last bits (measured).
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import TrainError
from lakeloom.session.connect import require_driver
from lakeloom.training.communicators.base import Communicator, Job, Result, Work

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from torch import Tensor

_CARRIED = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR", "JAVA_HOME")


class Horovod(Communicator):
    """A worker that Horovod started."""

    def __init__(self) -> None:
        import horovod.torch as hvd

        hvd.init()
        self.rank, self.size = hvd.rank(), hvd.size()

    def add(self, tensor: Tensor) -> None:
        """Sum in place over all workers."""
        import horovod.torch as hvd

        hvd.allreduce_(tensor, op=hvd.Sum, name="sum")

    def share(self, value: Any) -> Any:
        """Broadcast from rank 0."""
        import horovod.torch as hvd

        return hvd.broadcast_object(value, root_rank=0, name="share")

    @classmethod
    def launch(cls, work: Work, job: Job, workers: int, spark: SparkSession | None, timeout_s: int) -> Result:
        """Run the workers as tasks of the active Spark application, one slot each."""
        require_driver(spark, "Horovod on Spark")
        import horovod.spark

        if spark is None:
            raise TrainError(
                "LL-TRAIN-002",
                "horovod starts its workers as Spark tasks and there is no session",
                fix="open one first",
            )
        send_durations()
        with tempfile.TemporaryFile("w+") as log:
            try:
                results = horovod.spark.run(
                    run_worker,
                    args=(work, job),
                    num_proc=workers,
                    start_timeout=timeout_s,
                    env=environment(),
                    stdout=log,
                    stderr=log,
                    verbose=0,
                )
            except Exception as cause:  # horovod raises bare Exception for whatever went wrong in a worker
                raise TrainError(
                    "LL-TRAIN-002",
                    f"a horovod worker failed or did not start: {cause}; {_last_line(log)}",
                    fix=f"see the cause; the Spark application needs {workers} free slots; a resumed training goes on",
                    transient=True,  # an executor may have been lost: the next attempt goes on from the checkpoint
                ) from cause
        return dict(results[0])


def send_durations() -> None:
    """Let Horovod's timeouts travel to the workers as what is left of them.

    It sends the point in time by the driver's clock: a worker whose clock is ahead would find itself too
    late before it starts, and one that is behind would never be.
    """
    from horovod.runner.common.util.timeout import Timeout

    Timeout.__reduce__ = lambda timeout: (Timeout, (timeout.remaining(), timeout._message))


def run_worker(work: Work, job: Job) -> Result:
    """Run on a worker: start Horovod, do the work; only rank 0's result travels back."""
    communicator = Horovod()
    result = work(communicator, job)
    return result if communicator.rank == 0 else {}


def environment() -> dict[str, str]:
    """Return the workers' environment: this process's import path, one thread each, no fusion."""
    carried = {name: os.environ[name] for name in _CARRIED if name in os.environ}
    return carried | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "HOROVOD_FUSION_THRESHOLD": "0",
        "HOROVOD_CYCLE_TIME": "0.5",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def _last_line(log: Any) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line]
    return (errors or lines or ["it said nothing"])[-1][:500]
