"""One Spark session a run, a fresh storage root a test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.servers.fixtures import bucket_of, databases, ports, spoilt_lines, table
from tests.stuck import pytest_timeout_cancel_timer, pytest_timeout_set_timer

__all__ = ["bucket_of", "databases", "ports", "spoilt_lines", "table"]  # fixtures of all tests
__all__ += ["pytest_timeout_cancel_timer", "pytest_timeout_set_timer"]

# Spark's Python workers import lakeloom too, and know nothing of pytest's path.
_LIB = str(Path(__file__).resolve().parents[1] / "lib")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_LIB, os.environ.get("PYTHONPATH")]))

# For a few rows Spark's generated code costs more than it saves: a third of the whole run. What is started by the
# command line (scenarios, kills, pages of the guide) keeps it.
WITHOUT_CODE = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
WITH_CODE = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}


@pytest.fixture(autouse=True)
def quiet():
    """Take back what `--debug` of a command that was called in this process has set, and forget a test's secrets.

    A user who is called loom is a secret where a test says so, and would be taken out of every later text.
    """
    from lakeloom.core import secrets

    known = set(secrets._KNOWN)
    yield
    os.environ.pop("LAKELOOM_DEBUG", None)
    secrets._KNOWN.intersection_update(known)


@pytest.fixture(scope="session")
def spark():
    """Give the real session of the platform, with settings for small data."""
    from lakeloom.session.settings import class_path, jars_home
    from lakeloom.session.spark import open_session

    # Derby's client driver must stand on the real class path: it looks for its messages there.
    jars = [class_path(jars_home()), *map(str, sorted((jars_home() / "test").glob("*.jar")))]
    settings = {"spark.sql.shuffle.partitions": "2", "spark.default.parallelism": "2"} | WITHOUT_CODE
    session = open_session(settings | {"spark.driver.extraClassPath": ":".join(jars)}, name="tests")
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def unchanged(request):
    """Take back what a test sets in the session that all share: splits of five bytes stop whatever reads a file later."""
    if "spark" not in request.fixturenames:
        yield
        return
    spark = request.getfixturevalue("spark")
    settings = spark._jsparkSession.sessionState().conf().settings()
    before = spark._jvm.java.util.HashMap(settings)
    yield
    if not settings.equals(before):
        settings.clear()
        settings.putAll(before)


@pytest.fixture(scope="module")
def generated(spark):
    """Let sessions that a module opens generate code: what has a hundred thousand rows gains by it."""
    # A new session's settings begin with the application's.
    conf = spark._jsc.sc().conf()
    for key, value in WITH_CODE.items():
        conf.set(key, value)
    yield
    for key, value in WITHOUT_CODE.items():
        conf.set(key, value)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a storage root that no other test has seen."""
    path = tmp_path / "lakeloom"
    path.mkdir()
    return path


@pytest.fixture
def lake(root: Path):
    """Give the store on a fresh root."""
    store = pytest.importorskip("lakeloom.store.lake")
    return store.Lake(root)


@pytest.fixture(scope="session")
def trained(tmp_path_factory, spark):
    """Give a project whose model was tuned and trained, and its first run; a test adds runs, never takes away."""
    from lakeloom.config.load import read
    from lakeloom.flow.runner import run
    from lakeloom.project.check import checked
    from tests.trips import lay_out

    project = checked(read(lay_out(tmp_path_factory.mktemp("trips"))))
    return project, run(project)
