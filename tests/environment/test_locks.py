"""The set-up's locks: all is pinned, no host is named, a malformed line is."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages import locks
from stages.failure import SetupError

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_projects_own_locks_can_be_read() -> None:
    lock = locks.jars(CHECKOUT / "environment" / "jars.lock")
    assert {"delta-spark_4.0_2.13-4.4.0.jar", "delta-storage-4.4.0.jar"} == {j.file for j in lock if j.folder == "."}
    pinned = locks.pins((CHECKOUT / "environment" / "requirements.lock").read_text(encoding="utf-8"))
    assert {"torch", "pyspark", "pip", "cmake", "setuptools"} <= set(pinned)
    assert "uv" in locks.pins((CHECKOUT / "environment" / "tools.lock").read_text(encoding="utf-8"))


def test_every_requirement_has_a_hash_and_no_lock_names_a_host() -> None:
    for name in sorted(path.name for path in (CHECKOUT / "environment").glob("[a-z]*.lock")):
        text = (CHECKOUT / "environment" / name).read_text(encoding="utf-8")
        assert "://" not in text
        if not name.endswith("jars.lock"):
            entries = [entry for entry in text.replace("\\\n", " ").splitlines() if "==" in entry]
            assert entries
            assert all("--hash=sha256:" in entry for entry in entries)


def test_what_is_asked_for_is_what_is_locked() -> None:
    folder = CHECKOUT / "environment"
    locked = locks.pins((folder / "requirements.lock").read_text(encoding="utf-8"))
    for name, version in locks.pins((folder / "requirements.in").read_text(encoding="utf-8")).items():
        assert locked[name] == version


@pytest.mark.parametrize("line", [". a:b 00", ". a:b:1 zz", "a:b:1", f". a:b:1 {'A' * 64}"])
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "jars.lock"
    path.write_text(f"# comment\n\n{line}\n", encoding="utf-8")
    with pytest.raises(SetupError, match=r"LL-SETUP-007  jars\.lock:3"):
        locks.jars(path)
