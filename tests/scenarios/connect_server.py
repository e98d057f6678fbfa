"""A real Spark Connect server on this machine, from Spark's own classes, on a free port of the loopback address."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lakeloom.session.settings import DELTA_CATALOG, DELTA_EXTENSION, class_path, jars_home
from tests.scenarios.standalone import HOST, SPARK_HOME, free_port, listens, wait_for

DELTA = {"spark.sql.extensions": DELTA_EXTENSION, "spark.sql.catalog.spark_catalog": DELTA_CATALOG}


class ConnectServer:
    """Starts the server over one folder and ends it by its own id."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self.settings = DELTA if settings is None else settings
        self.address = f"sc://{HOST}:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ConnectServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Start the server and wait until it listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.settings | {
            "spark.master": "local[2]",
            "spark.ui.enabled": "false",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
            "spark.databricks.delta.snapshotPartitions": "2",
            "spark.connect.grpc.binding.address": HOST,
            "spark.connect.grpc.binding.port": str(self.port),
        }
        words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
        command = [str(SPARK_HOME / "bin" / "spark-submit"), *words, "--driver-memory", "2g"]
        command += ["--driver-class-path", class_path(jars_home())]
        command += ["--driver-java-options", "-Duser.timezone=UTC -XX:TieredStopAtLevel=1"]
        command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
        environment = {"SPARK_HOME": str(SPARK_HOME), "SPARK_LOCAL_IP": HOST, "PYSPARK_PYTHON": sys.executable}
        environment["PYTHONPATH"] = ""  # its Python workers know lakeloom only from what the client sends
        with (self.folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, env=os.environ | environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
            )
        wait_for(lambda: listens(self.port), "the Spark Connect server listens")

    def end(self) -> None:
        """End the server and wait for it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self) -> None:
        """SIGKILL the server."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None
