"""Spark Connect: Spark on a server, spoken to over gRPC by a client that has no JVM.

The data path needs nothing more. What runs inside Spark's own driver (Horovod's and SparkTrials'
launchers) can't be had through it and is refused; what a step took is not measured. A session of
the server keeps its settings, views and Python files to itself, so each step's session is a new one
that is given our package for its Python workers.

Source: Spark Connect's client connection string, ``sc://host:port/;token=…``.
"""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lakeloom.core.errors import ConfigError, SetupError
from lakeloom.core.extras import coded
from lakeloom.session.settings import DELTA_CATALOG, DELTA_EXTENSION
from lakeloom.session.workers import packed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REMOTE = "spark.remote"
_ADDRESS = re.compile(r"sc://[^\s/]+(/.*)?")
# A server that is being started answers within seconds; pyspark would try for ten minutes.
_TRIES, _LONGEST_WAIT_MS = 6, 5_000

_lock = threading.Lock()
_open: weakref.WeakSet[Any] = weakref.WeakSet()
_chosen: weakref.WeakKeyDictionary[Any, dict[str, str]] = weakref.WeakKeyDictionary()


def address(overlay: Mapping[str, str] | None = None) -> str | None:
    """Return the address of the server that the overlay's ``spark.remote`` or ``SPARK_REMOTE`` names, else None."""
    return (overlay or {}).get(REMOTE) or os.environ.get("SPARK_REMOTE") or None


def is_connect(session: Any) -> bool:
    """Return whether a session is a client of a server."""
    return type(session).__module__.startswith(("pyspark.sql.connect", "databricks.connect"))


def active() -> SparkSession | None:
    """Return the client session that this process has open already, a notebook's or a job's; None for none."""
    if "SPARK_CONNECT_MODE_ENABLED" not in os.environ:
        return None
    from pyspark.sql.connect.session import SparkSession as Client

    # The active session is a thread's own; steps run in other threads than the one that opened it.
    found: Any = Client.getActiveSession() or Client._get_default_session()
    return found


@coded()
def start(place: str, overlay: Mapping[str, str] | None, name: str) -> SparkSession:
    """Return a session on the server at `place`.

    Parameters
    ----------
    place : str
        ``sc://host:port`` with parameters; it may hold a token and is never shown.
    overlay : mapping, optional
        The environment's Spark settings; those of a running session (``spark.sql.…``, ``spark.databricks.…``)
        are set in every step's session, the others are the server's own.

    Raises
    ------
    ConfigError
        LL-CONF-004 for a malformed address.
    SetupError
        LL-SETUP-001 where no server answers, LL-SETUP-002 where the server does not know Delta, LL-SETUP-003
        without the extra ``connect``.
    """
    if not _ADDRESS.fullmatch(place):
        raise ConfigError(
            "LL-CONF-004", "spark.remote is no address of a Spark Connect server", fix="write sc://host:port"
        )
    # Asked for by name first: pyspark says of a missing one only what it should be.
    import grpc  # noqa: F401
    import grpc_status  # noqa: F401
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    _quiet()
    host = urlsplit(place).hostname
    try:
        _probe(place)
        session = SparkSession.builder.appName(name).remote(place).getOrCreate()
    except PySparkException as cause:
        raise SetupError(
            "LL-SETUP-001",
            f"no Spark Connect server answers at {host} ({type(cause).__name__})",
            fix="start it, or mend spark.remote and its token",
        ) from None
    _chosen[session] = {
        key: value
        for key, value in (overlay or {}).items()
        if key.startswith(("spark.sql.", "spark.databricks.")) and key not in _STATIC
    }
    return session


_STATIC = ("spark.sql.extensions", "spark.sql.catalog.spark_catalog", "spark.sql.warehouse.dir")


def fresh(session: SparkSession) -> SparkSession:
    """Return a new session on the same server, with our package for its Python workers."""
    client: Any = session.client
    made: SparkSession = type(session)(connection=client._builder)
    made.addArtifacts(str(packed()), pyfile=True)
    for key, value in _chosen.get(session, {}).items():
        made.conf.set(key, value)
    with _lock:
        _open.add(made)
    return made


def release(session: SparkSession) -> None:
    """Let the server forget a session that `fresh` has given."""
    client: Any = session.client
    _impatient(client, tries=1)
    with suppress(Exception):  # a server that has gone has forgotten it
        client.release_session()
        client.close()


def interrupt() -> None:
    """Interrupt what runs in the steps' sessions."""
    with _lock:
        sessions = list(_open)
    for session in sessions:
        with suppress(Exception):  # one that has ended runs nothing
            session.interruptAll()


def require_driver(session: SparkSession | None, what: str) -> None:
    """Raise LL-SETUP-010 where `session` is a client: `what` runs inside Spark's own driver."""
    if session is not None and is_connect(session):
        raise SetupError(
            "LL-SETUP-010",
            f"{what} needs Spark's own driver, and this session is a client of Spark Connect",
            fix="run this step where Spark itself runs (local, a cluster, a job cluster); "
            "a model without 'tune' and with 'kind: torch' under train needs none",
        )


def _quiet() -> None:
    """Let the client say nothing of its own: its logger writes what a server answered to standard error."""
    if not os.environ.get("LAKELOOM_DEBUG"):
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def _probe(place: str) -> None:
    """Ask the server whether it knows Delta, with less patience than the builder's first call has.

    In a session of its own, before there is one that others would find and use.
    """
    from pyspark.sql.connect.session import SparkSession as Client

    tried: Any = Client(connection=place)
    _impatient(tried.client, _TRIES)
    try:
        tried.version  # noqa: B018 - asks the server
        _require_delta(tried)
    finally:
        release(tried)


def _impatient(client: Any, tries: int) -> None:
    from pyspark.sql.connect.client.retries import DefaultPolicy

    client.set_retry_policies([DefaultPolicy(max_retries=tries, max_backoff=_LONGEST_WAIT_MS)])


def _require_delta(session: SparkSession) -> None:
    if "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return
    known = str(session.conf.get("spark.sql.extensions", ""))
    if DELTA_EXTENSION not in known or not session.conf.get("spark.sql.catalog.spark_catalog", ""):
        raise SetupError(
            "LL-SETUP-002",
            "the Spark Connect server does not know Delta",
            fix=f"start it with Delta's jars, spark.sql.extensions={DELTA_EXTENSION} "
            f"and spark.sql.catalog.spark_catalog={DELTA_CATALOG}",
        )
