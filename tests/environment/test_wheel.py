"""The wheel: all that the package needs is in it, and in an empty environment it runs a project of `init`."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.environment.wheels import CHECKOUT, bare, build, environment


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("wheel"))


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    package = CHECKOUT / "lib" / "lakeloom"
    ours = {
        str(Path("lakeloom") / file.relative_to(package))
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert ours - packed == set()
    assert {name for name in packed if ".dist-info/" not in name} - ours == set()
    assert "lakeloom/session/log4j2.properties" in packed


@pytest.mark.long
def test_the_core_alone_runs_a_new_project(wheel, tmp_path):
    python = environment(tmp_path / "venv", wheel)
    program = python.parent / "lakeloom"
    # A cache of its own, so that Delta's jars are really fetched.
    env = bare(XDG_CACHE_HOME=str(tmp_path / "cache"), PATH=f"{python.parent}:/usr/bin:/bin")

    def call(*words, at="shop", code=0):
        done = subprocess.run(
            [program, *words], cwd=tmp_path / at, env=env, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "shop").mkdir()
    where = subprocess.run(
        [python, "-c", "import lakeloom; print(lakeloom.__file__)"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert str(tmp_path / "venv") in where
    call("init", "shop")
    assert json.loads(call("check", "--json")) == {"findings": []}
    run = json.loads(call("run", "--json"))
    assert {step["name"]: step["status"] for step in run["steps"]} == dict.fromkeys(
        ["bronze.orders", "silver.orders", "gold.daily_orders"], "done"
    )
    for engine in ("delta", "spark"):
        rows = json.loads(call("sql", "--json", "--engine", engine, "select count(*) as n from silver.orders"))
        assert rows == [{"n": 5}]
    assert len(json.loads(call("quarantine", "silver.orders", "--json"))) == 1
    call("report")
    found = {entry["name"]: entry for entry in json.loads(call("doctor", "--json"))}
    assert found["jars"]["status"] == "ok"
    assert found["extra train"]["fix"] == "pip install 'lakeloom[train]'"
    fetched = sorted(path.name for path in (tmp_path / "cache").rglob("*.jar"))
    assert [name.partition("-4")[0].partition("_4")[0] for name in fetched] == ["delta-spark", "delta-storage"]
    assert all(step["status"] == "skipped" for step in json.loads(call("run", "--json"))["steps"])
