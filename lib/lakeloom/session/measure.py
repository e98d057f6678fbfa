"""What one step took of the cluster: task-seconds, bytes read, written, shuffled and spilled, from Spark's own metrics.

Steps run side by side in threads of one Spark application, so each thread marks its jobs with a tag
(a local property, which Spark hands on to the threads of broadcasts, adaptive queries and Delta). A
step that runs alone is given every job that starts while it runs: the threads of Horovod's and
SparkTrials' launchers carry no tag.

The figures come from the application's status store, which is there without Spark's user interface.
Measuring never fails a step: where Spark offers no such store (Spark Connect), nothing is measured.

Source: Spark's ``AppStatusStore`` and the monitoring documentation (``StageData``).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# How long to wait for events that are still under way from the tasks to the store.
_WAIT_MS = 500
# Below these a stage's longest task says nothing about its data.
_TASKS, _STAGE_MS = 3, 2_000
_NUMBERS = itertools.count(1)
_RAN = ("COMPLETE", "FAILED", "ACTIVE")
# As Spark's StageData names them; times in milliseconds, the processor's in nanoseconds.
_FIGURES = (
    "stageId", "attemptId", "numCompleteTasks", "numFailedTasks", "executorRunTime", "executorCpuTime", "jvmGcTime",
    "inputBytes", "outputBytes", "shuffleWriteBytes", "diskBytesSpilled",
)  # fmt: skip


@dataclass(frozen=True)
class Resources:
    """What one step took.

    Attributes
    ----------
    jobs, stages, tasks, failed_tasks : int
        Those that ran; stages that Spark skipped are not counted.
    task_seconds, cpu_seconds, gc_seconds : float
        Summed over tasks: wall time on a core, time on the processor, time in garbage collection.
    bytes_read, bytes_written : int
        From and to the storage.
    shuffle_bytes : int
        Written between stages.
    spilled_bytes : int
        Written to local disks since memory did not suffice.
    median_task_s, longest_task_s : float
        Of the stage whose longest task exceeds its median task by most; 0 where no stage is long enough to tell.
    """

    jobs: int = 0
    stages: int = 0
    tasks: int = 0
    failed_tasks: int = 0
    task_seconds: float = 0.0
    cpu_seconds: float = 0.0
    gc_seconds: float = 0.0
    bytes_read: int = 0
    bytes_written: int = 0
    shuffle_bytes: int = 0
    spilled_bytes: int = 0
    median_task_s: float = 0.0
    longest_task_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return asdict(self)


class Meter:
    """Measures the Spark jobs of one step.

    Parameters
    ----------
    alone : bool
        True where no other step runs at the same time: all jobs are the step's.
    """

    def __init__(self, *, alone: bool = False) -> None:
        self.alone = alone
        self._tag = f"lakeloom-{next(_NUMBERS)}"
        self._context: Any = None
        self._first = 0

    def begin(self, spark: SparkSession) -> None:
        """Mark the jobs that this thread starts from now on; a second call changes nothing."""
        if self._context is not None:
            return
        try:
            context = spark.sparkContext
            self._first = context._jsc.sc().dagScheduler().numTotalJobs()
            context.addJobTag(self._tag)
            self._context = context
        except Exception:  # no such interface: this step is not measured
            self._context = None

    def end(self) -> None:
        """Mark no more jobs of this thread."""
        context, self._context = self._context, None
        if context is not None:
            with suppress(Exception):  # where Spark has gone, the mark has too
                context.removeJobTag(self._tag)

    def read(self) -> Resources | None:
        """Return what the jobs took so far; None where nothing could be measured."""
        if self._context is None:
            return None
        try:
            return self._read(self._context._jsc.sc())
        except Exception:  # a figure that can't be had must not cost the step
            return None

    def _read(self, core: Any) -> Resources:
        from py4j.protocol import Py4JJavaError

        with suppress(Py4JJavaError):  # other steps may keep the bus busy: what has arrived counts
            core.listenerBus().waitUntilEmpty(_WAIT_MS)
        jobs = self._jobs(core)
        ran = _stages(core, jobs)
        times = [_times(self._context, core.statusStore(), stage) for stage in ran if _tells(stage)]
        return summed(len(jobs), ran, times)

    def _jobs(self, core: Any) -> list[int]:
        if self.alone:
            return list(range(self._first, core.dagScheduler().numTotalJobs()))
        return list(core.statusTracker().getJobIdsForTag(self._tag))


def summed(jobs: int, stages: Iterable[Mapping[str, Any]], times: Iterable[tuple[float, float]] = ()) -> Resources:
    """Return the sum over stages as the status store describes them.

    Parameters
    ----------
    times : iterable of (median, longest)
        Seconds of a task, of the stages that are long enough to tell.
    """
    found = list(stages)

    def total(name: str) -> int:
        return sum(stage[name] for stage in found)

    median, longest = max(times, key=lambda pair: pair[1] - pair[0], default=(0.0, 0.0))
    return Resources(
        jobs=jobs,
        stages=len(found),
        tasks=total("numCompleteTasks"),
        failed_tasks=total("numFailedTasks"),
        task_seconds=round(total("executorRunTime") / 1e3, 3),
        cpu_seconds=round(total("executorCpuTime") / 1e9, 3),
        gc_seconds=round(total("jvmGcTime") / 1e3, 3),
        bytes_read=total("inputBytes"),
        bytes_written=total("outputBytes"),
        shuffle_bytes=total("shuffleWriteBytes"),
        spilled_bytes=total("diskBytesSpilled"),
        median_task_s=median,
        longest_task_s=longest,
    )


def _stages(core: Any, jobs: Iterable[int]) -> list[dict[str, Any]]:
    """Return the last attempt of every stage of the jobs that ran.

    Each figure is a call of its own: all in one text would take longer, since a long answer of the JVM waits
    for a delayed acknowledgement (measured: 2 ms for twelve stages against 48 ms). So does what an exception
    says, so the tracker is asked first, which raises none: the store keeps the newest thousand jobs and stages,
    and of the latter those that were skipped for the shortest time.
    """
    numbers = sorted({number for job in jobs for number in _of_job(core, job)})
    return [told for number in numbers if (told := _figures(core, number)) is not None]


def _of_job(core: Any, job: int) -> list[int]:
    from py4j.protocol import Py4JJavaError

    with suppress(Py4JJavaError):  # it may go between the two questions
        if core.statusTracker().getJobInfo(job).isDefined():
            ids = core.statusStore().job(job).stageIds()
            return [ids.apply(index) for index in range(ids.size())]
    return []


def _figures(core: Any, number: int) -> dict[str, Any] | None:
    from py4j.protocol import Py4JJavaError

    with suppress(Py4JJavaError):
        if core.statusTracker().getStageInfo(number).isDefined():
            stage = core.statusStore().lastStageAttempt(number)
            if stage.status().toString() in _RAN:
                return {name: getattr(stage, name)() for name in _FIGURES}
    return None


def _tells(stage: Mapping[str, Any]) -> bool:
    return stage["numCompleteTasks"] >= _TASKS and stage["executorRunTime"] >= _STAGE_MS


def _times(context: Any, store: Any, stage: Mapping[str, Any]) -> tuple[float, float]:
    quantiles = context._gateway.new_array(context._jvm.double, 2)
    quantiles[0], quantiles[1] = 0.5, 1.0
    summary = store.taskSummary(stage["stageId"], stage["attemptId"], quantiles)
    if not summary.isDefined():
        return 0.0, 0.0
    times = summary.get().executorRunTime()
    return times.apply(0) / 1e3, times.apply(1) / 1e3


class Meters:
    """The meter of each thread: steps run side by side."""

    def __init__(self) -> None:
        self._local = threading.local()

    def current(self) -> Meter | None:
        """Return this thread's meter, None where no step is measured."""
        return getattr(self._local, "meter", None)

    def put(self, meter: Meter | None) -> None:
        """Make `meter` this thread's."""
        self._local.meter = meter
