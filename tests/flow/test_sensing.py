"""`watch` with sensors on real sources: what arrives is taken at once, what hangs holds up no other, latencies are kept."""

import threading
import time
from contextlib import contextmanager

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.flow.watch import WallClock
from tests import servers
from tests.hanging import silent

SILVER = """\
tables:
  silver.orders: {from: {bronze.orders: new}, sql: "select id, _position from bronze.orders"}
  gold.nightly: {from: {silver.orders: whole}, sql: select count(*) as orders from silver.orders, when: {time: 0 5 1 1 *}}
"""
FILES = (
    "  orders: {kind: files, path: landing/*.csv, format: csv, columns: {id: bigint}, when: {files arrive: 1 second}}\n"
)
DERBY = "org.apache.derby.iapi.jdbc.AutoloadedDriver"


class Home:
    def __init__(self, home):
        self.home = home
        (home / "landing").mkdir()
        (home / "conf" / "shop").mkdir(parents=True)

    def say(self, sources, tables=SILVER, base=""):
        (self.home / "conf" / "base.yml").write_text(f"project: shop\nretries: 0\n{base}")
        (self.home / "conf" / "shop" / "sources.yml").write_text(f"sources:\n{sources}")
        (self.home / "conf" / "shop" / "tables.yml").write_text(tables)

    def put(self, name, *ids):
        """Put a file into the landing folder whole, as what writes beside it and moves it there."""
        draft = self.home / name
        draft.write_text("id\n" + "".join(f"{number}\n" for number in ids))
        draft.rename(self.home / "landing" / name)

    @property
    def lake(self):
        return open_lakehouse(self.home / "conf")

    def soon(self, act, *words):
        threading.Timer(1.5, act, words).start()


@pytest.fixture
def shop(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return Home(tmp_path)


@contextmanager
def watching(lake, *select, **more):
    clock = WallClock()
    found = lake.watch(*select, clock=clock, **more)
    try:
        yield found
    finally:
        clock.stop()
        found.close()


def statuses(run):
    return {step.name: step.status for step in run.result.steps}


def test_files_that_arrive_are_taken_with_all_that_is_made_of_them_but_what_waits_for_a_time(shop):
    shop.say(FILES)
    with watching(shop.lake) as runs:
        shop.soon(shop.put, "a.csv", 1, 2)
        first = next(runs)
        assert statuses(first) == {"bronze.orders": "done", "silver.orders": "done"}
        # Looking has left no trace, and the second file waits for nothing but the next look.
        shop.soon(shop.put, "b.csv", 3)
        second = next(runs)
    assert second.result.run_id > first.result.run_id
    latency = second.latency_s
    assert set(latency) == {"bronze.orders", "silver.orders"}
    assert 0 < latency["bronze.orders"] <= latency["silver.orders"] < 60
    assert second.as_dict()["latency_s"] == latency
    kept = shop.lake.sql("select step, run_id, latency_s from meta.steps where latency_s is not null").to_pylist()
    assert {(row["step"], row["latency_s"]) for row in kept if row["run_id"] == second.result.run_id} == set(
        latency.items()
    )
    assert len(shop.lake.runs()) == 2


def test_rows_that_appear_are_taken(shop, spark):
    database = servers.Database(spark, f"jdbc:derby:{shop.home}/fleet;create=true", DERBY)
    database.run(
        "CREATE TABLE orders (id int PRIMARY KEY, updated_at timestamp)",
        "INSERT INTO orders VALUES (1, '2026-01-01 10:00:00')",
    )
    shop.say(
        f"  orders: {{kind: jdbc, url: 'jdbc:derby:fleet', driver: {DERBY}, table: ORDERS, keys: [ID], "
        "incremental: {by: UPDATED_AT, overlap: 1 hour}, when: {rows appear: 1 second}}\n"
    )
    with watching(shop.lake) as runs:
        assert statuses(next(runs)) == {"bronze.orders": "done", "silver.orders": "done"}
        shop.soon(database.run, "INSERT INTO orders VALUES (2, '2026-01-01 11:00:00')")
        run = next(runs)
    assert [(step.name, step.rows_out) for step in run.result.steps] == [("bronze.orders", 1), ("silver.orders", 1)]


def test_a_table_that_another_run_has_changed_is_seen(shop):
    shop.say(
        FILES.replace(", when: {files arrive: 1 second}", ""),
        SILVER.replace('from bronze.orders"', 'from bronze.orders", when: {table changed: 1 second}'),
    )
    shop.put("a.csv", 1)
    assert shop.lake.run("bronze.orders").status == "done"
    with watching(shop.lake) as runs:
        first = next(runs)
        assert statuses(first) == {"silver.orders": "done"}
        shop.put("b.csv", 2)
        assert shop.lake.run("bronze.orders").status == "done"
        second = next(runs)
    assert statuses(second) == {"silver.orders": "done"}
    assert second.latency_s["silver.orders"] > 0  # from the arrival of the file, which an earlier run has landed


def test_a_source_that_hangs_holds_up_no_other_and_is_asked_with_growing_pauses(shop, monkeypatch):
    monkeypatch.setattr("lakeloom.api.watching.Patience", lambda: _short())
    with silent() as port:
        shop.say(
            FILES
            + "  clicks: {kind: files, path: 's3://clicks/in/**', format: csv, timeout: 3 seconds, when: {files arrive: 1 second}}\n",
            base=f"stores:\n  s3://clicks: {{endpoint: 'http://127.0.0.1:{port}', region: eu, access_key: a, secret_key: b}}\n",
        )
        shop.put("a.csv", 1)
        told, landed = [], 0
        with watching(shop.lake) as runs:
            until = time.monotonic() + 120
            while len([each for each in told if each[0] == "LL-SOURCE-010"]) < 3:
                assert time.monotonic() < until, told
                each = next(runs)
                told.append((each.error.code if each.error else each.status, time.monotonic()))
                if each.error is None:
                    assert statuses(each) == {"bronze.orders": "done", "silver.orders": "done"}
                    landed += 1
                shop.put(f"more-{len(told)}.csv", 10 + len(told))
    # The one that answers was taken first, and between the failures of the other.
    assert told[0][0] == "done" and landed >= 2
    failed = [at for code, at in told if code == "LL-SOURCE-010"]
    assert failed[2] - failed[1] > failed[1] - failed[0] - 1 > 3
    ids = [row["id"] for row in shop.lake.sql("select id from bronze.orders").to_pylist()]
    assert len(ids) == len(set(ids)) >= landed  # a run may take two files, and none comes twice


def _short():
    from lakeloom.flow.patience import Patience

    return Patience(1.0, 60.0)


def test_a_source_that_failed_rests_in_the_runs_of_a_schedule(shop):
    with silent() as port:
        shop.say(
            FILES.replace(", when: {files arrive: 1 second}", "")
            + "  clicks: {kind: files, path: 's3://clicks/in/**', format: csv, timeout: 2 seconds}\n",
            base=f"stores:\n  s3://clicks: {{endpoint: 'http://127.0.0.1:{port}', region: eu, access_key: a, secret_key: b}}\n",
        )
        shop.put("a.csv", 1)
        with watching(shop.lake, "bronze.*", every="1s", times=2) as runs:
            first, second = runs
    assert statuses(first) == {"bronze.orders": "done", "bronze.clicks": "failed"}
    assert statuses(second) == {"bronze.orders": "skipped", "bronze.clicks": "skipped"}
    (clicks,) = [step for step in second.result.steps if step.name == "bronze.clicks"]
    assert clicks.reason.startswith("it failed: asked again at ")
    assert second.status == "done" and second.result.seconds < 2
