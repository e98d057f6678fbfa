"""A standalone cluster against one machine: the same tables, also where executors are killed in every kind of step."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from lakeloom.store.intents import Intents
from lakeloom.store.lake import Lake
from tests.scenarios.flights import HOME
from tests.scenarios.flights import lay_out as lay_out_flights
from tests.scenarios.killing import content
from tests.scenarios.standalone import HOST, Standalone, wait_for
from tests.trips import lay_out as lay_out_trips

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]
ESTIMATOR = "estimator: {kind: tabular_net, width: 8, layers: 1}\n"
TRAIN = "    train: {kind: horovod, workers: 2, epochs: 3, batch: 64, seed: 5, start_timeout_s: 30}"
RUN_BOUND = {"gold.trip_scores"}  # its parameters come from a study, whose proposals depend on timing


class Cluster(Standalone):
    """The cluster, and the command line pointed at it."""

    def start(self, conf: Path, root: Path, *words: str, env: str = "cluster", **more: str) -> subprocess.Popen[str]:
        """Start a command of `lakeloom` on a storage root."""
        command = [sys.executable, "-m", "lakeloom.cli", *words, "--conf", str(conf), "--env", env, "--json"]
        environment = os.environ | {
            "LAKELOOM_HOME": str(root),
            "LAKELOOM_MASTER": self.master,
            "PYTHONPATH": str(HOME / "lib"),
            "SPARK_LOCAL_IP": HOST,
        }
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # Under a name of its own it is ended with the cluster, should a test fail before its end.
        name = f"run-{len(self.processes)}-{root.parent.name}"
        self.processes[name] = subprocess.Popen(command, env=environment | more, **pipes)
        return self.processes[name]

    def finish(self, conf: Path, root: Path, *words: str, env: str = "cluster", **more: str) -> dict:
        """Run a command to its end; it must end well."""
        process = self.start(conf, root, *words, env=env, **more)
        said, complained = process.communicate(timeout=600)
        assert process.returncode == 0, complained[-3000:] + said[-3000:]
        return json.loads(said)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")
def trips(tmp_path_factory):
    """Give a project whose network is trained by Horovod on two workers, with parameters that are fixed."""
    conf = lay_out_trips(tmp_path_factory.mktemp("trips-cluster"))
    shutil.copy(HOME / "conf" / "cluster.yml", conf / "cluster.yml")
    models = conf / "trips" / "models.yml"
    text = models.read_text().replace("estimator: {kind: logistic}\n", ESTIMATOR + TRAIN + "\n")
    models.write_text(text.replace("space: {strength: {log: [0.01, 1.0]}}", "space: {lr: {log: [0.001, 0.01]}}"))
    return conf


@pytest.fixture(scope="module")
def local(cluster, trips, tmp_path_factory):
    root = tmp_path_factory.mktemp("local") / "root"
    cluster.finish(trips, root, "run", env="local")
    return {table: found for table, found in content(root).items() if table not in RUN_BOUND}


def comparable(root):
    return {table: found for table, found in content(root).items() if table not in RUN_BOUND}


def events(root):
    logs = sorted(root.glob("runs/*/log.jsonl"))
    return [json.loads(line) for line in logs[-1].read_text().splitlines()] if logs else []


def started(root):
    return {event["step"] for event in events(root) if event["event"] == "step started"}


def ended(process):
    return process.poll() is not None


def test_every_table_of_the_flights_project_is_equal_to_the_local_one(cluster, tmp_path):
    flights = lay_out_flights(tmp_path / "project")
    selected = ["run", "+datasets.late", "+silver.planes"]
    for env in ("cluster", "local"):
        cluster.finish(flights.conf, tmp_path / env, *selected, env=env, LAKELOOM_LANDING=str(flights.landing))
    assert content(tmp_path / "cluster") == content(tmp_path / "local")


def test_training_tuning_and_scores_run_on_two_executors_and_nothing_changes_in_a_second_run(
    cluster, trips, local, tmp_path
):
    root, seen = tmp_path / "root", {}
    process = cluster.start(trips, root, "run")
    wait_for(lambda: ended(process) or "models.trip_late" in started(root), "the training starts", 400)
    while process.poll() is None:
        # One core an executor: an executor that runs a worker of Horovod runs no other.
        for executor, worker in cluster.executors().items():
            if horovod_below(executor):
                seen[worker] = executor
    assert process.wait() == 0, process.stderr.read()[-2000:]
    assert len(seen) == 2, seen
    assert comparable(root) == local
    again = cluster.finish(trips, root, "run")
    assert {step["status"] for step in again["steps"]} == {"skipped"}


def test_an_executor_killed_in_every_step_changes_no_row(cluster, trips, local, tmp_path):
    root, chance, killed = tmp_path / "root", random.Random(20130101), []
    process = cluster.start(trips, root, "run")
    wanted = ["bronze.trips", "silver.trips", "features.lines", "datasets.late_trips", "tuning.trip_late",
              "models.trip_late", "gold.trip_scores"]  # fmt: skip
    for step in wanted:
        wait_for(lambda step=step: ended(process) or step in started(root), f"{step} starts", 400)
        wait_for(lambda: ended(process) or cluster.executors(), "an executor is there", 60)
        if step == "models.trip_late":
            wait_for(lambda: ended(process) or any(map(horovod_below, cluster.executors())), "Horovod is at work", 120)
        executor = chance.choice(sorted(cluster.executors()))
        os.kill(executor, signal.SIGKILL)
        killed.append(step)
    said, complained = process.communicate(timeout=600)
    assert process.returncode == 0, complained[-3000:]
    assert killed == wanted
    assert {step["status"] for step in json.loads(said)["steps"]} == {"done"}
    assert comparable(root) == local
    trained = Intents(root).published("models.trip_late").facts
    assert trained["evaluation"]["models"]["trip_late"]["splits"]["test"]["roc_auc"] > 0.7


def test_the_killed_tasks_were_really_lost(cluster):
    assert "exited with code 137" in cluster.log("worker-1") + cluster.log("worker-2")


def horovod_below(process):
    """Return whether a process or one of its descendants is a worker of Horovod."""
    from tests.scenarios.standalone import children

    todo = [process]
    while todo:
        current = todo.pop()
        try:
            if b"horovod" in Path(f"/proc/{current}/cmdline").read_bytes():
                return True
        except OSError:
            continue
        todo += children(current)
    return False


def test_the_master_restarted_in_a_run_and_the_run_goes_on(cluster, trips, local, tmp_path):
    root = tmp_path / "root"
    process = cluster.start(trips, root, "run", "+datasets.late_trips")
    wait_for(lambda: ended(process) or "silver.trips" in started(root), "silver starts", 400)
    cluster.kill("master")
    cluster.start_master()
    _said, complained = process.communicate(timeout=600)
    assert process.returncode == 0, complained[-3000:]
    found = comparable(root)
    assert found and found == {table: rows for table, rows in local.items() if table in found}


def test_by_spark_submit_the_same_steps_make_the_same_tables(cluster, trips, local, tmp_path):
    from lakeloom.session.settings import jars_home

    root, jars = tmp_path / "root", ",".join(str(jar) for jar in sorted(jars_home().glob("*.jar")))
    submit = [str(Path(sys.executable).with_name("spark-submit")), "--master", cluster.master, "--jars", jars]
    for job in ("land", "transform"):
        words = [str(HOME / "jobs" / f"{job}.py"), "--conf", str(trips), "--env", "cluster"]
        done = subprocess.run(
            [*submit, *words],
            env=os.environ | {"LAKELOOM_HOME": str(root), "SPARK_LOCAL_IP": HOST, "PYSPARK_PYTHON": sys.executable},
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
        assert {step["status"] for step in json.loads(done.stdout.splitlines()[-1])["steps"]} == {"done"}
    found = comparable(root)
    assert set(found) == {"bronze.trips", "silver.trips"}
    assert found == {table: local[table] for table in found}


def test_a_worker_lost_for_good_leaves_too_few_slots_for_horovod_and_that_is_said(cluster, trips, tmp_path):
    root = tmp_path / "root"
    process = cluster.start(trips, root, "run")
    wait_for(lambda: ended(process) or "silver.trips" in started(root), "silver starts", 400)
    cluster.kill("worker-2")
    said, _complained = process.communicate(timeout=600)
    steps = {step["name"]: step for step in json.loads(said)["steps"]}
    assert process.returncode == 1
    assert {name for name, step in steps.items() if step["status"] == "failed"} == {"models.trip_late"}
    assert steps["models.trip_late"]["error"]["code"] == "LL-TRAIN-002"
    assert "2 free slots" in steps["models.trip_late"]["error"]["fix"]
    cluster.start_worker(2)
    again = cluster.finish(trips, root, "retry")
    assert {step["status"] for step in again["steps"]} == {"done"}


def test_a_worker_whose_clock_is_a_day_ahead_changes_no_row(trips, local, tmp_path):
    root, tomorrow = tmp_path / "root", datetime.now(UTC).date() + timedelta(days=1)
    place = Path(find_spec("libfaketime").origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    # The JVM waits by the monotonic clock: moved under it, or mended for an old C library, it would wait ten times as long.
    monotonic = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
    ahead = {"LD_PRELOAD": str(place), "FAKETIME": "+1d"} | monotonic
    with Cluster(tmp_path / "shifted") as shifted:
        for number in (1, 2):
            shifted.end(f"worker-{number}")
            shifted.start_worker(number, ahead)
        shifted.finish(trips, root, "run")
        said = shifted.log("worker-1")
    # The executors' own log says their time: the clock was really another one.
    day = tomorrow.strftime("%y/%m/%d")
    assert f"{day} " in said
    executors = [path.read_text(errors="replace") for path in (tmp_path / "shifted").glob("worker-*/*/*/stderr")]
    assert executors and all(day in text for text in executors if text)
    assert comparable(root) == local
    ages = [datetime.fromisoformat(entry["timestamp"]).date() for entry in Lake(root).history("silver.trips")]
    assert max(ages) < tomorrow
