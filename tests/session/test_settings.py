"""The session's settings: what is missing is named, what an environment says wins, no password shows."""

import os
import re
import subprocess
import sys

import pytest

from lakeloom.core.errors import ConfigError, SetupError
from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from lakeloom.objects.translated import hadoop
from lakeloom.session.settings import ARCHIVE, Hidden, class_path, java_options, overlay_of, settings
from lakeloom.session.spark import step_session


@pytest.mark.parametrize("there", [[], ["delta-spark_2.13-4.0.0.jar"], ["delta-storage-4.0.0.jar", "other.jar"]])
def test_missing_jars_are_named(tmp_path, there):
    for name in there:
        (tmp_path / name).touch()
    with pytest.raises(SetupError) as caught:
        class_path(tmp_path)
    assert caught.value.code == "LL-SETUP-002"
    assert "make setup" in caught.value.fix


def test_all_jars_stand_on_the_class_path_and_an_overlay_wins(tmp_path):
    for name in ("delta-spark_2.13-4.0.0.jar", "delta-storage-4.0.0.jar", "driver.jar"):
        (tmp_path / name).touch()
    found = settings(tmp_path, {"spark.master": "local[7]"})
    assert found["spark.master"] == "local[7]"
    assert {path.rpartition("/")[2] for path in found["spark.driver.extraClassPath"].split(":")} == {
        path.name for path in tmp_path.glob("*.jar")
    }


def test_the_class_data_archive_is_used_where_it_was_made(tmp_path):
    assert ARCHIVE not in java_options(tmp_path)
    (tmp_path / ARCHIVE).touch()
    assert ARCHIVE in java_options(tmp_path)


def test_what_is_slow_is_on_where_one_looks_for_a_fault_only(tmp_path, monkeypatch):
    for name in ("delta-spark_2.13-4.0.0.jar", "delta-storage-4.0.0.jar"):
        (tmp_path / name).touch()
    monkeypatch.delenv("LAKELOOM_DEBUG", raising=False)
    asked = "spark.python.sql.dataFrameDebugging.enabled"
    assert settings(tmp_path)[asked] == "false"
    monkeypatch.setenv("LAKELOOM_DEBUG", "1")
    assert settings(tmp_path)[asked] == "true"
    assert settings(tmp_path, {asked: "false"})[asked] == "false"


def test_a_stage_of_many_rules_is_compiled_by_the_jvm_too(spark):
    """Left to the interpreter its rows cost four times as much, here and on a cluster's executors."""
    beans = spark._jvm.java.lang.management.ManagementFactory
    kind = spark._jvm.java.lang.Class.forName("com.sun.management.HotSpotDiagnosticMXBean")
    assert beans.getPlatformMXBean(kind).getVMOption("DontCompileHugeMethods").getValue() == "false"


def test_a_steps_settings_stay_in_its_session(spark):
    with step_session(spark, {"spark.sql.shuffle.partitions": "9"}) as session:
        assert session.conf.get("spark.sql.shuffle.partitions") == "9"
    assert spark.conf.get("spark.sql.shuffle.partitions") == "2"


def test_a_password_is_redacted_in_plans_and_settings(spark):
    word = "kestrel-basalt-58"
    frame = spark.read.format("csv").option("password", word).option("header", True).schema("a string").load([])
    explained = spark.sql(f"explain extended select 'password={word}' as a").first()[0]
    assert word not in explained
    assert word not in frame._jdf.queryExecution().toString()
    with step_session(spark, {"spark.some.password": word}) as session:
        shown = {row.key: row.value for row in session.sql("set").collect()}
    assert shown["spark.some.password"] != word


@pytest.fixture
def jars(tmp_path):
    for name in ("delta-spark_4.0_2.13-4.4.0.jar", "delta-storage-4.4.0.jar"):
        (tmp_path / name).touch()
    return tmp_path


def test_a_secret_of_the_overlay_is_redacted_whatever_it_is_called(jars, monkeypatch):
    monkeypatch.setenv("LAKELOOM_SECRET_SHOP_WORD", "kestrel-basalt-58")
    overlay = overlay_of({"spark.hadoop.fs.odd.auth": "${secret:shop/word}", "spark.sql.odd": "x ${secret:shop/word}",
                          "spark.sql.other": "plain"})  # fmt: skip
    found = settings(jars, overlay)
    assert {key for key, value in found.items() if isinstance(value, Hidden)} == set(overlay) - {"spark.sql.other"}
    shown = re.compile(found["spark.redaction.regex"])
    assert all(shown.search(name) for name in ("spark.hadoop.fs.odd.auth", "fs.odd.auth", "spark.sql.odd"))
    assert not any(shown.search(name) for name in ("spark.sql.other", "spark.sql.odder", "spark.sql.oddxauth"))
    with pytest.raises(ConfigError) as caught:
        settings(jars, overlay_of({"spark.driver.extraJavaOptions": "-Da=${secret:shop/word}"}))
    assert caught.value.code == "LL-CONF-004" and "kestrel" not in str(caught.value)


@pytest.mark.parametrize(
    ("root", "said"),
    [("s3://b", {"access_key": "marked", "secret_key": "marked", "session_token": "marked"}),
     ("s3://b", {"customer_key": "marked"}), ("abfss://c@a.dfs.core.windows.net", {"key": "marked"}),
     ("abfss://c@a.dfs.core.windows.net", {"signature": "?marked"})],
)  # fmt: skip
def test_what_a_store_is_reached_with_is_redacted_on_sparks_pages(jars, root, said):
    words = hadoop(opening(Address.parse(f"{root}/x"), {root: said}))
    names = [name for name, value in words.items() if "marked" in value]
    shown = re.compile(settings(jars)["spark.redaction.regex"])
    assert len(names) >= len(said) and all(shown.search(name) for name in names)


def test_what_a_broken_task_says_of_a_row_is_in_no_log(tmp_path):
    told = (
        "import sys\n"
        "from pathlib import Path\n"
        "from lakeloom.session.spark import open_session\n"
        "spark = open_session(log=Path(sys.argv[1]))\n"
        "try:\n"
        "    spark.sql(\"select cast(concat('kestrel', '-', id) as int) from range(5)\").collect()\n"
        "except Exception as error:\n"
        "    print(type(error).__name__)\n"
    )
    log = tmp_path / "spark.log"
    environment = {name: value for name, value in os.environ.items() if name != "LAKELOOM_DEBUG"}
    said = subprocess.run(
        [sys.executable, "-c", told, str(log)], capture_output=True, text=True, check=True, env=environment
    )
    assert said.stdout.strip() == "NumberFormatException"
    assert "kestrel" not in said.stderr + log.read_text()
    assert "Exception" not in log.read_text()
