"""Opening Spark: the one running session where there is one, else a new one with our settings.

A step works in a session of its own (`step_session`): transaction ids are session settings, and a
second write in one session under the same pair is silently dropped by Delta. Where the environment
names a Spark Connect server, the session is a client of it (`lakeloom.session.connect`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.core.errors import SetupError
from lakeloom.core.secrets import mask
from lakeloom.objects.translated import hadoop
from lakeloom.session import connect
from lakeloom.session.connectors import COMMITS, COMMITS_BY, connectors, reach
from lakeloom.session.jars import brought, jars_home, supplied
from lakeloom.session.settings import DELTA_CATALOG, DELTA_EXTENSION, NEEDED, Hidden, is_local, settings
from lakeloom.session.workers import equip

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakeloom.objects.opened import Opening


@dataclass(frozen=True)
class Opener:
    """How to get at Spark: now, by a call; or begun beside other work that ends in needing it.

    Attributes
    ----------
    now : callable
        Gives the session.
    soon : callable
        Begins to start it and returns at once.
    """

    now: Callable[[], SparkSession]
    soon: Callable[[], None]

    def __call__(self) -> SparkSession:
        """Return the session."""
        return self.now()


_IMPORTING = threading.Lock()


def import_spark() -> None:
    """Import PySpark, whichever thread comes first: its modules import each other, and a second would meet halves."""
    with _IMPORTING:
        import pyspark.sql  # noqa: F401


def open_session(
    overlay: Mapping[str, str] | None = None,
    name: str = "lakeloom",
    log: Path | None = None,
    stores: Sequence[Opening] = (),
) -> SparkSession:
    """Return the active Spark session, or start one.

    A session that somebody else has opened (a notebook, a job's runtime) is used as it is. Under
    spark-submit its words win: a setting of ours takes effect where it gave none.

    Parameters
    ----------
    overlay : mapping, optional
        Spark settings of the environment, over the defaults; ``spark.remote`` names a Spark Connect server.
    name : str
        The application's name.
    log : Path, optional
        Where the JVM and Spark's workers write what they say on standard error; there, where absent.
    stores : sequence of Opening
        The object stores that Spark itself reads and writes. A session that runs already, of a runtime or under
        spark-submit, needs connectors of its own; what the stores are reached with it is told all the same.

    Raises
    ------
    SetupError
        LL-SETUP-001 without a JDK or a cluster or server that answers, LL-SETUP-002 without Delta's jars,
        LL-SETUP-009 where the cluster's workers have another release.
    """
    import_spark()
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    _hush()
    remote = connect.active() or _remote(overlay, name)
    if remote is not None:
        return remote
    if SparkContext._active_spark_context is not None:
        # Another thread's session counts as well; a builder with settings would change it.
        session = SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()
    else:
        session = _start(overlay, name, log, stores)
    _ready(session)
    for each in stores:
        reach(session, hadoop(each))
    return session


def _hush() -> None:
    """Keep pyspark's own loggers still: they write what a query met, a row's value among it, to standard error."""
    if os.environ.get("LAKELOOM_DEBUG"):
        return
    import logging

    from pyspark.logger import PySparkLogger

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL)


def _remote(overlay: Mapping[str, str] | None, name: str) -> SparkSession | None:
    place = connect.address(overlay)
    return connect.start(place, overlay, name) if place else None


def _start(overlay: Mapping[str, str] | None, name: str, log: Path | None, stores: Sequence[Opening]) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    home = supplied(jars_home())
    schemes = {each.scheme for each in stores}
    # Where Spark brings Delta it is a platform's own, which brings connectors too.
    wanted = settings(home, overlay, connectors(home, schemes) if schemes and not brought() else ())
    if not brought() and is_local(wanted["spark.master"]):
        wanted |= {COMMITS[scheme]: COMMITS_BY for scheme in schemes & set(COMMITS)}
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    if is_local(wanted["spark.master"]) and not submitted:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    _share_path()
    given = _submitted() if submitted else {}
    builder = SparkSession.builder.appName(name)
    for key, value in wanted.items():
        if key not in given:
            builder = builder.config(key, value)
    try:
        with _speaking_to(log):
            if not submitted:
                _launch(wanted)
            session = builder.getOrCreate()
        _off_standard_output(session)
        return session
    except (FileNotFoundError, PySparkRuntimeError) as cause:
        raise SetupError(
            "LL-SETUP-001",
            f"Spark's JVM did not start ({type(cause).__name__})",
            fix="install a JDK 17 (Debian: openjdk-17-jdk-headless) or set JAVA_HOME",
        ) from cause
    except Py4JError as cause:
        raise SetupError(
            "LL-SETUP-001",
            f"the cluster at {mask(wanted['spark.master'])} did not take the application",
            fix="look whether its master runs and spark.master names it",
        ) from cause


def _launch(wanted: Mapping[str, str]) -> None:
    """Start the JVM without the settings that are secrets: it is told these when it runs, past its command line."""
    if not any(isinstance(value, Hidden) for value in wanted.values()):
        return  # the builder starts it
    from pyspark import SparkConf, SparkContext

    plain = SparkConf(loadDefaults=False)
    plain.setAll([(key, value) for key, value in wanted.items() if not isinstance(value, Hidden)])
    SparkContext._ensure_initialized(conf=plain)


def _off_standard_output(session: SparkSession) -> None:
    """Let the JVM print on standard error: VACUUM would tell of its files in the midst of a JSON document."""
    system = session._jvm.java.lang.System
    system.setOut(system.err)


def _submitted() -> dict[str, str]:
    """Return what spark-submit has set."""
    from pyspark import SparkConf, SparkContext

    SparkContext._ensure_initialized()
    return dict(SparkConf().getAll())


def _ready(session: SparkSession) -> None:
    """Look once at an application: it must know Delta, and a cluster's workers must have our code."""
    context = session.sparkContext
    if getattr(context, "_lakeloom_ready", False) or "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return
    given = context.getConf()
    catalog = given.get("spark.sql.catalog.spark_catalog")
    if DELTA_EXTENSION not in str(given.get("spark.sql.extensions")) or not catalog or not _loads(session):
        raise SetupError(
            "LL-SETUP-002",
            "the running Spark application does not know Delta",
            fix=f"start it with Delta's jars (spark-submit --jars), spark.sql.extensions={DELTA_EXTENSION} "
            f"and spark.sql.catalog.spark_catalog={DELTA_CATALOG}",
        )
    if not is_local(context.master):
        equip(session)
    context._lakeloom_ready = True


def _loads(session: SparkSession) -> bool:
    from py4j.protocol import Py4JError

    jvm = session._jvm
    assert jvm is not None
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        loader.loadClass(DELTA_EXTENSION)
    except Py4JError:
        return False
    return True


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
    remote = connect.is_connect(spark)
    session = connect.fresh(spark) if remote else spark.newSession()
    try:
        for key, value in (NEEDED | dict(options or {})).items():
            session.conf.set(key, value)
        yield session
    finally:
        if remote:
            connect.release(session)


def cancel(spark: SparkSession) -> None:
    """Cancel what runs in `spark` and in the steps' sessions."""
    if connect.is_connect(spark):
        connect.interrupt()
    else:
        spark.sparkContext.cancelAllJobs()
