"""The scaffold of ``init`` from landing to gold with real Spark, by the command line and by a job."""

import json

import pytest
from typer.testing import CliRunner

from lakeloom.cli.app import app
from lakeloom.cli.job import main


def call(*words):
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def shop(tmp_path, monkeypatch, spark):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    assert call("init", "shop").exit_code == 0
    return tmp_path


def test_a_first_run_a_second_run_and_a_failure_that_is_mended(shop):
    done = call("run")
    assert done.exit_code == 0, done.stderr
    assert "quarantined" in done.stdout
    assert "lakeloom show gold.daily_orders" in done.stdout
    assert "✓ silver.orders: 5 rows, 1 quarantined" in done.stderr
    assert len(list((shop / ".lakeloom/runs").glob("*/report.html"))) == 1

    again = call("run", "--json")
    assert again.exit_code == 0
    document = json.loads(again.stdout)
    assert [step["status"] for step in document["steps"]] == ["skipped"] * 3
    assert set(document) == {"run_id", "status", "steps"}

    sql = shop / "conf/shop/sql/silver_orders.sql"
    sound = sql.read_text()
    sql.write_text(sound.replace("trim(country)", "assert_true(order_id < 0)"))
    failed = call("run", "--json")
    assert failed.exit_code == 1
    assert [step["status"] for step in json.loads(failed.stdout)["steps"]] == ["skipped", "failed", "blocked"]

    sql.write_text(sound.replace("trim(country)", "upper(trim(country))"))
    mended = call("retry", "--json")
    assert mended.exit_code == 0, mended.stdout + mended.stderr
    assert [step["name"] for step in json.loads(mended.stdout)["steps"]] == ["silver.orders", "gold.daily_orders"]
    assert json.loads(call("runs", "--json").stdout)[0]["status"] == "done"
    assert call("logs").exit_code == 0


def test_a_job_runs_the_steps_of_its_kind(shop, capsys):
    with pytest.raises(SystemExit) as left:
        main("land", ["--conf", "shop", "--select", "+gold.*"])
    assert left.value.code == 0
    assert [step["name"] for step in json.loads(capsys.readouterr().out)["steps"]] == ["bronze.orders"]
    with pytest.raises(SystemExit) as left:
        main("train", [])
    assert left.value.code == 1
    assert "LL-RUN-001" in capsys.readouterr().err
