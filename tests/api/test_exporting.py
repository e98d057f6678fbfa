"""An export's file: written, never over a stranger's, and compared with the graph difference by difference."""

import shutil
from pathlib import Path

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.errors import ConfigError, ExportError

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def flights(tmp_path):
    """Give the demo project with its bundle, in a home of its own."""
    shutil.copytree(CHECKOUT / "conf", tmp_path / "conf")
    shutil.copy(CHECKOUT / "databricks.yml", tmp_path)
    return tmp_path


def export(home):
    return open_lakehouse(home / "conf" / "flights", "databricks").export("databricks")


def test_a_bundle_edited_by_hand_is_found_out_place_by_place(flights):
    file = flights / "databricks.yml"
    text = file.read_text()
    task = "          task_key: gold__flight_plan\n"
    assert task in text
    edited = text.replace("quartz_cron_expression: 0 0 5 * * ?", "quartz_cron_expression: 0 0 6 * * ?")
    edited = edited.replace("- task_key: tuning__flight_late\n", "- task_key: gold__flight_plan\n")
    edited = edited.replace("hyperopt==0.3.0", "hyperopt", 1).replace("catalog: lakeloom_dev", "catalog: mine")
    file.write_text("# a note of mine\n" + edited)
    job = "resources.jobs.flights."
    assert {(each.path, each.file, each.graph) for each in export(flights).drift()} == {
        (job + "schedule.quartz_cron_expression", "0 0 6 * * ?", "0 0 5 * * ?"),
        (
            job + "tasks[models__flight_late].depends_on[tuning__flight_late]",
            None,
            "{'task_key': 'tuning__flight_late'}",
        ),
        (job + "tasks[models__flight_late].depends_on[gold__flight_plan]", "{'task_key': 'gold__flight_plan'}", None),
        (job + "tasks[tuning__flight_late].libraries[1].pypi.package", "hyperopt", "hyperopt==0.3.0"),
        ("targets.dev.variables.catalog", "mine", "lakeloom_dev"),
    }


def test_a_graph_that_moved_on_is_found_out(flights):
    assert export(flights).drift() == []
    tables = flights / "conf" / "flights" / "tables.yml"
    tables.write_text(
        tables.read_text() + "  gold.copy:\n    from: {silver.planes: whole}\n    sql: select * from silver.planes\n"
    )
    (found,) = export(flights).drift()
    assert found.path == "resources.jobs.flights.tasks[gold__copy]"
    assert found.file is None
    assert export(flights).write() == flights.resolve() / "databricks.yml"
    assert export(flights).drift() == []


def test_a_strangers_file_is_left_alone(flights):
    (flights / "databricks.yml").write_text("bundle: {name: mine}\n")
    with pytest.raises(ExportError, match="LL-EXPORT-003"):
        export(flights).write()
    assert (flights / "databricks.yml").read_text() == "bundle: {name: mine}\n"


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"a: [", b"a: 1\na: 2\n"])
def test_a_file_that_cannot_be_compared_is_told(flights, content):
    file = flights / "databricks.yml"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ExportError, match="LL-EXPORT-004"):
        export(flights).drift()


def test_a_place_that_cannot_be_written_is_told(flights):
    (flights / "taken").write_text("")
    made = open_lakehouse(flights / "conf" / "flights", "databricks").export("databricks", flights / "taken" / "b.yml")
    with pytest.raises(ExportError, match="LL-EXPORT-004"):
        made.write()


def test_unknown_kinds_are_named(flights):
    lake = open_lakehouse(flights / "conf" / "flights")
    with pytest.raises(ConfigError, match="LL-CONF-020") as caught:
        lake.export("databrick")
    assert caught.value.fix == "use 'databricks'"
