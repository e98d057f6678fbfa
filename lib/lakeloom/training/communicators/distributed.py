"""Workers by torch.distributed (Gloo): processes on this machine, which meet at a file.

The second kind: it needs neither Horovod nor Spark, and stays on one machine.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import TrainError
from lakeloom.training.communicators.base import Communicator, Job, Result, Work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from pyspark.sql import SparkSession
    from torch import Tensor


class Distributed(Communicator):
    """A worker of torch's process group."""

    def __init__(self, rank: int, size: int, meeting: Path, timeout_s: int) -> None:
        from datetime import timedelta

        import torch.distributed as dist

        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        dist.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size, timeout=timedelta(seconds=timeout_s)
        )
        self.rank, self.size = rank, size

    def add(self, tensor: Tensor) -> None:
        """Sum in place over all workers."""
        import torch.distributed as dist

        dist.all_reduce(tensor)

    def share(self, value: Any) -> Any:
        """Broadcast from rank 0."""
        import torch.distributed as dist

        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    @classmethod
    def launch(cls, work: Work, job: Job, workers: int, spark: SparkSession | None, timeout_s: int) -> Result:
        """Run the workers as fresh processes of this machine."""
        spawn = multiprocessing.get_context("spawn")
        with tempfile.TemporaryDirectory() as folder:
            receive, send = spawn.Pipe(duplex=False)
            meeting = Path(folder) / "meeting"
            arguments = [(work, job, rank, workers, meeting, timeout_s, send) for rank in range(workers)]
            processes = [spawn.Process(target=run_worker, args=each, daemon=True) for each in arguments]
            for process in processes:
                process.start()
            send.close()
            result = _result(receive)
            for process in processes:
                process.join()
        failed = [rank for rank, process in enumerate(processes) if process.exitcode]
        if failed or result is None:
            raise TrainError(
                "LL-TRAIN-002",
                f"of {workers} torch workers these failed: {failed}",
                fix="see the log; a resumed training goes on",
            )
        return result


def run_worker(work: Work, job: Job, rank: int, size: int, meeting: Path, timeout_s: int, send: Connection) -> None:
    """Run in a worker's process: join the group, do the work; only rank 0's result travels back."""
    import torch.distributed as dist

    result = work(Distributed(rank, size, meeting, timeout_s), job)
    if rank == 0:
        send.send(result)
    send.close()
    dist.destroy_process_group()


def _result(receive: Connection) -> Result | None:
    try:
        return dict(receive.recv())
    except EOFError:
        return None
