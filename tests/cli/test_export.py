"""`lakeloom export`: files, differences and exit codes."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakeloom.cli.app import app

CHECKOUT = Path(__file__).resolve().parents[2]


def call(*words):
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def flights(tmp_path, monkeypatch):
    shutil.copytree(CHECKOUT / "conf", tmp_path / "conf")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_bundle_is_written_checked_and_its_drift_named(flights):
    assert call("export", "databricks", "--check").exit_code == 1
    done = call("export", "databricks")
    assert (done.exit_code, done.stderr) == (0, "")
    assert (flights / "databricks.yml").read_text() == (CHECKOUT / "databricks.yml").read_text()
    assert call("export", "databricks", "--check").stdout == "no difference\n"
    file = flights / "databricks.yml"
    file.write_text(file.read_text().replace("max_retries: 1", "max_retries: 4", 1))
    drifted = call("export", "databricks", "--check")
    assert drifted.exit_code == 1
    assert drifted.stdout == (
        "resources.jobs.flights.tasks[bronze__flights].max_retries: 4 in the file, 1 by the graph\n"
    )
    assert drifted.stderr.startswith("LL-EXPORT-001")
    told = call("export", "databricks", "--check", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["drift"] == [
        {"path": "resources.jobs.flights.tasks[bronze__flights].max_retries", "file": "4", "graph": "1"}
    ]


def test_json_holds_the_text_and_the_file(flights):
    document = json.loads(call("export", "databricks", "--output", "b.yml", "--json").stdout)
    assert set(document) == {"kind", "file", "text"}
    assert (flights / "b.yml").read_text() == document["text"]


def test_an_environment_of_ones_own_is_taken(flights):
    (flights / "conf" / "databricks.yml").rename(flights / "conf" / "azure.yml")
    (flights / "conf" / "flights" / "databricks").rename(flights / "conf" / "flights" / "azure")
    assert call("export", "databricks").exit_code == 2
    assert call("export", "databricks", "--env", "azure").exit_code == 0
    first = (flights / "databricks.yml").read_text().splitlines()[0]
    assert first.startswith("# Written by 'lakeloom export databricks --env azure'.")
    assert "- azure" in (flights / "databricks.yml").read_text()


def test_without_a_section_the_error_says_what_to_write(flights):
    done = call("export", "databricks", "--env", "local")
    assert done.exit_code == 2
    assert done.stderr.startswith("LL-CONF-018")
