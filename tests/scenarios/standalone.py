"""A real standalone Spark cluster on this machine: a master and workers from Spark's own classes, on free ports."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pyspark

SPARK_HOME = Path(pyspark.__file__).parent
HOST = "127.0.0.1"
# What a distribution's own start scripts set; pyspark brings the classes and no scripts.
_ENVIRONMENT = {"SPARK_HOME": str(SPARK_HOME), "SPARK_LOCAL_IP": HOST, "SPARK_SCALA_VERSION": "2.13"}


class Standalone:
    """Starts and ends the processes over one folder; each is ended by its own id."""

    def __init__(self, folder: Path, workers: int = 2, memory: str = "2g") -> None:
        self.folder, self.memory = folder, memory
        self.ports = [free_port() for _ in range(workers + 1)]
        self.master = f"spark://{HOST}:{self.ports[0]}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Standalone:
        self.start_master()
        for number in range(1, len(self.ports)):
            self.start_worker(number)
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.processes):
            self.end(name)

    def start_master(self) -> None:
        """Start the master and wait until it listens."""
        self._start("master", ["org.apache.spark.deploy.master.Master", "--port", str(self.ports[0])])
        wait_for(lambda: listens(self.ports[0]), "the master listens")

    def start_worker(self, number: int, environment: dict[str, str] | None = None) -> None:
        """Start worker `number` (from 1) with one core, and wait until the master has it."""
        place = self.folder / f"worker-{number}"
        port = ["--port", str(self.ports[number])]
        words = ["--cores", "1", "--memory", self.memory, "--work-dir", str(place), *port, self.master]
        self._start(f"worker-{number}", ["org.apache.spark.deploy.worker.Worker", *words], environment)
        wait_for(lambda: "Successfully registered" in self.log(f"worker-{number}"), f"worker {number} is registered")

    def log(self, name: str) -> str:
        """Return what a process has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def executors(self) -> dict[int, str]:
        """Return the process ids of the executors → the worker's name."""
        found = {}
        for name in [name for name in self.processes if name.startswith("worker")]:
            for child in children(self.processes[name].pid):
                found[child] = name
        return found

    def kill(self, name: str) -> None:
        """SIGKILL a process and what it started."""
        process = self.processes.pop(name)
        for child in children(process.pid):
            os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait()

    def end(self, name: str) -> None:
        """End a process and wait for it."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self, name: str, words: list[str], environment: dict[str, str] | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        java = shutil.which("java") or "java"
        # A master that comes back knows its applications; without this it would end their executors.
        recovery = [
            "-Dspark.deploy.recoveryMode=FILESYSTEM",
            f"-Dspark.deploy.recoveryDirectory={self.folder}/recovery",
        ]
        command = [
            java,
            "-Xmx512m",
            *recovery,
            "-cp",
            f"{SPARK_HOME}/jars/*",
            *words[:1],
            "--host",
            HOST,
            "--webui-port",
            "0",
        ]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [*command, *words[1:]],
                env=os.environ | _ENVIRONMENT | (environment or {}),
                stdout=log,
                stderr=subprocess.STDOUT,
            )


def children(process: int) -> list[int]:
    """Return the ids of a process's direct children."""
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
        return [int(each) for thread in threads for each in (thread / "children").read_text().split()]
    except OSError:
        return []


def wait_for(condition, what: str, limit_s: float = 60.0) -> None:
    """Wait until `condition` holds; fail after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s:g} s: {what}")
        time.sleep(0.02)


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    """Return whether somebody listens on a port of the loopback address."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
