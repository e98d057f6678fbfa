"""`lakeloom watch` as a process: a line a run, and an end at once when it is asked for."""

import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lakeloom.api.scaffold import scaffold
from lakeloom.cli.app import app


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    scaffold("shop", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_watch_that_waits_ends_when_it_is_asked_to(shop, sign, code):
    with (shop / "conf" / "base.yml").open("a") as stream:
        stream.write("schedule: {cron: 0 5 1 1 *}\n")
    words = [sys.executable, "-m", "lakeloom.cli", "watch", "--json"]
    process = subprocess.Popen(
        words, cwd=shop, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert process.stderr.readline().startswith("next run at ")
        process.send_signal(sign)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert not (shop / ".lakeloom" / "runs").exists()


def test_each_run_is_one_line_and_the_next_one_does_what_is_new(shop, spark):
    done = CliRunner().invoke(app, ["watch", "bronze.*", "--every", "1s", "--times", "2", "--json"])
    assert done.exit_code == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["status"], first["steps"]) == ("done", {"done": 1})
    assert (second["status"], second["steps"], second["next"]) == ("done", {"skipped": 1}, None)
    assert first["run_id"] < second["run_id"]
    told = CliRunner().invoke(app, ["watch", "bronze.*", "--every", "1s", "--times", "1"])
    assert told.stdout.startswith("due ")
    assert "done (1 skipped)" in told.stdout


def test_a_failed_run_is_told_with_its_error_and_bad_usage_ends_it(shop):
    done = CliRunner().invoke(app, ["watch", "silver.nope", "--every", "1s", "--times", "1"])
    assert done.exit_code == 0
    assert "LL-RUN-001" in done.stdout
    assert CliRunner().invoke(app, ["watch"]).exit_code == 2
    assert CliRunner().invoke(app, ["watch", "--every", "soon"]).exit_code == 2
