"""Rows in quarantine fixed, replayed, dropped: each once, in order, whatever happens meanwhile."""

import json

import pytest

from lakeloom.core.errors import FixError
from lakeloom.flow import write as module
from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, drop, fix
from lakeloom.flow.replaying import replay
from lakeloom.store import refs
from lakeloom.store.intents import Intents
from tests.shop import ORDERS_2
from tests.shop import drop as put

HEADER = "order_id,customer,amount,ordered_on\n"
ALL = Choice()
ABS = Change(sets=("amount = abs(try_cast(amount as double))",))


def entries(shop, table="silver.orders"):
    """Return (order or raw text, state, reasons) of a table's entries at the good version, sorted."""
    side = f"quarantine.{table.replace('.', '__')}"
    rows = shop.lake.arrow(side, refs.good(shop.lake)[side]).to_pylist()
    return sorted((row["raw"], row["state"], *row["reasons"]) for row in rows)


def states(shop, table="silver.orders"):
    return sorted(state for _, state, *_ in entries(shop, table))


def orders(shop):
    return shop.rows("silver.orders", "order_id", "amount")


@pytest.fixture
def made(ordered):
    """Give the shop after a run of its orders: order 3 (of -5 euro) is in quarantine."""
    return ordered


def test_a_fixed_row_is_replayed_once_and_what_waits_stays_new(made):
    shop = made
    put(shop.home, "orders/2026-02.csv.gz", ORDERS_2)
    assert shop.run("bronze.orders").status == "done"
    told = fix(shop.project(), "silver.orders", ALL, ABS)
    assert (told.on, told.rows, told.passing, told.breaking) == ("raw", 1, 1, {})
    assert states(shop) == ["fixed"]
    assert orders(shop) == [(1, 10.5), (2, 20.0)]
    before = Intents(shop.project().root).published("silver.orders").intent
    done = replay(shop.project(), "silver.orders", ALL)
    assert (done.exit_code, done.rows, done.written, done.breaking) == (0, 1, 1, {})
    assert orders(shop) == [(1, 10.5), (2, 20.0), (3, 5.0)]
    assert states(shop) == ["replayed"]
    after = Intents(shop.project().root).published("silver.orders").intent
    assert (after.epoch, after.reads, after.since) == (before.epoch + 1, before.reads, before.since)
    version = shop.lake.version("silver.orders")
    again = replay(shop.project(), "silver.orders", ALL)
    assert (again.exit_code, again.rows, again.run.steps[0].status) == (0, 0, "skipped")
    assert shop.lake.version("silver.orders") == version
    result = shop.run()
    step = next(step for step in result.steps if step.name == "silver.orders")
    assert (step.rows_in, step.rows_out, step.quarantined) == (3, 2, 1)
    assert orders(shop) == [(1, 10.5), (2, 25.0), (3, 5.0), (4, 7.0)]
    assert states(shop) == ["open", "replayed"]
    assert shop.statuses(result)["gold.cities"] == "done"
    assert set(shop.statuses(shop.run()).values()) == {"skipped"}


def test_a_fix_that_breaks_another_rule_is_told_and_stays_with_it(made):
    shop = made
    change = Change(sets=("order_id = 'none'", "amount = '5'"))
    told = fix(shop.project(), "silver.orders", ALL, change)
    assert (told.rows, told.passing, told.breaking) == (1, 0, {"order_id:not_null": 1})
    done = replay(shop.project(), "silver.orders", ALL)
    assert (done.exit_code, done.rows, done.written, done.breaking) == (0, 1, 0, {"order_id:not_null": 1})
    assert [(state, reasons) for _, state, *reasons in entries(shop)] == [
        ("open", ["order_id:not_null"]), ("replayed", ["amount:values_between"]),
    ]  # fmt: skip
    assert len({raw for raw, *_ in entries(shop)}) == 1
    assert json.loads(entries(shop)[0][0])["amount"] == "-5"
    assert replay(shop.project(), "silver.orders", ALL).run.steps[0].status == "skipped"
    told = fix(shop.project(), "silver.orders", ALL, Change(sets=("order_id = '3'",)))
    assert (told.rows, told.passing) == (1, 1)  # the amount stays fixed
    assert replay(shop.project(), "silver.orders", ALL).written == 1
    assert orders(shop) == [(1, 10.5), (2, 20.0), (3, 5.0)]
    assert states(shop) == ["replayed", "replayed"]


def test_a_row_that_was_superseded_meanwhile_does_not_win(made):
    shop = made
    put(shop.home, "orders/2026-02.csv", HEADER + "3,a,33,2026-02-01\n")
    assert shop.run().status == "done"
    fix(shop.project(), "silver.orders", ALL, ABS)
    done = replay(shop.project(), "silver.orders", ALL)
    assert (done.exit_code, done.rows, done.written) == (0, 1, 0)
    assert orders(shop) == [(1, 10.5), (2, 20.0), (3, 33.0)]
    assert states(shop) == ["replayed"]


@pytest.mark.long
def test_a_table_that_is_built_anew_keeps_what_was_decided(made):
    shop = made
    put(shop.home, "orders/2026-02.csv", HEADER + "5,a,-50,2026-02-01\n6,a,-60,2026-02-01\n7,a,-70,2026-02-01\n")
    assert shop.run().status == "done"
    project = shop.project()
    fix(project, "silver.orders", Choice(where="order_id in ('3', '5')"), ABS)
    assert replay(project, "silver.orders", Choice(where="amount = '-5'")).written == 1
    assert drop(project, "silver.orders", Choice(where="order_id = '6'"), "a test order").rows == 1
    assert states(shop) == ["dropped", "fixed", "open", "replayed"]
    result = shop.run("silver.orders", full_refresh=True)
    assert result.steps[0].quarantined == 1
    assert orders(shop) == [(1, 10.5), (2, 20.0), (3, 5.0), (5, 50.0)]
    assert states(shop) == ["dropped", "open", "replayed", "replayed"]
    sql = shop.conf / "shop" / "sql" / "silver_orders.sql"
    sql.write_text(sql.read_text().replace("    customer,", "    upper(customer) as customer,"))
    assert shop.run("silver.orders").status == "done"
    assert orders(shop) == [(1, 10.5), (2, 20.0), (3, 5.0), (5, 50.0)]
    assert states(shop) == ["dropped", "open", "replayed", "replayed"]


def test_a_fault_between_quarantine_and_table_replays_once(made, monkeypatch):
    shop = made
    fix(shop.project(), "silver.orders", ALL, ABS)
    right, calls = module.commit, []

    def commit(session, lake, table, *rest, **more):
        calls.append(str(table))
        if str(table) == "silver.orders":
            raise KeyboardInterrupt
        return right(session, lake, table, *rest, **more)

    monkeypatch.setattr(module, "commit", commit)
    assert replay(shop.project(), "silver.orders", ALL).run.status == "stopped"
    monkeypatch.undo()
    assert calls == ["quarantine.silver__orders", "silver.orders"]
    assert Intents(shop.project().root).latest("silver.orders").crashed
    with pytest.raises(FixError) as caught:
        fix(shop.project(), "silver.orders", ALL, ABS)
    assert caught.value.code == "LL-FIX-005"
    assert replay(shop.project(), "silver.orders", ALL).exit_code == 0
    assert orders(shop) == [(1, 10.5), (2, 20.0), (3, 5.0)]
    assert states(shop) == ["replayed"]
    assert shop.lake.size("silver.orders").rows == 3
