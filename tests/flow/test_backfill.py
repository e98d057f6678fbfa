"""A span done again in slices: only its rows, each once, going on where it was killed; nothing new is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.durations import parse
from lakeloom.core.errors import RunError
from lakeloom.core.steps import Window
from lakeloom.flow import backfill as module
from lakeloom.flow.backfill import backfill
from lakeloom.store import refs
from lakeloom.store.intents import Intents
from lakeloom.store.lock import locked
from tests.flow.home import Kept, Shop
from tests.shop import ORDERS_2, TABLES, drop

LIB = Path(__file__).resolve().parents[2] / "lib"
HEADER = "order_id,customer,amount,ordered_on\n"


def day(number, month=1):
    return datetime(2026, month, number, tzinfo=UTC)


@pytest.fixture(scope="module")
def kept_dated(tmp_path_factory, spark):
    home = tmp_path_factory.mktemp("dated") / "shop"
    home.mkdir()
    shop, kept = Shop(home), Kept(home, spark)
    words = "    owner: shop-data\n    event_time: ordered_on\n"
    (shop.conf / "shop/tables.yml").write_text(TABLES.replace("    owner: shop-data\n", words))
    drop(shop.home, "orders/2026-02.csv.gz", ORDERS_2)
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("LAKELOOM_HOME", raising=False)
        assert shop.run().status == "done"
    kept.keep("ran")
    return kept


@pytest.fixture
def dated(kept_dated, monkeypatch):
    """Give the shop, its orders dated, after a run: orders 1 (1 January), 2 (the 2nd) and 4 (the 4th)."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return kept_dated.lay("ran")


def empty(shop, spark):
    """Lose every order in silver, behind the platform's back."""
    from delta.tables import DeltaTable

    DeltaTable.forPath(spark, shop.lake.path("silver.orders")).delete("true")
    version = shop.lake.version("silver.orders")
    refs.publish(shop.lake, {"silver.orders": version}, step="by hand", epoch=1, run="none", at=datetime.now(UTC))


def orders(shop):
    return sorted(number for (number,) in shop.rows("silver.orders", "order_id"))


def statuses(result):
    return [each.status for each in result.slices]


def test_by_event_only_the_rows_of_the_span_are_made_again_and_what_is_whole_once(dated, spark):
    empty(dated, spark)
    epochs = Intents(dated.project().root).latest("silver.orders").intent.epoch
    quarantined = dated.lake.size("quarantine.silver__orders").rows
    result = backfill(dated.project(), ["silver.orders+"], day(2), day(4), by="event", length=parse("1 day"))
    assert (result.status, statuses(result)) == ("done", ["done", "done"])
    assert [each.rows_out for each in result.slices] == [1, 0]
    assert orders(dated) == [2]
    assert Intents(dated.project().root).latest("silver.orders").intent.epoch == epochs + 2
    assert dated.lake.size("quarantine.silver__orders").rows == quarantined
    assert [step.name for step in result.tail.steps] == ["gold.cities"]
    assert dated.rows("gold.cities", "city", "orders") == [("Rome", 1)]
    assert backfill(dated.project(), ["silver.orders"], day(1), day(5), by="event").status == "done"
    assert dated.rows("silver.orders", "order_id", "amount") == [(1, 10.5), (2, 25.0), (4, 7.0)]
    assert {step.name for step in dated.run().steps if step.status == "done"} == {"gold.cities"}


def test_rows_that_were_not_consumed_yet_stay_new(dated):
    drop(dated.home, "orders/2026-03.csv", HEADER + "7,a,70,2026-03-01\n8,a,80,2026-01-02\n")
    dated.run("bronze.orders")
    assert backfill(dated.project(), ["silver.orders"], day(1), day(3), by="event").status == "done"
    assert orders(dated) == [1, 2, 4]
    assert dated.run().status == "done"
    assert orders(dated) == [1, 2, 4, 7, 8]


def test_by_arrival_each_slice_lands_the_files_changed_in_it(shop):
    files = [drop(shop.home, f"orders/{n}.csv", HEADER + f"{n},a,{n},2026-01-01\n") for n in (11, 12, 13)]
    for number, file in enumerate(
        [*files, shop.home / "in/orders/2026-01.csv.gz", shop.home / "in/customers/all.jsonl"]
    ):
        at = day((1, 2, 9, 1, 1)[number], 3).timestamp() + 60
        os.utime(file, (at, at))
    result = backfill(shop.project(), [], day(1, 3), day(4, 3), length=parse("1 day"))
    assert (result.status, statuses(result)) == ("done", ["done", "done", "done"])
    assert orders(shop) == [1, 2, 11, 12]
    assert [each.rows_out > 0 for each in result.slices] == [True, True, False]
    assert shop.rows("gold.cities", "city", "orders") == [("Oslo", 3), ("Rome", 1)]
    assert shop.run().status == "done" and orders(shop) == [1, 2, 11, 12, 13]


def test_what_was_killed_between_slices_goes_on_with_the_first_not_done(dated, spark, monkeypatch):
    empty(dated, spark)
    right, ran = module.run, []

    def once(project, patterns, **options):
        if ran:
            raise SystemExit("killed")
        ran.append(options["window"])
        return right(project, patterns, **options)

    def call():
        return backfill(dated.project(), ["silver.orders"], day(1), day(5), by="event", length=parse("1 day"))

    monkeypatch.setattr(module, "run", once)
    with pytest.raises(SystemExit):
        call()
    assert orders(dated) == [1]
    monkeypatch.setattr(module, "run", right)
    result = call()
    assert statuses(result) == ["earlier", "done", "done", "done"]
    assert orders(dated) == [1, 2, 4]
    again = call()
    assert again.backfill != result.backfill and statuses(again) == ["done"] * 4


def test_an_execution_that_crashed_before_is_finished_and_the_slice_is_done_all_the_same(dated, spark, monkeypatch):
    drop(dated.home, "orders/2026-03.csv", HEADER + "7,a,70,2026-03-01\n")
    right = refs.publish

    def publish(lake, versions, *, step, **rest):
        if step == "silver.orders":
            raise SystemExit("killed")
        right(lake, versions, step=step, **rest)

    monkeypatch.setattr(refs, "publish", publish)
    with pytest.raises(SystemExit):
        dated.run("+silver.orders")
    monkeypatch.setattr(refs, "publish", right)
    assert Intents(dated.project().root).latest("silver.orders").crashed
    before = Intents(dated.project().root).latest("silver.orders").intent.epoch
    result = backfill(dated.project(), ["silver.orders"], day(1), day(3), by="event")
    assert statuses(result) == ["done"]
    latest = Intents(dated.project().root).latest("silver.orders").intent
    assert latest.epoch == before + 1 and "`ordered_on`" in latest.within
    assert orders(dated) == [1, 2, 4, 7]


def test_a_slice_that_fails_stops_the_backfill_and_retry_goes_on_with_it(dated, spark, monkeypatch):
    empty(dated, spark)
    right, rest = refs.publish, [1]

    def publish(lake, versions, **more):
        if not rest:
            raise OSError(28, "No space left on device")
        rest.pop()
        right(lake, versions, **more)

    monkeypatch.setattr(refs, "publish", publish)
    failed = backfill(dated.project(), ["silver.orders"], day(1), day(4), by="event", length=parse("1 day"))
    assert (failed.status, failed.exit_code, statuses(failed)) == ("failed", 1, ["done", "failed", "waiting"])
    assert failed.broken.steps[0].error["code"] == "LL-STORE-004"
    monkeypatch.setattr(refs, "publish", right)
    result = open_lakehouse(dated.conf).retry()
    assert (result.backfill, result.status, statuses(result)) == (failed.backfill, "done", ["earlier", "done", "done"])
    assert orders(dated) == [1, 2]
    with pytest.raises(RunError) as caught:
        open_lakehouse(dated.conf).retry()
    assert caught.value.code == "LL-RUN-003"


def test_two_backfills_at_once_and_appended_tables_are_refused(shop):
    with locked(shop.project().root / "backfills"), pytest.raises(RunError) as caught:
        backfill(shop.project(), ["silver.orders"], day(1), day(2))
    assert caught.value.code == "LL-RUN-002"
    text = TABLES.replace("write: {mode: merge, sequence_by: _position}", "write: {mode: append}", 1)
    (shop.conf / "shop/tables.yml").write_text(text)
    with pytest.raises(RunError) as caught:
        shop.run(window=Window(day(1), day(2)))
    assert (caught.value.code, caught.value.where) == ("LL-RUN-007", "silver.orders")


@pytest.mark.long
def test_sigkill_in_the_middle_and_the_same_command_goes_on(dated, spark):
    empty(dated, spark)
    words = ["run", "silver.orders", "--conf", str(dated.conf), "--from", "2026-01-01", "--to", "2026-01-05",
             "--by", "event", "--slice", "1 day", "--json"]  # fmt: skip
    command = [sys.executable, "-m", "lakeloom.cli", *words]
    environment = os.environ | {"PYTHONPATH": str(LIB)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    root = dated.project().root
    deadline = time.monotonic() + 180
    while not list(root.glob("backfills/*/00002.json")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=240)
    document = json.loads(done.stdout)
    assert document["status"] == "done"
    assert [each["status"] for each in document["slices"]][:2] == ["earlier", "earlier"]
    assert orders(dated) == [1, 2, 4]
