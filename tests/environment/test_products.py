"""What the set-up makes: wheels, the class-data archive, the environment; what is half made is made again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

import prepare
from stages import archive, horovod, machine, packages
from stages.failure import SetupError
from stages.places import Places
from stages.progress import Progress
from stages.stamp import Stamp

CHECKOUT = Path(__file__).resolve().parents[2]


def test_a_damaged_wheel_counts_as_absent(tmp_path: Path) -> None:
    wheel = tmp_path / "horovod-0.28.1-cp311.whl"
    assert horovod.cached(tmp_path) is None
    wheel.write_bytes(b"wheel")
    assert horovod.cached(tmp_path) is None  # its checksum is written last
    (tmp_path / f"{wheel.name}.sha256").write_text(hashlib.sha256(b"wheel").hexdigest() + "\n", encoding="utf-8")
    assert horovod.cached(tmp_path) == wheel
    wheel.write_bytes(b"wheal")
    assert horovod.cached(tmp_path) is None


def test_a_wheel_is_kept_by_version_python_torch_and_machine(tmp_path: Path) -> None:
    here = Places(checkout=CHECKOUT, cache=tmp_path)
    name = horovod.wheel_folder(here).name
    assert name.startswith("horovod-0.28.1-cpython-311-torch2.13.0-")
    assert os.uname().machine in name


@pytest.mark.parametrize("standard", ["-std=gnu++14", "-std=c++14", "-std=gnu++11"])
def test_the_compiler_is_called_with_the_newer_standard(standard: str) -> None:
    wrapper = CHECKOUT / "environment" / "g++17"
    command = [wrapper, standard, "-DX=a b", "-std=c++20"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ, LAKELOOM_CXX="echo"))
    assert ran.stdout.strip() == "-std=gnu++17 -DX=a b -std=c++20"


def pretend_warm_up(size: int, fails: bool = False) -> type[Progress]:
    class Pretend(Progress):
        def call(self, command: Sequence[str | Path], **_: object) -> None:
            Path(command[-1]).write_bytes(b"x" * size)
            if fails:
                raise SetupError("LL-SETUP-008", "no", "no")

    return Pretend


def test_a_cut_off_archive_is_noticed_since_a_jvm_would_crash_on_it(places: Places, tmp_path: Path) -> None:
    java = machine.Java(Path("/jdk/bin/java"), "")
    assert archive.make(places, java, pretend_warm_up(100)(tmp_path / "log"))
    assert archive.whole(places)
    archive.archive(places).write_bytes(b"x" * 99)
    assert not archive.whole(places)
    archive.archive(places).unlink()
    assert not archive.whole(places)


def test_a_failed_warm_up_leaves_no_archive_and_fails_nothing(places: Places, tmp_path: Path) -> None:
    java = machine.Java(Path("/jdk/bin/java"), "")
    archive.archive(places).write_bytes(b"old")
    assert not archive.make(places, java, pretend_warm_up(50, fails=True)(tmp_path / "log"))
    assert list(places.jars.iterdir()) == []
    assert archive.whole(places)


def test_a_mirror_told_to_pip_is_told_to_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "file:///mirror")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    assert packages.tool_environment()["UV_DEFAULT_INDEX"] == "file:///mirror"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "file:///own")
    assert packages.tool_environment()["UV_DEFAULT_INDEX"] == "file:///own"


def test_a_half_installed_environment_is_made_afresh(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    afresh: list[bool] = []
    monkeypatch.setattr(packages, "make_venv", lambda *_, afresh: seen(afresh))
    monkeypatch.setattr(packages, "sync", lambda *_: None)

    def seen(value: bool) -> None:
        afresh.append(value)
        places.venv.mkdir(parents=True, exist_ok=True)

    for name in ("jars.lock", "requirements.lock", "tools.lock", "horovod.lock"):
        (places.environment / name).write_text("", encoding="utf-8")
    stamp_path = places.venv / "lakeloom-setup.json"
    for _ in range(2):  # the first ends before it is noted as finished
        progress = Progress(places.environment / "log")
        first = prepare.stages(places, machine.Java(Path("java"), ""), Stamp(stamp_path), progress)[0]
        first.make()
    assert afresh == [False, True]
    assert json.loads(stamp_path.read_text(encoding="utf-8")) == {"python packages": "begun"}
