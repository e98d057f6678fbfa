"""`lakeloom-step`: exactly one step, and patience where another run holds the storage root."""

import json
import subprocess
import sys
import threading

import pytest

from lakeloom.api.scaffold import scaffold
from lakeloom.cli.job import step

HOLD = """
import sys, time
from pathlib import Path
from lakeloom.store.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    scaffold("shop", tmp_path)
    return tmp_path


@pytest.fixture
def held(shop):
    root = shop / ".lakeloom"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    yield holder
    holder.kill()
    holder.wait()


def test_one_step_runs_and_going_well_is_no_exit(shop, spark, capsys):
    assert step(["--conf", "conf/shop", "--select", "bronze.orders"]) is None
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["steps"]] == ["bronze.orders"]


def test_what_went_wrong_is_an_exit_code(shop, capsys):
    with pytest.raises(SystemExit) as left:
        step(["--select", "silver.orders"])
    assert left.value.code == 1  # its input was never made
    with pytest.raises(SystemExit) as left:
        step(["--select", "silver.nope"])
    assert left.value.code == 1
    assert "LL-RUN-001" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        step(["--env", "nope", "--select", "silver.orders"])
    assert left.value.code == 2


@pytest.mark.parametrize("words", [["--select", "silver.*"], ["--select", "+silver.orders"], ["--select", ""], []])
def test_a_pattern_is_refused(shop, words, capsys):
    with pytest.raises(SystemExit) as left:
        step(words)
    assert left.value.code == 2
    assert "--select" in capsys.readouterr().err


def test_a_step_waits_as_long_as_the_config_says(shop, held, capsys):
    (shop / "conf" / "patient.yml").write_text("wait_s: 600\n")
    threading.Timer(1, lambda: held.communicate("\n")).start()
    with pytest.raises(SystemExit):
        step(["--env", "patient", "--select", "silver.orders"])  # its input was never made
    assert held.poll() == 0
    assert "LL-RUN-002" not in capsys.readouterr().err


def test_without_patience_it_is_refused(shop, held, capsys):
    with pytest.raises(SystemExit) as left:
        step(["--select", "silver.orders"])
    assert left.value.code == 1
    assert "LL-RUN-002" in capsys.readouterr().err
