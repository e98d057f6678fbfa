"""Opening Spark: the one running session where there is one, else a new one with our settings.

A step works in a session of its own (`step_session`): transaction ids are session settings, and a
second write in one session under the same pair is silently dropped by Delta.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.core.errors import SetupError
from lakeloom.session.jars import jars_home, supplied
from lakeloom.session.settings import settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def open_session(
    overlay: Mapping[str, str] | None = None, name: str = "lakeloom", log: Path | None = None
) -> SparkSession:
    """Return the active Spark session, or start one.

    Parameters
    ----------
    overlay : mapping, optional
        Spark settings of the environment, over the local defaults.
    name : str
        The application's name.
    log : Path, optional
        Where the JVM and Spark's workers write what they say on standard error; there, where absent.

    Raises
    ------
    SetupError
        LL-SETUP-001 without a JDK, LL-SETUP-002 without Delta's jars.
    """
    from pyspark import SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is not None:
        # Another thread's session counts as well; a builder with settings would change it.
        return SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    _share_path()
    builder = SparkSession.builder.appName(name)
    for key, value in settings(supplied(jars_home()), overlay).items():
        builder = builder.config(key, value)
    try:
        with _speaking_to(log):
            return builder.getOrCreate()
    except (FileNotFoundError, PySparkRuntimeError) as cause:
        raise SetupError(
            "LL-SETUP-001",
            f"Spark's JVM did not start ({type(cause).__name__})",
            fix="install a JDK 17 (Debian: openjdk-17-jdk-headless) or set JAVA_HOME",
        ) from cause


@contextmanager
def _speaking_to(log: Path | None) -> Iterator[None]:
    """Let processes that are started inside inherit `log` as their standard error."""
    if log is None or os.environ.get("LAKELOOM_DEBUG"):
        yield
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with log.open("ab") as stream:
            os.dup2(stream.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _share_path() -> None:
    """Let Spark's Python workers import this very lakeloom, also where it is not installed."""
    here = str(Path(__file__).resolve().parents[2])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if here not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, *paths]))


@contextmanager
def step_session(spark: SparkSession, options: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """Give a new session of the same application for one step; `options` are set in it alone."""
    session = spark.newSession()
    for key, value in (options or {}).items():
        session.conf.set(key, value)
    yield session
