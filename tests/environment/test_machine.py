"""What the set-up asks of a machine: a JDK, a compiler, a Python; what is missing is one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages import machine
from stages.failure import SetupError

CHECKOUT = Path(__file__).resolve().parents[2]


def java_home(tmp_path: Path, version: str) -> Path:
    home = tmp_path / f"jdk-{version}"
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
    return home


def test_java_home_is_taken_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = java_home(tmp_path, "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setenv("PATH", str(java_home(tmp_path, "21.0.1") / "bin"))
    assert machine.find_java().program == home / "bin" / "java"
    monkeypatch.delenv("JAVA_HOME")
    assert machine.major(machine.find_java().release) == 21


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "23.0.1"])
def test_a_java_that_spark_cannot_use_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_home(tmp_path, version)))
    with pytest.raises(SetupError, match="LL-SETUP-001") as raised:
        machine.find_java()
    assert "openjdk-17-jdk-headless" in raised.value.fix


def test_a_missing_java_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="LL-SETUP-001  no java on PATH"):
        machine.find_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(SetupError, match=r"LL-SETUP-001  JAVA_HOME is .*gone"):
        machine.find_java()


@pytest.mark.parametrize(("present", "code"), [([], "LL-SETUP-004"), (["g++"], "LL-SETUP-005")])
def test_a_missing_compiler_or_make_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: list[str], code: str
) -> None:
    for name in present:
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.delenv("LAKELOOM_CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=code) as raised:
        machine.check_compiler()
    assert "apt-get install" in raised.value.fix


def test_another_python_is_refused() -> None:
    machine.check_python((3, 11))
    with pytest.raises(SetupError, match=r"LL-SETUP-006  this is Python 3\.12"):
        machine.check_python((3, 12))


@pytest.mark.parametrize(
    ("printed", "version"),
    [('openjdk version "17.0.15" 2025', 17), ('java version "1.8.0_402"', 8), ('JAVA_VERSION="21"', 21), ("", 0)],
)
def test_java_versions_are_read_in_all_their_forms(printed: str, version: int) -> None:
    assert machine.major(printed) == version
