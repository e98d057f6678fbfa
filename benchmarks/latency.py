"""End to end in near real time: from the arrival of a file or of rows to the commit of the tables made of them.

`lakeloom watch` runs as a user starts it. A thousand rows arrive at moments that have nothing to do with when it looks,
again and again; the first arrivals, while the JVM is cold, are left out. Two clocks are read: the platform's own
figure, which it keeps of every run, and the time until the watch's line is there, which includes the run's end.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.process import LAKELOOM
from benchmarks.result import Result, Table, Target

ARRIVALS, COLD, ROWS = 20, 4, 1000
KINDS = ("files", "jdbc")
TABLES = """\
tables:
  silver.orders:
    from: {bronze.orders: new}
    sql: select id, customer, amount, updated_at, _position from bronze.orders
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    rules: [{column: amount, expect: values_between, min: 0, max: 10000, otherwise: quarantine}]
  gold.by_customer:
    from: {silver.orders: whole}
    sql: select customer, count(*) as orders, sum(amount) as amount from silver.orders group by customer
"""


@dataclass(frozen=True)
class Taken:
    """One arrival: seconds to each table's commit as the platform keeps them, and until the watch's line was there."""

    silver_s: float
    gold_s: float
    line_s: float


def measure() -> Result:
    """Measure each kind; ``LAKELOOM_ARRIVALS`` gives another number of arrivals."""
    count = int(os.environ.get("LAKELOOM_ARRIVALS", ARRIVALS))
    found: dict[str, list[Taken]] = {}
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder, _source(kind, Path(folder)) as source:
            if source is not None:
                found[kind] = _watched(Path(folder), *source, count)
    return result(found)


def result(found: dict[str, list[Taken]]) -> Result:
    """Return the page's facts."""
    figures: dict[str, float] = {}
    rows = []
    for kind, taken in found.items():
        for name in ("silver_s", "gold_s", "line_s"):
            values = sorted(getattr(each, name) for each in taken)
            figures[f"{kind}_{name}"] = round(median(values), 2)
            figures[f"{kind}_{name[:-2]}_worst_s"] = round(values[-1], 2)
        own = [figures[f"{kind}_{name}"] for name in ("silver_s", "silver_worst_s", "gold_s", "gold_worst_s", "line_s")]
        rows.append((kind, str(len(taken)), *(f"{value:.2f}" for value in own)))
    labels = {"files": "a file's rows", "jdbc": "a database's rows"}
    return Result(
        "latency",
        "From arrival to commit",
        figures,
        tuple(Target(f"{kind}_silver_s", 10.0, label=f"{labels[kind]} in silver, median") for kind in found),
        tables=(
            Table(
                f"Seconds from the arrival of {ROWS:,} rows, `lakeloom watch` looking every second",
                ("source", "arrivals", "silver", "longest", "gold", "longest", "line of the watch"),
                tuple(rows),
            ),
        ),
        notes=(
            "Silver is merged by key and judged by a rule, gold added up anew from all of silver. The first "
            f"{COLD} arrivals, while the JVM is cold, are left out. A file has arrived when it was moved into its "
            "folder, a row when its database stamped it (PostgreSQL's clock_timestamp).",
        ),
    )


@contextmanager
def _source(kind: str, folder: Path) -> Iterator[tuple[str, Callable[[int], None]] | None]:
    """Give a source's entry, and what lets rows arrive there; None where its server is not on this machine."""
    if kind == "files":
        landing = folder / "landing"
        landing.mkdir()

        def put(number: int) -> None:
            draft = folder / "draft.csv"
            draft.write_text("id,customer,amount,updated_at\n" + "".join(map(_line, _orders(number))))
            draft.rename(landing / f"{number:04d}.csv")

        columns = "{id: bigint, customer: int, amount: double, updated_at: timestamp}"
        words = f"kind: files, path: {landing}/*.csv, format: csv, columns: {columns}"
        yield f"{{{words}, when: {{files arrive: 1 second}}}}", put
        return
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "environment")]
    from tests import servers

    with servers.postgresql(folder) as port:
        if port is None:
            yield None
            return
        program = [psql(), "-h", "127.0.0.1", "-p", str(port), "-U", "loom", "-d", "postgres", "-q", "-c"]
        env = os.environ | {"PGPASSWORD": servers.KEYS["secret_key"]}

        def insert(number: int) -> None:
            values = ", ".join(f"({n}, {n % 50}, {n % 97})" for n in _orders(number))
            sql = f"INSERT INTO orders (id, customer, amount) VALUES {values}"
            subprocess.run([*program, sql], check=True, env=env)

        table = (
            "CREATE TABLE orders (id bigint PRIMARY KEY, customer int, amount double precision, "
            "updated_at timestamptz DEFAULT clock_timestamp()); CREATE INDEX ON orders (updated_at)"
        )
        subprocess.run([*program, table], check=True, env=env)
        os.environ["LAKELOOM_SECRET_BENCH_PASSWORD"] = servers.KEYS["secret_key"]
        words = f"kind: jdbc, url: 'jdbc:postgresql://127.0.0.1:{port}/postgres', user: loom, table: orders, keys: [id]"
        more = "password: '${secret:bench/password}', incremental: {by: updated_at, overlap: 1 minute}"
        yield f"{{{words}, {more}, when: {{rows appear: 1 second}}}}", insert


def psql() -> str:
    """Return PostgreSQL's own client."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/psql"))
    return str(places[-1]) if places else "psql"


def _orders(number: int) -> range:
    return range(number * ROWS, (number + 1) * ROWS)


def _line(n: int) -> str:
    return f"{n},{n % 50},{n % 97},2026-01-01 10:00:00\n"


def _watched(folder: Path, entry: str, arrive: Callable[[int], None], count: int) -> list[Taken]:
    conf = folder / "conf" / "bench"
    conf.mkdir(parents=True)
    jars = sorted((Path(__file__).resolve().parents[1] / "environment" / "jars").rglob("*.jar"))
    spark = f"spark:\n  spark.driver.extraClassPath: '{':'.join(map(str, jars))}'\n"
    (folder / "conf" / "base.yml").write_text(f"project: bench\n{spark}")
    (conf / "sources.yml").write_text(f"sources:\n  orders: {entry}\n")
    (conf / "tables.yml").write_text(TABLES)
    chance, found = random.Random(7), []
    env = os.environ | {"LAKELOOM_HOME": str(folder / "root")}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [str(LAKELOOM), "watch", "--json"], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=said, text=True
        )
        try:
            for number in range(count):
                begun = time.time()
                arrive(number)
                line = _next(process, folder / "said")
                taken = time.time() - begun
                latency = line["latency_s"]
                if line["status"] != "done":
                    raise RuntimeError(f"an arrival was not taken: {line}")
                if number >= COLD:  # of a database's first window no arrival is told
                    found.append(Taken(latency["silver.orders"], latency["gold.by_customer"], taken))
                time.sleep(chance.uniform(0.0, 2.0))  # arrivals know nothing of when it looks
        finally:
            process.terminate()
            process.wait(60)
    return found


def _next(process: subprocess.Popen[str], said: Path) -> dict[str, Any]:
    assert process.stdout is not None  # it is a pipe
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the watch ended: {said.read_text()[-2000:]}")
    told: dict[str, Any] = json.loads(line)
    return told
