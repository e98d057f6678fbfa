"""The demo with its tables on S3, Google and Azure: the rows of a local root, nothing to do again, a model that scores.

It is the project of `make demo` over two months: fewer of them, other days where the splits end, three trials,
which a study draws without looking at one another, so that it finds the same parameters whatever takes longer.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

import lakeloom
from tests.scenarios.flights import HOME, Flights
from tests.scenarios.killing import content

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
TWO_MONTHS = {
    "train: ..2013-09-30, valid: ..2013-10-31, test: ..2013-12-31": "train: ..2013-02-05, valid: ..2013-02-15, test: ..2013-02-28",
    "trials: 16": "trials: 3",
}
LAYERS = {"bronze", "silver", "gold", "features", "datasets"}


class Demo(Flights):
    """A project whose root is a folder or an address, for which its config has what the store needs."""

    def told(self, root, *words):
        """Return what `tell` says of a root, in a process of its own.

        delta-rs holds this one while it reads, and the front before Google's emulator could not answer it.
        """
        script = f"import sys; from {__name__} import tell; tell(*sys.argv[1:])"
        more = {"LAKELOOM_HOME": str(root), "LAKELOOM_LANDING": str(self.landing)}
        more |= {"PYTHONPATH": os.pathsep.join(map(str, (HOME / "lib", HOME, HOME / "environment")))}
        done = subprocess.run(
            [sys.executable, "-c", script, str(self.conf), *words],
            env=os.environ | more, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    def reach(self, bucket):
        """Let the config say how a bucket is reached."""
        base = self.conf.parent / "base.yml"
        kept = "".join(line for line in base.read_text().splitlines(True) if not line.startswith("stores:"))
        base.write_text(kept + f"stores: {json.dumps(bucket.stores)}\n")

    def statuses(self, root):
        """Run the project on a root; return step → status."""
        process = self.start(root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said, complained = process.communicate(timeout=1500)
        assert process.returncode == 0, complained[-3000:] + said[-3000:]
        return {step["name"]: step["status"] for step in json.loads(said)["steps"]}


def tell(conf, model="", dataset="", scores=""):
    """Print what the tables hold, columns of the run aside; and of a model how well its scores stand there."""
    lake = lakeloom.open(conf)
    said = {"rows": content(lake.project.root)}
    if model:
        found = lake.model(model)
        given = found.predict(lake.table(dataset).arrow().sort_by("_row")).tolist()
        there = lake.table(scores).arrow().sort_by("_row").column("score").to_pylist()
        said |= {"scores": [given, there], "roc_auc": found.metrics["test"]["roc_auc"]}
    print(json.dumps(said))


@pytest.fixture(scope="module")
def winter(tmp_path_factory):
    """Give the demo over two months, its landing folder laid out."""
    home = tmp_path_factory.mktemp("demo")
    shutil.copytree(HOME / "conf", home / "conf")
    models = home / "conf" / "flights" / "models.yml"
    text = models.read_text()
    for said, instead in TWO_MONTHS.items():
        assert text.count(said) == 1
        text = text.replace(said, instead)
    models.write_text(text)
    script = [sys.executable, HOME / "conf" / "flights" / "landing.py", "--months", "2", "--to", home / "landing"]
    subprocess.run(list(map(str, script)), check=True, timeout=120, capture_output=True)
    return Demo(home / "conf" / "flights", home / "landing")


@pytest.fixture(scope="module")
def on_a_disk(winter, tmp_path_factory):
    """Give what the tables hold where the root is a folder."""
    root = tmp_path_factory.mktemp("local") / "lake"
    assert set(winter.statuses(root).values()) == {"done"}
    return winter.told(root)["rows"]


@pytest.mark.parametrize("kind", ["s3", "gs", "abfss"])
def test_the_demo_with_its_tables_on_a_bucket(kind, winter, on_a_disk, bucket_of):
    bucket = bucket_of(kind)
    winter.reach(bucket)
    root = f"{bucket.root}/demo"
    first = winter.statuses(root)
    assert len(first) == 28 and set(first.values()) == {"done"}
    assert winter.statuses(root) == dict.fromkeys(first, "skipped")
    told = winter.told(root, "flight_late", "datasets.late_flights", "gold.flight_late_scores")
    found = told["rows"]
    assert {table.partition(".")[0] for table in found} >= LAYERS and found["silver.flights"][0] > 50_000
    differ = {table for table in found.keys() | on_a_disk.keys() if found.get(table) != on_a_disk.get(table)}
    assert differ == set()
    given, there = told["scores"]
    assert len(there) == len(given) > 0 and there == pytest.approx(given, abs=1e-6)
    assert told["roc_auc"] > 0.6
