"""Spark Connect, on a real server: the data path gives the local tables; what needs Spark's own driver is refused."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.scenarios.connect_server import ConnectServer
from tests.scenarios.flights import HOME
from tests.scenarios.flights import lay_out as lay_out_flights
from tests.scenarios.killing import content
from tests.scenarios.standalone import free_port, wait_for
from tests.trips import lay_out as lay_out_trips

# Beside the tuned model: one that needs no driver, with scores, and one that needs Horovod's.
MORE = """\
  plain:
    dataset: late_trips
    estimator: {kind: logistic, strength: 0.1}
    scores: gold.plain_scores
  spread:
    dataset: late_trips
    estimator: {kind: tabular_net, width: 8, layers: 1}
    train: {kind: horovod, workers: 2, epochs: 1, batch: 64}
"""
# A user's own session, which lakeloom is to use as it is: `run` from a notebook on serverless compute.
NOTEBOOK = """\
import sys
from pyspark.sql import SparkSession
import lakeloom

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.sql.shuffle.partitions", "3")
lake = lakeloom.open(sys.argv[2])
assert lake.run("+features.lines").status == "done"
assert lake.table("silver.trips").spark().count() == 900
assert lake.sql("select count(*) as n from silver.trips", engine="spark").to_pylist() == [{"n": 900}]
assert spark.conf.get("spark.sql.shuffle.partitions") == "3"
from pyspark import SparkContext
assert SparkContext._active_spark_context is None
"""


def command(conf, root, address, *words, **more):
    """Return how a command of `lakeloom` is started on a storage root."""
    started = [sys.executable, "-m", "lakeloom.cli", *words, "--conf", str(conf), "--env", "connect", "--json"]
    environment = os.environ | {"LAKELOOM_HOME": str(root), "LAKELOOM_REMOTE": address} | more
    return {"args": started, "env": environment | {"PYTHONPATH": str(HOME / "lib")}, "text": True}


def lakeloom(conf, root, address, *words, **more):
    """Run a command of `lakeloom` to its end: exit status, document, and what it wrote to standard error."""
    done = subprocess.run(**command(conf, root, address, *words, **more), capture_output=True, timeout=600)
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


def steps(document):
    return {step["name"]: step for step in document["steps"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ConnectServer(tmp_path_factory.mktemp("connect")) as started:
        yield started


@pytest.fixture(scope="module")
def trips(tmp_path_factory):
    conf = lay_out_trips(tmp_path_factory.mktemp("trips-connect"))
    shutil.copy(HOME / "conf" / "connect.yml", conf / "connect.yml")
    models = conf / "trips" / "models.yml"
    models.write_text(models.read_text() + MORE)
    return conf


def test_the_data_path_gives_the_local_tables_and_only_what_needs_a_driver_is_refused(server, trips, trained, tmp_path):
    status, document, complained = lakeloom(trips, tmp_path / "root", server.address, "run")
    assert status == 1
    assert "arning" not in complained and "Traceback" not in complained
    found = steps(document)
    refused = {name for name, step in found.items() if step["status"] == "failed"}
    assert refused == {"tuning.trip_late", "models.spread"}
    assert {found[name]["error"]["code"] for name in refused} == {"LL-SETUP-010"}
    assert found["models.plain"]["status"] == found["gold.plain_scores"]["status"] == "done"
    assert found["gold.plain_scores"]["rows_out"] == 900
    here, there = content(trained[0].root), content(tmp_path / "root")
    data = {"bronze.trips", "silver.trips", "features.lines", "datasets.late_trips"}
    assert {name: there[name] for name in data} == {name: here[name] for name in data}
    status, again, _ = lakeloom(trips, tmp_path / "root", server.address, "run", "+gold.plain_scores")
    assert status == 0
    assert {step["status"] for step in again["steps"]} == {"skipped"}


def test_a_session_of_a_notebook_is_used_as_it_is_and_no_jvm_is_started(server, trips, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "SPARK_REMOTE"}
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, server.address, str(trips)], capture_output=True, text=True, timeout=300,
        env=environment | {"LAKELOOM_HOME": str(tmp_path / "root"), "PYTHONPATH": str(HOME / "lib"), "JAVA_HOME": "/"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_broken_value_shows_nowhere_and_its_step_is_coded(server, trips, tmp_path):
    conf = tmp_path / "conf"
    shutil.copytree(trips, conf)
    shutil.copytree(trips.parent / "in", tmp_path / "in")
    tables = conf / "trips" / "tables.yml"
    tables.write_text(tables.read_text().replace("try_cast(late as double)", "cast(late as double)"))
    status, document, complained = lakeloom(conf, tmp_path / "root", server.address, "run", "+silver.trips")
    assert status == 1
    assert steps(document)["silver.trips"]["error"]["code"] == "LL-TABLE-005"
    log = "".join(path.read_text() for path in (tmp_path / "root" / "runs").glob("*/log.jsonl"))
    assert "'NA'" not in json.dumps(document) + complained + log


def test_where_no_server_answers_the_step_says_so_and_the_token_shows_nowhere(trips, tmp_path):
    address = f"sc://127.0.0.1:{free_port()}/;token=t0psecret"
    status, document, complained = lakeloom(trips, tmp_path / "root", address, "run", "bronze.trips")
    assert status == 1
    assert steps(document)["bronze.trips"]["error"]["code"] == "LL-SETUP-001"
    log = "".join(path.read_text() for path in (tmp_path / "root" / "runs").glob("*/log.jsonl"))
    assert "t0psecret" not in json.dumps(document) + complained + log


def test_a_malformed_address_is_refused(trips, tmp_path):
    status, document, _ = lakeloom(trips, tmp_path / "root", "127.0.0.1:15002", "run", "bronze.trips")
    assert status == 1
    assert steps(document)["bronze.trips"]["error"]["code"] == "LL-CONF-004"


def test_a_server_without_delta_is_refused(trips, tmp_path):
    with ConnectServer(tmp_path / "bare", settings={}) as bare:
        status, document, _ = lakeloom(trips, tmp_path / "root", bare.address, "run", "bronze.trips")
    assert status == 1
    assert steps(document)["bronze.trips"]["error"]["code"] == "LL-SETUP-002"


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_every_table_of_the_flights_project_is_equal_to_the_local_one(server, tmp_path):
    flights = lay_out_flights(tmp_path / "project")
    selected = ["run", "+datasets.late", "+silver.planes"]
    # First here: the server's JVM keeps the embedded database open.
    flights.finish(tmp_path / "here", *selected[1:])
    landing = {"LAKELOOM_LANDING": str(flights.landing)}
    status, document, complained = lakeloom(flights.conf, tmp_path / "there", server.address, *selected, **landing)
    assert status == 0, (document, complained)
    assert content(tmp_path / "there") == content(tmp_path / "here")


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_a_server_killed_in_a_run_costs_that_run_and_the_next_one_goes_on(trips, trained, tmp_path):
    root, selected = tmp_path / "root", ["run", "+datasets.late_trips"]
    with ConnectServer(tmp_path / "server") as server:
        process = subprocess.Popen(
            **command(trips, root, server.address, *selected), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        silver = root / "tables" / "silver" / "trips" / "_delta_log"
        wait_for(lambda: process.poll() is not None or any(silver.glob("*.json")), "silver is committed", 120)
        server.kill()
        server.start()
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 1
        errors = [step["error"]["code"] for step in json.loads(said)["steps"] if step["status"] == "failed"]
        assert errors == ["LL-RUN-009"], said
        status, document, complained = lakeloom(trips, root, server.address, *selected)
        assert status == 0, (document, complained)
    here, there = content(trained[0].root), content(root)
    assert {name: here[name] for name in there} == there
    assert "datasets.late_trips" in there
