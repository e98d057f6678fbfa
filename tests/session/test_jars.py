"""Delta's jars: found where they are, fetched once and whole where they are not, never other than pinned."""

import hashlib
import re
from pathlib import Path

import pytest

from lakeloom.core.errors import SetupError
from lakeloom.session import jars
from lakeloom.session.jars import DELTA_FOR, Jar, brought, by_ivy, jars_home, module, supplied
from lakeloom.session.settings import class_path, settings

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give the cache's folder for a Spark for which two made-up jars are pinned."""
    made = {
        "4.7": Jar("delta-spark_4.7_2.13", "1.0", hashlib.sha256(b"delta").hexdigest()),
        "storage": Jar("delta-storage", "1.0", hashlib.sha256(b"storage").hexdigest()),
    }
    monkeypatch.delenv("LAKELOOM_JARS", raising=False)
    monkeypatch.delenv("SPARK_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jars, "spark_line", lambda: "4.7")
    monkeypatch.setattr("lakeloom.session.settings.spark_line", lambda: "4.7")
    monkeypatch.setattr(jars, "DELTA_FOR", {"4.7": made["4.7"]})
    monkeypatch.setattr(jars, "_STORAGE", made["storage"])
    return tmp_path / "lakeloom" / "jars" / "spark-4.7-delta-1.0"


class Repository:
    """Hands out bytes by the start of a jar's name, and notes what it was asked for."""

    def __init__(self, **content):
        self.content, self.asked = {"delta-spark": b"delta", "delta-storage": b"storage"} | content, []

    def __call__(self, wanted, folder):
        for jar in wanted:
            self.asked.append(jar.name)
            for start, content in self.content.items():
                if jar.name.startswith(start) and content is not None:
                    (folder / jar.file).write_bytes(content)


def test_a_wheel_looks_into_the_users_cache_and_fetches_once(cache):
    repository = Repository()
    assert jars_home() == cache
    with pytest.raises(SetupError, match="LL-SETUP-002"):
        class_path(cache)
    assert supplied(cache, repository) == supplied(cache, repository) == cache
    assert repository.asked == ["delta-spark_4.7_2.13", "delta-storage"]
    assert [path.name for path in sorted(cache.iterdir())] == ["delta-spark_4.7_2.13-1.0.jar", "delta-storage-1.0.jar"]
    assert class_path(cache).count(":") == 1


def test_only_what_is_missing_is_fetched(cache):
    supplied(cache, Repository())
    (cache / "delta-storage-1.0.jar").unlink()
    repository = Repository()
    supplied(cache, repository)
    assert repository.asked == ["delta-storage"]


@pytest.mark.parametrize(("content", "code"), [(b"other", "LL-SETUP-007"), (None, "LL-SETUP-002")])
def test_a_jar_that_is_not_what_was_pinned_is_not_kept(cache, content, code):
    with pytest.raises(SetupError) as caught:
        supplied(cache, Repository(**{"delta-spark": content}))
    assert caught.value.code == code
    assert list(cache.iterdir()) == []


def test_a_named_folder_is_taken_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("LAKELOOM_JARS", str(tmp_path))
    assert jars_home() == tmp_path
    repository = Repository()
    assert supplied(tmp_path, repository) == tmp_path
    assert repository.asked == []


def test_the_checkouts_jars_are_used_with_the_spark_that_they_are_for(monkeypatch):
    monkeypatch.delenv("LAKELOOM_JARS", raising=False)
    assert jars_home() == CHECKOUT / "environment" / "jars"
    monkeypatch.setattr(jars, "spark_line", lambda: "4.2")
    assert jars_home().name.startswith("spark-4.2-delta-")


def test_a_spark_without_a_delta_is_refused_with_what_to_install(cache, monkeypatch):
    monkeypatch.setattr(jars, "DELTA_FOR", DELTA_FOR)
    with pytest.raises(SetupError) as caught:
        supplied(cache, Repository())
    assert caught.value.code == "LL-SETUP-002"
    assert "Spark 4.7" in caught.value.message
    assert "pyspark==4.2" in caught.value.fix


def test_jars_for_another_spark_are_refused(cache):
    cache.mkdir(parents=True)
    for name in ("delta-spark_4.0_2.13-4.4.0.jar", "delta-storage-4.4.0.jar"):
        (cache / name).touch()
    with pytest.raises(SetupError, match=r"not for the installed Spark 4\.7") as caught:
        class_path(cache)
    assert caught.value.code == "LL-SETUP-002"


def test_where_spark_brings_delta_nothing_is_added(cache, tmp_path, monkeypatch):
    assert not brought()
    (tmp_path / "spark" / "jars").mkdir(parents=True)
    (tmp_path / "spark" / "jars" / "delta-spark_4.7_2.13-9.9.jar").touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    repository = Repository()
    found = settings(supplied(cache, repository), {"spark.master": "spark://nowhere:1"})
    assert brought() and repository.asked == []
    assert not {"spark.driver.extraClassPath", "spark.jars"} & set(found)


def test_the_pins_are_those_of_the_checkouts_lock():
    locked = (CHECKOUT / "environment" / "jars.lock").read_text()
    for jar in (DELTA_FOR["4.0"], jars._STORAGE):
        assert re.search(rf"io\.delta:{re.escape(jar.name)}:{jar.version}\s+{jar.sha256}", locked)
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in DELTA_FOR.values())


def test_jars_are_asked_for_without_what_they_depend_on():
    asked = module(list(DELTA_FOR.values()))
    assert asked.count('transitive="false"') == asked.count("<dependency ") == len(DELTA_FOR)


def test_a_repository_that_has_nothing_is_a_clear_error(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    mirror = tmp_path / "ivysettings.xml"
    mirror.write_text(
        '<ivysettings><settings defaultResolver="here"/><resolvers><filesystem name="here">'
        f'<artifact pattern="{tmp_path}/empty/[artifact]-[revision].[ext]"/></filesystem></resolvers></ivysettings>'
    )
    monkeypatch.setenv("LAKELOOM_IVY_SETTINGS", str(mirror))
    with pytest.raises(SetupError) as caught:
        by_ivy([DELTA_FOR["4.0"]], tmp_path)
    assert caught.value.code == "LL-SETUP-002"
    assert "LAKELOOM_IVY_SETTINGS" in caught.value.fix


def test_a_mirror_is_asked_where_one_is_named(tmp_path, monkeypatch):
    shelf, folder = tmp_path / "shelf", tmp_path / "fetched"
    shelf.mkdir()
    folder.mkdir()
    (shelf / "delta-storage-4.4.0.jar").write_bytes(b"jar")
    mirror = tmp_path / "ivysettings.xml"
    mirror.write_text(
        '<ivysettings><settings defaultResolver="here"/><resolvers><filesystem name="here">'
        f'<artifact pattern="{shelf}/[artifact]-[revision].[ext]"/></filesystem></resolvers></ivysettings>'
    )
    monkeypatch.setenv("LAKELOOM_IVY_SETTINGS", str(mirror))
    by_ivy([jars._STORAGE], folder)
    assert (folder / "delta-storage-4.4.0.jar").read_bytes() == b"jar"


def test_without_java_nothing_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SetupError) as caught:
        by_ivy([jars._STORAGE], tmp_path)
    assert caught.value.code == "LL-SETUP-001"
