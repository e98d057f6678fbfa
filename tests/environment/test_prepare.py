"""The set-up's own logic: locks, checksums, stamps and messages, without network or installation."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

import prepare
from stages import archive, horovod, jars, locks, machine, packages
from stages.failure import SetupError
from stages.files import digest, matches, place
from stages.places import Places
from stages.progress import Progress
from stages.stamp import Stamp, key

CHECKOUT = Path(__file__).resolve().parents[2]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(checkout=tmp_path / "checkout", cache=tmp_path / "cache")
    made.jars.mkdir(parents=True)
    return made


def jar(content: bytes = b"good", folder: str = ".", version: str = "1.0") -> locks.Jar:
    return locks.Jar(folder, "org.example", "thing", version, sha256(content))


class Server:
    """A stand-in for the repository: hands out fixed bytes and counts what it was asked for."""

    def __init__(self, content: bytes | None) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, wanted: Sequence[locks.Jar], folder: Path) -> None:
        for each in wanted:
            self.asked.append(each.file)
            if self.content is not None:
                (folder / each.file).write_bytes(self.content)


# locks


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


# jars


def test_a_jar_is_fetched_once_and_kept_for_other_checkouts(places: Places) -> None:
    server = Server(b"good")
    jars.supply(places, [jar()], server)
    jars.supply(places, [jar()], server)
    other = Places(checkout=places.checkout.with_name("other"), cache=places.cache)
    jars.supply(other, [jar()], server)
    assert server.asked == ["thing-1.0.jar"]
    assert jars.target(other, jar()).read_bytes() == b"good"


def test_a_damaged_jar_comes_from_the_cache_and_a_damaged_cache_is_fetched_again(places: Places) -> None:
    server = Server(b"good")
    jars.supply(places, [jar()], server)
    here, kept = jars.target(places, jar()), next(places.cache.rglob("thing-1.0.jar"))
    here.write_bytes(b"goof")
    assert jars.missing(places, [jar()]) == [jar()]
    jars.supply(places, [jar()], server)
    assert (here.read_bytes(), len(server.asked)) == (b"good", 1)
    here.write_bytes(b"bad")
    kept.write_bytes(b"bad")
    jars.supply(places, [jar()], server)
    assert (here.read_bytes(), kept.read_bytes(), len(server.asked)) == (b"good", b"good", 2)


@pytest.mark.parametrize(("content", "found"), [(b"other", "checksum"), (None, "could not be fetched")])
def test_a_jar_that_is_not_what_was_pinned_is_refused_and_not_kept(
    places: Places, content: bytes | None, found: str
) -> None:
    with pytest.raises(SetupError, match=f"LL-SETUP-007  org.example:thing:1.0 .*{found}"):
        jars.supply(places, [jar()], Server(content))
    assert not list(places.cache.rglob("*.jar"))
    assert not jars.target(places, jar()).exists()


def test_another_version_of_a_jar_does_not_stay_on_the_class_path(places: Places) -> None:
    jars.supply(places, [jar()], Server(b"good"))
    newer = jar(b"new", version="2.0")
    jars.supply(places, [newer], Server(b"new"))
    assert [path.name for path in places.jars.glob("*.jar")] == ["thing-2.0.jar"]


def test_the_jars_are_asked_for_without_their_dependencies() -> None:
    asked = jars.module([jar()])
    assert 'org="org.example" name="thing" rev="1.0"' in asked
    assert asked.count('transitive="false"') == 1


# files


def test_a_copy_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_bytes(b"new")

    def half(_: Path, part: Path) -> None:
        Path(part).write_bytes(b"ne")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfile", half)
        with pytest.raises(KeyboardInterrupt):
            place(source, target)
    assert list(target.parent.iterdir()) == []
    place(source, target)
    assert matches(target, digest(source))


# the machine


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


# stamps and stages


def test_a_key_tells_parts_apart(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("ab", encoding="utf-8")
    assert key(lock, "c") == key("ab", "c") != key("a", "bc")


@pytest.mark.parametrize("damage", ["", "{", "[1]", "null"])
def test_a_damaged_stamp_means_nothing_is_set_up(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "stamp.json"
    Stamp(path).note("jars", "k")
    assert Stamp(path).current("jars", "k")
    path.write_text(damage, encoding="utf-8")
    assert not Stamp(path).current("jars", "k")
    assert not Stamp(path).begun("jars")


def test_an_interrupted_stage_is_known_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "stamp.json"
    Stamp(path).begin("python packages")
    assert Stamp(path).begun("python packages")
    assert not Stamp(path).current("python packages", "k")


def run_stages(places: Places, monkeypatch: pytest.MonkeyPatch, *made: prepare.Stage) -> None:
    monkeypatch.setattr(prepare, "stages", lambda *_: list(made))
    monkeypatch.setattr(machine, "check_compiler", lambda: None)
    monkeypatch.setattr(machine, "find_java", lambda: machine.Java(Path("java"), ""))
    prepare.prepare(places)


def test_a_second_set_up_does_and_says_nothing(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []
    first = prepare.Stage("one", "working", lambda: "k1", lambda: True, lambda: done.append("one"))
    second = prepare.Stage("two", "working", lambda: "k2", lambda: True, lambda: done.append("two"))
    run_stages(places, monkeypatch, first, second)
    assert "one: done in" in capsys.readouterr().out
    run_stages(places, monkeypatch, first, second)
    assert (done, capsys.readouterr().out) == (["one", "two"], "")


def test_a_set_up_that_failed_goes_on_where_it_stopped(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def fail() -> None:
        raise SetupError("LL-SETUP-008", "no", "no")

    first = prepare.Stage("one", "working", lambda: "k", lambda: "one" in done, lambda: done.append("one"))
    broken = prepare.Stage("two", "working", lambda: "k", lambda: True, fail)
    mended = prepare.Stage("two", "working", lambda: "k", lambda: True, lambda: done.append("two"))
    with pytest.raises(SetupError):
        run_stages(places, monkeypatch, first, broken)
    run_stages(places, monkeypatch, first, mended)
    assert done == ["one", "two"]


def test_a_stage_whose_product_went_or_whose_key_changed_is_done_again(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    for name, ready in (("k", True), ("k", True), ("k", False), ("other", True)):
        stage = prepare.Stage(
            "one", "working", lambda name=name: name, lambda ready=ready: ready, lambda: done.append("one")
        )
        run_stages(places, monkeypatch, stage)
    assert len(done) == 3


# commands


def test_a_failed_command_shows_the_end_of_its_own_output(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "log")
    progress.call(["sh", "-c", "echo earlier"])
    with pytest.raises(SetupError, match=r"LL-SETUP-008.*'sh' ended with 3") as raised:
        progress.call(["sh", "-c", "echo the reason >&2; exit 3"])
    assert "the reason" in str(raised.value)
    assert "earlier" not in str(raised.value)


def test_an_interrupt_leaves_no_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupted(self: Progress, child: subprocess.Popen[bytes]) -> None:
        started.append(child)
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Progress(tmp_path / "log").call(["sleep", "60"])
    assert started[0].poll() is not None


def test_a_lock_lasts_as_long_as_the_command_that_a_killed_set_up_left(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "log")
    with (tmp_path / "lock").open("w") as held, (tmp_path / "lock").open("w") as other:
        fcntl.flock(held, fcntl.LOCK_EX)
        progress.held = (held.fileno(),)
        progress.call(["sh", "-c", f"test -e /proc/self/fd/{held.fileno()}"])
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


# horovod


def test_a_damaged_wheel_counts_as_absent(tmp_path: Path) -> None:
    wheel = tmp_path / "horovod-0.28.1-cp311.whl"
    assert horovod.cached(tmp_path) is None
    wheel.write_bytes(b"wheel")
    assert horovod.cached(tmp_path) is None  # its checksum is written last
    (tmp_path / f"{wheel.name}.sha256").write_text(sha256(b"wheel") + "\n", encoding="utf-8")
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


# the class-data archive


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


# uv


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
