"""The set-up's stages: done once, gone on with, done again where a product went; what they call ends with them."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

import pytest

import prepare
from stages import machine
from stages.failure import SetupError
from stages.places import Places
from stages.progress import Progress
from stages.stamp import Stamp, key

CHECKOUT = Path(__file__).resolve().parents[2]


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
