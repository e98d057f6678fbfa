"""`lakeloom-step`: exactly one step, and patience where another run holds the storage root."""

import json
import threading

import pytest

from lakeloom.cli.job import step
from tests.holding import held


@pytest.fixture
def holder(scaffolded):
    with held(scaffolded / ".lakeloom") as process:
        yield process


def test_one_step_runs_and_going_well_is_no_exit(scaffolded, spark, capsys):
    assert step(["--conf", "conf/shop", "--select", "bronze.orders"]) is None
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["steps"]] == ["bronze.orders"]


def test_what_went_wrong_is_an_exit_code(scaffolded, capsys):
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
def test_a_pattern_is_refused(scaffolded, words, capsys):
    with pytest.raises(SystemExit) as left:
        step(words)
    assert left.value.code == 2
    assert "--select" in capsys.readouterr().err


def test_a_step_waits_as_long_as_the_config_says(scaffolded, holder, capsys):
    (scaffolded / "conf" / "patient.yml").write_text("wait_s: 600\n")
    threading.Timer(1, holder.stdin.close).start()
    with pytest.raises(SystemExit):
        step(["--env", "patient", "--select", "silver.orders"])  # its input was never made
    assert holder.wait(timeout=20) == 0
    assert "LL-RUN-002" not in capsys.readouterr().err


def test_without_patience_it_is_refused(scaffolded, holder, capsys):
    with pytest.raises(SystemExit) as left:
        step(["--select", "silver.orders"])
    assert left.value.code == 1
    assert "LL-RUN-002" in capsys.readouterr().err
