import json

from typer.testing import CliRunner

from lakeloom.cli.app import app
from tests.telemetry.log import LOG
from tests.telemetry.parser import parse


def test_a_runs_figures_as_text_and_json(home):
    call = CliRunner().invoke
    assert call(app, ["metrics"]).exit_code == 1
    folder = home / ".lakeloom/runs/20260105T090000-1"
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(event) + "\n" for event in LOG))
    assert ("lakeloom_run_duration_seconds", {"project": "shop", "env": "local"}, 6.0) in parse(
        call(app, ["metrics"]).stdout
    )
    document = json.loads(call(app, ["metrics", folder.name, "--json"]).stdout)
    assert document["run_id"] == folder.name
    assert set(document["samples"][0]) == {"name", "value", "labels", "unit", "help"}
    assert call(app, ["metrics", "nope"]).exit_code == 1
