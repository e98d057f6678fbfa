"""What is said of a test that takes too long: which thread of the JVM waits for which."""

import signal
import subprocess
import threading
from contextlib import suppress

from py4j.protocol import Py4JJavaError

from tests.stuck import _javas, digest


def test_a_job_that_does_not_end_is_said_with_its_task_and_idle_threads_are_not(spark):
    def ask():
        with suppress(Py4JJavaError):  # cancelled
            spark.sparkContext.parallelize([0], 1).map(lambda _: signal.pause()).collect()

    job = threading.Thread(target=ask, daemon=True)
    job.start()
    try:
        tracker = spark.sparkContext.statusTracker()
        while not any(tracker.getStageInfo(stage).numActiveTasks for stage in tracker.getActiveStageIds()):
            job.join(0.05)
        found = []
        while not any(line.startswith("Executor task") for line in found):  # ends with the test's own limit
            (java,) = _javas()
            asked = subprocess.run(["jstack", str(java)], capture_output=True, text=True, timeout=60, check=True)
            found = digest(asked.stdout)
        assert any("DAGScheduler.runJob" in line for line in found), found
        assert len(found) < 12 and all(len(line) <= 110 for line in found), found
    finally:
        spark.sparkContext.cancelAllJobs()
        job.join(60)
    assert not job.is_alive()
