"""Five million rows of PostgreSQL into bronze, as a source says it by default, against what is usual.

Against Spark's plain JDBC read written to Delta as its documentation shows it (one connection, the driver's own
fetch size), the same with a fetch size, and COPY into one Parquet file by pyarrow. All in turns within a round, on
one machine with its server; the Spark sides share a session that is warm.

Then runs of a process of their own over more and more rows: what a million costs, and the memory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.landed import Cost, cost
from benchmarks.result import Result, Table, Target

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS, ROUNDS, MILLIONS = 5_000_000, 3, (1, 5, 20)
DRIVER = "org.postgresql.Driver"
HERE = Path(__file__).resolve().parents[1]
# Numbers, times, texts, a decimal, NULLs: eleven columns, some 130 bytes a row.
TRIPS = """
CREATE TABLE {name} (id bigint, tailnum text, seats int, fare numeric(12,2), day date, departed_at timestamp,
  updated_at timestamptz, late boolean, delay double precision, note text, gate text);
INSERT INTO {name} SELECT g, 'N' || g % 5000, (g * 7919) % 180, (g % 100000) / 100.0,
  date '2013-01-01' + (g % 365)::int,
  timestamp '2013-01-01' + g * interval '6 seconds', timestamptz '2013-01-01 00:00+00' + g * interval '6 seconds',
  g % 3 = 0, g % 1000 / 7.0::float8, md5(g::text), CASE WHEN g % 10 > 0 THEN 'gate ' || g % 50 END
FROM generate_series(1::bigint, {rows}) g;
ALTER TABLE {name} ADD PRIMARY KEY (id);
VACUUM ANALYZE {name}
"""


class Server:
    """A server of PostgreSQL for this measurement, and the words with which it is asked."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.url = f"jdbc:postgresql://127.0.0.1:{port}/postgres"
        self.options = {"url": self.url, "driver": DRIVER, "user": user, "password": password}
        self.psql = ["psql", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", "postgres"]
        self.env = os.environ | {"PGPASSWORD": password}

    def fill(self, name: str, rows: int) -> None:
        """Make a table of trips."""
        for statement in TRIPS.format(name=name, rows=rows).split(";"):
            subprocess.run([*self.psql, "-c", statement], check=True, env=self.env)


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Start PostgreSQL on a free port until the block ends."""
    sys.path.insert(0, str(HERE / "environment"))
    from tests import servers

    with servers.postgresql(folder) as port:
        if port is None:
            raise RuntimeError("PostgreSQL is not installed: install it (Debian: postgresql) and measure again")
        yield Server(port, "loom", servers.KEYS["secret_key"])


def jar() -> Path:
    """Return PostgreSQL's driver."""
    from lakeloom.session.settings import jars_home

    found = sorted((jars_home() / "test").glob("postgresql-*.jar"))
    if not found:
        raise RuntimeError("PostgreSQL's driver is not in environment/jars/test: run make setup")
    return found[-1]


def measure() -> Result:
    """Measure; ``LAKELOOM_ROWS``, ``LAKELOOM_ROUNDS`` and ``LAKELOOM_MILLIONS`` (such as 1,2) say how much."""
    rows, rounds = int(os.environ.get("LAKELOOM_ROWS", ROWS)), int(os.environ.get("LAKELOOM_ROUNDS", ROUNDS))
    sizes = [int(size) for size in os.environ.get("LAKELOOM_MILLIONS", ",".join(map(str, MILLIONS))).split(",")]
    with tempfile.TemporaryDirectory() as place, server(Path(place)) as database:
        folder = Path(place)
        database.fill("trips", rows)
        found = in_turns(folder, database, rows, rounds)
        subprocess.run([*database.psql, "-c", "DROP TABLE trips"], check=True, env=database.env)
        costs = []
        for size in sizes:
            database.fill("trips", size * 1_000_000)
            costs.append(cost(folder, database.options, jar(), size * 1_000_000))
            subprocess.run([*database.psql, "-c", "DROP TABLE trips"], check=True, env=database.env)
    return result(found, costs, rows)


def in_turns(folder: Path, database: Server, rows: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each way, a round a value; every way must end with all rows."""
    from lakeloom.session.spark import open_session

    spark = open_session({"spark.jars": str(jar())}, name="jdbc")
    ways: dict[str, Callable[[Path], int]] = {
        "ours": lambda to: ours(to, database),
        "plain": lambda to: plain(spark, to, database),
        "fetching": lambda to: plain(spark, to, database, fetchsize="10000"),
        "copy": lambda to: copied(to, database),
    }
    spark.range(100_000).write.format("delta").save(str(folder / "warm"))
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name, way in list(ways.items())[:: 1 if turn % 2 else -1]:
            to = folder / name
            started = time.perf_counter()
            read = way(to)
            found[name].append(time.perf_counter() - started)
            if read != rows:
                raise RuntimeError(f"{name} has read {read} of {rows} rows")
            shutil.rmtree(to) if to.is_dir() else to.unlink()
            spark._jvm.System.gc()  # type: ignore[union-attr]  # nobody's garbage is the next one's time
    spark.stop()
    return found


def ours(to: Path, database: Server) -> int:
    """Land the table as a source that says where it is and nothing else; return the rows."""
    import lakeloom
    from benchmarks.landed import lay_out

    lay_out(to, database.options)
    done = lakeloom.open(to / "conf" / "trips").run("bronze.trips")
    return int(done.steps[0].rows_out)


def plain(spark: SparkSession, to: Path, database: Server, **more: str) -> int:
    """Read and write as Spark's documentation shows it."""
    options = database.options | {"dbtable": "trips"} | more
    spark.read.format("jdbc").options(**options).load().write.format("delta").save(str(to))
    return spark.read.format("delta").load(str(to)).count()


def copied(to: Path, database: Server) -> int:
    """Copy the table as CSV through pyarrow into one Parquet file."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    kinds = {
        "id": pa.int64(), "tailnum": pa.string(), "seats": pa.int32(), "fare": pa.decimal128(12, 2),
        "day": pa.date32(), "departed_at": pa.timestamp("us"), "updated_at": pa.timestamp("us", "UTC"),
        "late": pa.bool_(), "delay": pa.float64(), "note": pa.string(), "gate": pa.string(),
    }  # fmt: skip
    words = [*database.psql, "-c", "COPY trips TO STDOUT (FORMAT csv)"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=database.env) as process:
        convert = csv.ConvertOptions(
            column_types=kinds, true_values=["t"], false_values=["f"], strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )  # fmt: skip
        read = csv.ReadOptions(column_names=list(kinds), block_size=8 << 20)
        reader = csv.open_csv(process.stdout, read_options=read, convert_options=convert)
        with parquet.ParquetWriter(to, reader.schema) as writer:
            rows = 0
            for batch in reader:
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows if process.returncode == 0 else -1


def result(found: Mapping[str, Sequence[float]], costs: Sequence[Cost], rows: int) -> Result:
    """Return the page's facts: the ratios are medians over the rounds."""

    def times_faster(peer: str) -> float:
        return round(median(theirs / mine for theirs, mine in zip(found[peer], found["ours"], strict=True)), 3)

    ratios = {
        "vs_plain_spark": times_faster("plain"),
        "vs_fetching_spark": times_faster("fetching"),
        "vs_copy": times_faster("copy"),
    }
    few, many = costs[0], costs[-1]
    # Between two sizes, so that what each process takes to start falls out.
    more = [(b.step_s - a.step_s) / (b.rows - a.rows) * 1e6 for a, b in pairwise(costs)]
    figures = {f"{name}_s": round(median(seconds), 2) for name, seconds in found.items()} | ratios
    figures |= {
        f"a_million_up_to_{b.rows // 1_000_000}_s": round(each, 2) for b, each in zip(costs[1:], more, strict=True)
    }
    figures["growth"] = round(more[-1] / more[0], 3)
    figures["python_memory_growth"] = round(many.python_mib / few.python_mib, 3)
    lines = tuple((turn + 1, *(f"{each[turn]:.1f}" for each in found.values())) for turn in range(len(found["ours"])))
    by_size = tuple(
        (f"{e.rows:,}", f"{e.step_s:.1f}", each, f"{e.python_mib:.0f}", f"{e.jvm_mib:.0f}")
        for e, each in zip(costs, ("", *(f"{each:.2f}" for each in more)), strict=True)
    )  # fmt: skip
    return Result(
        "jdbc",
        "A table of PostgreSQL into bronze",
        figures,
        (
            Target("vs_plain_spark", 1.5, "least", "times faster than Spark's plain JDBC read"),
            Target("vs_copy", 1 / 1.5, "least", "of the speed of COPY into Parquet"),
            Target("growth", 1.1, label=f"seconds of a further million rows, up to {many.rows:,} over the first ones"),
            Target("python_memory_growth", 1.1, label="the driver's Python, its memory, most over fewest rows"),
        ),
        comparisons=ratios,
        tables=(
            Table("Seconds of each round", ("round", *found), lines),
            Table(
                "By size, a process each",
                ("rows", "seconds of the step", "a further million", "Python MiB", "JVM MiB"),
                by_size,
            ),
        ),
        notes=(
            f"{rows:,} rows of 11 columns, some 130 bytes each, from a server on the same two cores. `ours` is "
            "`lakeloom run` on a source that names url and table and nothing else: it finds out parts, takes one "
            "state of the database for all of them, marks each row by its hash and commits with a manifest. `plain` "
            "is Spark's documented read, one connection that fetches all rows before the first is written, within "
            "the same heap of 3 GiB; `fetching` the same with a fetch size of 10,000; `copy` is COPY as CSV through "
            "pyarrow into one Parquet file, without Spark, Delta, or marks. By size, the step's seconds hold the start "
            "of Spark; on one machine the JVM is driver and executors at once and takes garbage up to its limit.",
        ),
    )
