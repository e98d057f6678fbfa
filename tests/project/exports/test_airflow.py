"""The DAG: it compiles without Airflow; a real Airflow loads it, finds the graph's graph in it, and runs it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.api.scaffold import scaffold
from lakeloom.config.load import read
from lakeloom.project.check import checked
from lakeloom.project.exports.airflow import dag
from lakeloom.project.exports.tasks import Asked, tasks
from tests.airflow import interpreter
from tests.shop import lay_out

CHECKOUT = Path(__file__).resolve().parents[3]
LOAD = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1])
print(json.dumps({
    "errors": bag.import_errors,
    "dags": {name: {
        "edges": {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks},
        "timezone": str(dag.timezone), "schedule": str(dag.schedule), "catchup": dag.catchup,
        "at_once": [dag.max_active_runs, dag.max_active_tasks], "paused": dag.is_paused_upon_creation,
        "retries": sorted({task.retries for task in dag.tasks}),
        "waits_s": sorted({task.retry_delay.total_seconds() for task in dag.tasks}),
        "limits_s": sorted({task.execution_timeout.total_seconds() for task in dag.tasks}),
        "params": {key: dag.params[key] for key in dag.params},
    } for name, dag in bag.dags.items()},
}))
"""


def literal(text, name):
    """Return the value of a literal that the file assigns or passes under `name`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.AnnAssign) and node.target.id == name:
            return ast.literal_eval(node.value)
        if isinstance(node, ast.keyword) and node.arg == name and isinstance(node.value, ast.Constant | ast.Dict):
            return ast.literal_eval(node.value)
    raise AssertionError(f"no literal {name}")


def text(conf, env=None, **asked):
    made = dag(checked(read(conf, env)), Asked(**asked))
    compile(made, "dag.py", "exec")
    return made


@pytest.fixture
def conf(tmp_path):
    return lay_out(tmp_path)


def test_steps_and_needs_are_the_graphs():
    conf = CHECKOUT / "conf" / "flights"
    found = literal(text(conf), "STEPS")
    assert found == {each.name: list(each.needs) for each in tasks(checked(read(conf)))}
    assert found["models.flight_late"] == ["datasets.late_flights", "tuning.flight_late"]


def test_schedule_and_terms_are_the_configs(conf):
    with (conf / "base.yml").open("a") as stream:
        stream.write("schedule: {cron: 0 5 * * 1-5, timezone: Europe/Oslo, retries: 4, retry_after: 2 minutes}\n")
    made = text(conf)
    assert literal(made, "schedule") == "0 5 * * 1-5"
    assert literal(made, "is_paused_upon_creation") is False
    assert literal(made, "params") == {"conf": "conf/shop", "env": "local"}
    assert 'tzinfo=ZoneInfo("Europe/Oslo")' in made
    assert '"retries": 4,' in made
    assert '"retry_delay": timedelta(seconds=120),' in made


def test_without_a_schedule_it_runs_when_somebody_starts_it(conf):
    made = text(conf)
    assert literal(made, "schedule") is None
    assert literal(made, "is_paused_upon_creation") is True


def test_what_varies_never_becomes_text_of_a_command(conf):
    (conf / "a b; rm -rf $(x).yml").write_text("seed: 8\n")
    made = text(conf, "a b; rm -rf $(x)")
    (command,) = [node.value.value for node in ast.walk(ast.parse(made))
                  if isinstance(node, ast.keyword) and node.arg == "bash_command"]  # fmt: skip
    assert command == 'lakeloom run "$LAKELOOM_STEP" --conf "$LAKELOOM_CONF" --env "$LAKELOOM_ENV"'
    assert literal(made, "params")["env"] == "a b; rm -rf $(x)"


def test_the_file_finds_its_project_and_says_how_it_was_written(conf):
    lake = open_lakehouse(conf / "shop")
    made = lake.export("airflow")
    assert made.file == conf.parent.resolve() / "dags" / "shop.py"
    assert made.write().read_text() == made.text
    assert '(Path(__file__).parent / "..").resolve()' in made.text
    assert made.text.splitlines()[2].startswith("Written by 'lakeloom export airflow'.")
    elsewhere = lake.export("airflow", conf.parent / "a" / "b" / "dag.py")
    assert '(Path(__file__).parent / "../..").resolve()' in elsewhere.text
    assert str(conf.parent) not in made.text + elsewhere.text


def test_drift_is_told_by_line(conf):
    made = open_lakehouse(conf / "shop").export("airflow")
    file = made.write()
    assert made.drift() == []
    file.write_text(file.read_text().replace('"retries": 1', '"retries": 9'))
    (found,) = made.drift()
    assert (found.file, found.graph) == ('        "retries": 9,', '        "retries": 1,')


def airflow(home, *words):
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("LAKELOOM_", "AIRFLOW_", "PYTHON"))
    }
    env = own | {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(words, cwd=home, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


@pytest.mark.long
def test_a_real_airflow_finds_the_same_graph_in_it(tmp_path):
    lake = open_lakehouse(CHECKOUT / "conf" / "flights")
    lake.export("airflow", tmp_path / "dags" / "flights.py").write()
    (tmp_path / "dags" / "broken.py").write_text("from airflow.sdk import DAG\nraise ValueError('broken')\n")
    found = json.loads(airflow(tmp_path, interpreter(), "-c", LOAD, tmp_path / "dags").splitlines()[-1])
    assert [name.rpartition("/")[2] for name in found["errors"]] == ["broken.py"]  # errors would be seen
    assert found["dags"] == {
        "flights": {
            "edges": {each.name: sorted(each.needs) for each in tasks(lake.project)},
            "timezone": "America/New_York",
            "schedule": "0 5 * * *",
            "catchup": False,
            "at_once": [1, 1],
            "paused": False,
            "retries": [1],
            "waits_s": [300.0],
            "limits_s": [21600.0],
            "params": {"conf": "conf/flights", "env": "local"},
        }
    }


@pytest.mark.long
def test_a_real_airflow_runs_it(tmp_path):
    scaffold("shop", tmp_path)
    lake = open_lakehouse(tmp_path / "conf" / "shop")
    lake.export("airflow").write()
    program = interpreter().parent / "airflow"
    airflow(tmp_path, program, "db", "migrate")
    airflow(tmp_path, program, "dags", "test", "shop")
    assert {each.name: each.rows for each in lake.tables() if each.layer != "meta"} == {
        "bronze.orders": 6,
        "silver.orders": 5,
        "gold.daily_orders": 4,
        "quarantine.silver__orders": 1,
    }
    assert len(lake.runs()) == 3  # a run a task
