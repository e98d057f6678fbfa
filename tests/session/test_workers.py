"""The workers of a cluster: they get the driver's code, and another release is refused with both named."""

import subprocess
import sys
import zipfile

import pytest

import lakeloom
from lakeloom.core.errors import ConfigError, SetupError
from lakeloom.session.jars import spark_line
from lakeloom.session.settings import is_local, overlay_of, settings
from lakeloom.session.workers import _releases, pack, require_same


@pytest.fixture
def jars(tmp_path):
    for name in (f"delta-spark_{spark_line()}_2.13-4.4.0.jar", "delta-storage-4.4.0.jar"):
        (tmp_path / name).touch()
    return tmp_path


def test_on_a_cluster_the_jars_travel_and_nothing_is_bound_to_the_loopback(jars):
    here, there = settings(jars, {"spark.master": "local[4]"}), settings(jars, {"spark.master": "spark://head:7077"})
    assert here["spark.driver.host"] == "127.0.0.1" and "spark.jars" not in here
    assert "spark.driver.host" not in there and "spark.driver.bindAddress" not in there
    assert there["spark.jars"].split(",") == here["spark.driver.extraClassPath"].split(":")
    assert "-Duser.timezone=UTC" in there["spark.executor.extraJavaOptions"]


@pytest.mark.parametrize(
    ("master", "local"),
    [
        ("local", True),
        ("local[*]", True),
        ("local-cluster[2,1,1024]", False),
        ("spark://h:7077", False),
        ("yarn", False),
    ],
)
def test_only_one_process_is_local(master, local):
    assert is_local(master) is local


def test_an_overlays_variables_and_secrets_are_resolved(monkeypatch):
    monkeypatch.setenv("LAKELOOM_MASTER", "spark://head:7077")
    monkeypatch.setenv("LAKELOOM_SECRET_S3_KEY", "kestrel-basalt-58")
    found = overlay_of(
        {
            "spark.master": "${env:LAKELOOM_MASTER:-local}",
            "spark.hadoop.fs.s3a.secret.key": "${secret:s3/key}",
            "spark.executor.cores": 1,
            "spark.ui.enabled": False,
        }
    )
    assert found == {
        "spark.master": "spark://head:7077",
        "spark.hadoop.fs.s3a.secret.key": "kestrel-basalt-58",
        "spark.executor.cores": "1",
        "spark.ui.enabled": "false",
    }
    with pytest.raises(ConfigError) as caught:
        overlay_of({"spark.master": "${env:LAKELOOM_NOT_SET}"})
    assert (caught.value.code, caught.value.where) == ("LL-CONF-008", "spark.spark.master")


def test_what_is_sent_is_the_whole_package_and_imports(tmp_path):
    place = pack(tmp_path)
    names = zipfile.ZipFile(place).namelist()
    assert {"lakeloom/__init__.py", "lakeloom/features/buckets.py", "lakeloom/py.typed"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]
    told = (
        "import sys; sys.path.insert(0, sys.argv[1]); import lakeloom; print(lakeloom.__version__, lakeloom.__file__)"
    )
    said = subprocess.run([sys.executable, "-I", "-c", told, str(place)], capture_output=True, text=True, check=True)
    release, file = said.stdout.split()
    assert release == lakeloom.__version__ and file.startswith(str(place))


def test_another_release_is_refused_and_both_are_named():
    require_same([("a", lakeloom.__version__), ("b", lakeloom.__version__)])
    with pytest.raises(SetupError) as caught:
        require_same([("a", lakeloom.__version__), ("b", "0.0.9"), ("c", "")])
    assert caught.value.code == "LL-SETUP-009"
    assert lakeloom.__version__ in caught.value.message
    assert "b has 0.0.9" in caught.value.message and "c has none" in caught.value.message


def test_the_workers_are_really_asked(spark):
    found = _releases(spark)
    assert {release for _, release in found} == {lakeloom.__version__}
    assert len(found) == spark.sparkContext.defaultParallelism


def test_an_application_without_delta_is_refused(tmp_path):
    told = (
        "from pyspark.sql import SparkSession\n"
        "SparkSession.builder.master('local[1]').config('spark.ui.enabled', 'false').getOrCreate()\n"
        "from lakeloom.core.errors import SetupError\n"
        "from lakeloom.session.spark import open_session\n"
        "try:\n    open_session()\nexcept SetupError as error:\n    print(error.code, error.fix)\n"
    )
    said = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert said.stdout.startswith("LL-SETUP-002 ") and "spark-submit --jars" in said.stdout
