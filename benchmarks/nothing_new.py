"""A run with nothing new: how long a source takes to say so, whatever it has brought before and however large it is.

Each figure is that of a whole run of one source in a process whose Spark has started: the source is asked, its answer
held against the ledger, the run recorded. The ledgers are made by the source's own polls, a part at a time, as days
bring them; of the old files the first are landed and the others entered, since Spark has no part in what is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.latency import psql
from benchmarks.result import Result, Table, Target

OLD, PARTS, AGAIN = (1_000, 10_000, 100_000), 20, 5
ROWS = (10_000, 1_000_000)
LIMIT_S = 3.0
_FIRST = 5
_FILES = {"kind": "files", "format": "csv"}


@dataclass(frozen=True)
class Case:
    """One source: of which kind, what is old at it, how large its table is, and the seconds of a run without news."""

    kind: str
    old: str
    size: int
    table_rows: int
    seconds: float


def measure() -> Result:
    """Measure all cases; ``LAKELOOM_OLD`` gives other numbers of old files and objects, such as ``1000``."""
    old = [int(text) for text in os.environ.get("LAKELOOM_OLD", "").split(",") if text] or OLD
    found: list[Case] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        found += [_files(folder / f"files-{count}", count, 1) for count in old]
        found.append(_files(folder / "large", 200, 5_000))
        found += _objects(folder, old)
        found += _databases(folder)
    return result(found)


def result(found: list[Case]) -> Result:
    """Return the page's facts."""
    figures: dict[str, float] = {}
    for case in found:
        figures[_figure(case)] = round(case.seconds, 2)
    ratios = {}
    for kind in dict.fromkeys(case.kind for case in found):
        cases = sorted((case for case in found if case.kind == kind), key=lambda case: case.size)
        if len(cases) > 1:
            ratios[f"{_word(kind)}_growth"] = round(cases[-1].seconds / cases[0].seconds, 2)
    rows = tuple((case.kind, case.old, f"{case.table_rows:,}", f"{case.seconds:.2f}") for case in found)
    return Result(
        "nothing_new",
        "A run with nothing new",
        figures,
        tuple(Target(_figure(case), LIMIT_S, label=f"{case.kind}, {case.old}: seconds of a run") for case in found),
        comparisons=ratios,
        tables=(
            Table("Seconds of a run, Spark started", ("source", "what is old", "rows of its table", "seconds"), rows),
        ),
        notes=(
            f"Medians of {AGAIN} runs, each of which skips its step, which is asserted. Files lie in {PARTS} folders; "
            "objects on versitygw, which keeps them as files of this machine. A growth is the largest case's over "
            "the smallest.",
        ),
    )


def _figure(case: Case) -> str:
    return f"{_word(case.kind)}_{case.size}_s"


def _word(kind: str) -> str:
    return kind.replace(",", "").replace(" ", "_")


class Project:
    """A project of one source, in this process."""

    def __init__(self, home: Path, entry: dict[str, Any], more: str = "") -> None:
        self.home = home
        conf = home / "conf" / "bench"
        conf.mkdir(parents=True)
        jars = sorted((Path(__file__).resolve().parents[1] / "environment" / "jars").rglob("*.jar"))
        spark = f"spark:\n  spark.driver.extraClassPath: '{':'.join(map(str, jars))}'\n"
        (home / "conf" / "base.yml").write_text(f"project: bench\n{spark}{more}")
        (conf / "sources.yml").write_text(
            f"sources:\n  orders: {json.dumps(_FILES | entry if 'kind' not in entry else entry)}\n"
        )

    @property
    def lake(self) -> Any:
        """The project, opened."""
        from lakeloom.api.lakehouse import open_lakehouse

        return open_lakehouse(self.home / "conf")

    def run(self) -> Any:
        """Run it, and return its step."""
        (step,) = self.lake.run().steps
        if step.error is not None:
            raise RuntimeError(f"{step.error['code']} {step.error['message']}")
        return step

    def enter(self, entries: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> None:
        """Enter what a poll finds into the ledger, as a landing would."""
        from datetime import UTC, datetime

        from lakeloom.flow.context import Context
        from lakeloom.flow.land import poll
        from lakeloom.project.graph import steps
        from lakeloom.store.intents import Intent

        context = Context.of(self.lake.project, "bench")
        (step,) = steps(context.project)
        batch = poll(context, step, datetime.now(UTC))
        last = context.intents.latest(step.name)
        assert batch is not None and last is not None and last.facts is not None  # there is something, after a landing
        entered = {"files": entries(batch), "split_bytes": 1 << 27}
        intent = Intent(
            step.name, last.intent.epoch + 1, "bench", datetime.now(UTC).isoformat(), 7, step.code, batch=batch
        )
        context.intents.begin(intent)
        context.intents.finish(intent, last.facts | {"batch": entered})

    def seconds(self) -> float:
        """Return the median seconds of a run with nothing new."""
        taken = []
        for _ in range(AGAIN + 1):
            begun = time.perf_counter()
            step = self.run()
            taken.append(time.perf_counter() - begun)
            if step.status != "skipped":
                raise RuntimeError(f"nothing has changed, and the step is {step.status}: {step.reason}")
        return median(taken[1:])


def _files(home: Path, count: int, rows: int) -> Case:
    project = Project(home, {"path": "landing/*/*.csv"})
    landed = count if rows > 1 else _FIRST
    _write(home, 0, landed, rows)
    table_rows = project.run().rows_out
    each = (count - landed) // PARTS
    for part in range(1, PARTS + 1) if each else ():
        _write(home, part, each, rows)
        project.enter(lambda batch: batch["files"])
    kind = "files of a folder" if rows == 1 else "files of a folder, table large"
    return Case(kind, f"{count:,} files", count, table_rows, project.seconds())


def _write(home: Path, part: int, count: int, rows: int) -> None:
    folder = home / "landing" / f"part-{part:03d}"
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:06d}.csv").write_text(_content(part, number, rows))


def _content(part: int, number: int, rows: int) -> str:
    return "id,word\n" + "".join(f"{part}{number:06d}{row:05d},x\n" for row in range(rows))


@contextmanager
def _servers() -> Iterator[Any]:
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "environment")]
    from tests import servers

    yield servers


def _objects(folder: Path, old: list[int]) -> list[Case]:
    """Measure on a store; nothing where its server is not on this machine."""
    with _servers() as servers, servers.versitygw(folder) as port:
        if port is None:
            return []
        return [_bucket(folder / f"objects-{count}", servers.S3Bucket(f"bench-{count}", port), count) for count in old]


def _bucket(home: Path, bucket: Any, count: int) -> Case:
    ((root, settings),) = bucket.stores.items()
    project = Project(home, {"path": f"{root}/in/**"}, f"stores: {json.dumps({root: settings})}\n")
    table_rows = 0
    for part in range(PARTS + 1):
        many = (count - _FIRST) // PARTS if part else _FIRST
        with ThreadPoolExecutor(8) as pool:
            names = [(f"in/part-{part:03d}/{number:06d}.csv", _content(part, number, 1)) for number in range(many)]
            list(pool.map(lambda each: bucket.put(each[0], each[1].encode()), names))
        if part:
            project.enter(lambda batch: [_entered(each, root) for each in batch["objects"]])
        else:
            table_rows = project.run().rows_out
    return Case("objects of a store", f"{count:,} objects", count, table_rows, project.seconds())


def _entered(told: dict[str, Any], root: str) -> dict[str, Any]:
    """Return the ledger's entry of an object, as its landing would make it."""
    place = f"landing/orders/{told['version'].strip(chr(34))}.csv"
    return {
        "path": f"{root}/{told['key']}", "size": told["size"], "mtime_ns": 0, "content": told["version"],
        "header": ["id", "word"], "problem": None, "duplicate_of": None, "version": told["version"], "at": place,
    }  # fmt: skip


def _databases(folder: Path) -> list[Case]:
    """Measure on PostgreSQL; nothing where it is not on this machine."""
    with _servers() as servers, servers.postgresql(folder) as port:
        os.environ["LAKELOOM_SECRET_BENCH_PASSWORD"] = servers.KEYS["secret_key"]
        return [_table(folder / f"jdbc-{rows}", port, rows) for rows in ROWS] if port is not None else []


def _table(home: Path, port: int, rows: int) -> Case:
    name = f"orders_{rows}"
    time_of = "timestamptz '2026-01-01' + n * interval '1 second'"
    sql = (
        f"CREATE TABLE {name} AS SELECT n AS id, n % 97 AS amount, {time_of} AS updated_at "
        f"FROM generate_series(1, {rows}) n; CREATE INDEX ON {name} (updated_at); "
        f"ALTER TABLE {name} ADD PRIMARY KEY (id); ANALYZE {name}"
    )
    program = [psql(), "-h", "127.0.0.1", "-p", str(port), "-U", "loom", "-d", "postgres", "-q", "-c", sql]
    password = os.environ["LAKELOOM_SECRET_BENCH_PASSWORD"]
    subprocess.run(program, check=True, env=os.environ | {"PGPASSWORD": password})
    url = f"jdbc:postgresql://127.0.0.1:{port}/postgres"
    entry = {"kind": "jdbc", "url": url, "user": "loom", "password": "${secret:bench/password}", "table": name}
    project = Project(home, entry | {"keys": ["id"], "incremental": {"by": "updated_at", "overlap": "1 minute"}})
    table_rows = project.run().rows_out
    return Case("rows with a watermark", f"{rows:,} rows", rows, table_rows, project.seconds())
