"""Very many tiny objects of a bucket into bronze: reduced by default, 100,000 among the long tests.

The seconds of each part are in the test's output (``pytest -rP``). Memory is that of the command's own process, as the
system counts it; what it may take over a run of few objects grows with their number alone, and not with its square.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.memory import Watch

LIB = Path(__file__).resolve().parents[2] / "lib"
REPEATED = 100  # each hundredth object has the content of the one before


def content(number):
    return f"id,word\n{number - (number % REPEATED == 1)},w\n".encode()


class Many:
    """A project that lands a bucket's objects, by the command line."""

    def __init__(self, home, bucket):
        self.home, self.bucket = home, bucket
        conf = home / "conf" / "many"
        conf.mkdir(parents=True)
        (home / "conf" / "base.yml").write_text(json.dumps({"project": "many", "stores": bucket.stores}))
        said = {"kind": "files", "path": f"{bucket.root}/in/**/*.csv", "format": "csv", "columns": {"id": "bigint"}}
        (conf / "sources.yml").write_text(json.dumps({"sources": {"tiny": said}}))

    def put(self, *numbers):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda each: self.bucket.put(f"in/{each % 50:02d}/{each:06d}.csv", content(each)), numbers))

    def cli(self, *words):
        """Return what a command says, its seconds, and the largest memory of its Python and of its JVM, in MiB."""
        began = time.monotonic()
        with Watch() as memory:
            done = subprocess.run(
                [sys.executable, "-m", "lakeloom.cli", *words, "--json"], capture_output=True, text=True, check=False,
                cwd=self.home, env=os.environ | {"PYTHONPATH": str(LIB)},
            )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return (
            json.loads(done.stdout),
            round(time.monotonic() - began, 1),
            (round(memory.python_mib), round(memory.jvm_mib)),
        )

    def run(self):
        told, seconds, mib = self.cli("run")
        (step,) = told["steps"]
        return step, seconds, mib


@pytest.mark.parametrize(
    ("count", "limit_s", "limit_mib"),
    [(2_000, 180, 500), pytest.param(100_000, 3600, 1500, marks=[pytest.mark.long, pytest.mark.timeout(7200)])],
    ids=["few", "full"],
)
def test_very_many_tiny_objects(bucket_of, tmp_path, count, limit_s, limit_mib):
    many, took = Many(tmp_path, bucket_of("s3")), {}
    began = time.monotonic()
    many.put(*range(count))
    took["put"] = round(time.monotonic() - began, 1)
    step, took["land"], took["mib"] = many.run()
    repeated = count // REPEATED
    assert (step["status"], step["rows_out"], step["quarantined"]) == ("done", count - repeated, 0)
    step, took["nothing new"], took["nothing new mib"] = many.run()
    assert step["status"] == "skipped"
    many.put(count)
    step, took["one more"], took["one more mib"] = many.run()
    assert (step["status"], step["rows_out"]) == ("done", 1)
    (told,), took["sql"], _ = many.cli("sql", "select count(*) n, count(distinct id) d, sum(id) s from bronze.tiny")
    ids = {number - (number % REPEATED == 1) for number in range(count + 1)}
    assert told == {"n": len(ids), "d": len(ids), "s": sum(ids)}
    print(json.dumps({"objects": count} | took))
    assert took["land"] < limit_s and took["nothing new"] < 10 + count / 2_000, took
    assert took["one more"] < 60 + count / 500, took
    assert max(took[name][0] for name in ("mib", "nothing new mib", "one more mib")) < limit_mib, took
    assert took["nothing new mib"][1] == 0, "nothing new starts no JVM"
    assert took["mib"][1] < 4_000, took
