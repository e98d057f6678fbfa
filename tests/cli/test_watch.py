"""`lakeloom watch` as a process: a line a run, and an end at once when it is asked for."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.cli.app import app


@contextmanager
def watching(scaffolded, *words):
    """Give the process of a watch; it takes Ctrl-C also where this test run was started in the background."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lakeloom.cli", "watch", "--json", *words],
        cwd=scaffolded, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_watch_that_waits_ends_when_it_is_asked_to(scaffolded, sign, code):
    with (scaffolded / "conf" / "base.yml").open("a") as stream:
        stream.write("schedule: {cron: 0 5 1 1 *}\n")
    with watching(scaffolded) as process:
        assert process.stderr.readline().startswith("next run at ")
        process.send_signal(sign)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert not (scaffolded / ".lakeloom" / "runs").exists()


@pytest.mark.long
def test_a_run_that_is_going_on_is_stopped_and_the_next_one_goes_on(scaffolded):
    with watching(scaffolded, "--every", "1d") as process:
        assert process.stderr.readline().strip().startswith("bronze.orders:")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert json.loads(out)["status"] == "stopped"
    assert "Traceback" not in err
    with watching(scaffolded, "--every", "1d", "--times", "1") as process:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    steps = json.loads(out)["steps"]
    assert (set(steps) <= {"done", "skipped"}, sum(steps.values())) == (True, 3)
    assert {each.name: each.rows for each in open_lakehouse().tables()}["bronze.orders"] == 6


def test_each_run_is_one_line_and_the_next_one_does_what_is_new(scaffolded, spark):
    done = CliRunner().invoke(app, ["watch", "bronze.*", "--every", "1s", "--times", "2", "--json"])
    assert done.exit_code == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["status"], first["steps"]) == ("done", {"done": 1})
    assert (second["status"], second["steps"], second["next"]) == ("done", {"skipped": 1}, None)
    assert first["run_id"] < second["run_id"]
    told = CliRunner().invoke(app, ["watch", "bronze.*", "--every", "1s", "--times", "1"])
    assert told.stdout.startswith("due ")
    assert "done (1 skipped)" in told.stdout


def test_a_failed_run_is_told_with_its_error_and_bad_usage_ends_it(scaffolded):
    done = CliRunner().invoke(app, ["watch", "silver.nope", "--every", "1s", "--times", "1"])
    assert done.exit_code == 0
    assert "LL-RUN-001" in done.stdout
    assert CliRunner().invoke(app, ["watch"]).exit_code == 2
    assert CliRunner().invoke(app, ["watch", "--every", "soon"]).exit_code == 2
