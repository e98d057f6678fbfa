import json
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from lakeloom.cli.app import app
from lakeloom.flow.journal import Journal
from lakeloom.flow.result import RunResult, StepResult
from lakeloom.store.lake import Lake

PRICES = Path(__file__).resolve().parents[2] / "conf" / "prices"


def call(*words):
    return CliRunner().invoke(app, list(words))


def test_costs_of_what_ran_by_price_files(home):
    assert call("cost", "nope").exit_code == 1
    lake = Lake(home / ".lakeloom")
    journal = Journal(lake, "20260105T000000-1", home / ".lakeloom/runs/20260105T000000-1")
    taken = {"tasks": 4, "task_seconds": 7200.0, "bytes_read": 10, "bytes_written": 5}
    step = StepResult("silver.orders", "transform", "done", "new", seconds=3600.0, resources=taken)
    journal.step(step, 1)
    journal.close(RunResult(journal.run, "done", datetime.now(UTC).isoformat(), 3600.0, (step,)), {}, "shop")
    files = ["--prices", str(PRICES / "on-prem.yml"), "--compare", str(PRICES / "cloud-b.yml")]
    document = json.loads(call("cost", journal.run, "--json", *files).stdout)
    assert set(document) == {"by", "runs", "rows", "total", "prices"}
    first = document["rows"][0]
    assert first["name"] == "silver.orders" and round(first["costs"]["on-prem"]["compute"], 4) == 0.045
    assert [each["name"] for each in document["prices"]] == ["on-prem", "cloud-b"]
    shown = call("cost", *files)
    assert shown.exit_code == 0 and "times the first" in shown.stdout and "example rates" in shown.stdout
    assert call("cost", "--by", "team").exit_code == 2
    assert call("cost", "--since", "soon").exit_code == 2
    assert call("cost", "--prices", "nowhere.yml").exit_code == 2
