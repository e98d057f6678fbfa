"""The whole way on a small project: what runs, what is skipped and why, what lands where."""

import json
from datetime import UTC, datetime

import pytest

from lakeloom.core.errors import RunError
from lakeloom.core.steps import Window
from lakeloom.flow import journal
from lakeloom.flow.planning import plan
from lakeloom.store import refs
from lakeloom.store.lock import locked
from tests.shop import ORDERS_2, drop


def test_a_first_run_makes_every_table_and_a_second_does_nothing(shop):
    first = shop.run()
    assert first.status == "done" and first.exit_code == 0
    assert set(shop.statuses(first).values()) == {"done"}
    assert shop.rows("silver.orders", "order_id", "amount") == [(1, 10.5), (2, 20.0)]
    assert shop.rows("gold.cities", "city", "orders", "amount") == [("Oslo", 1, 10.5), ("Rome", 1, 20.0)]
    (broken,) = shop.lake.arrow("quarantine.silver__orders").to_pylist()
    assert broken["reasons"] == ["amount:values_between"]
    assert json.loads(broken["row"])["order_id"] == 3
    assert json.loads(broken["raw"])["order_id"] == "3"
    assert broken["position"] == {"epoch": 1, "file": 0, "record": 3}
    versions = refs.good(shop.lake)
    second = shop.run()
    assert set(shop.statuses(second).values()) == {"skipped"}
    assert refs.good(shop.lake) == versions
    assert all(step.reason for step in second.steps)
    assert [entry["status"] for entry in journal.runs(shop.lake)] == ["done", "done"]


def test_new_files_flow_through_and_the_newest_wins(ran):
    shop = ran
    drop(shop.home, "orders/2026-02.csv.gz", ORDERS_2)
    result = shop.run()
    assert shop.statuses(result) == {
        "bronze.orders": "done", "bronze.customers": "skipped", "silver.orders": "done",
        "silver.customers": "skipped", "gold.cities": "done",
    }  # fmt: skip
    assert shop.rows("silver.orders", "order_id", "amount") == [(1, 10.5), (2, 25.0), (4, 7.0)]
    reasons = [row["reasons"] for row in shop.lake.arrow("quarantine.silver__orders").to_pylist()]
    assert sorted(reasons) == [["amount:values_between"], ["order_id:not_null"]]
    step = next(step for step in result.steps if step.name == "silver.orders")
    assert (step.rows_in, step.rows_out, step.quarantined) == (3, 2, 1)


def test_what_a_cast_turned_to_null_stands_in_quarantine_as_it_came(shop):
    drop(shop.home, "orders/2026-02.csv.gz", ORDERS_2)
    shop.run()
    rows = shop.lake.arrow("quarantine.silver__orders").to_pylist()
    (unkeyed,) = [row for row in rows if row["reasons"] == ["order_id:not_null"]]
    assert json.loads(unkeyed["raw"]) == {"order_id": "x", "customer": "c", "amount": "8", "ordered_on": "2026-01-05"}
    assert "order_id" not in json.loads(unkeyed["row"])
    assert unkeyed["file"].endswith("orders/2026-02.csv.gz")


def test_changed_sql_builds_the_table_anew_with_its_quarantine(ran):
    shop = ran
    sql = shop.conf / "shop" / "sql" / "silver_orders.sql"
    sql.write_text(sql.read_text().replace("try_cast(amount as double)", "abs(try_cast(amount as double))"))
    result = shop.run()
    assert next(step for step in result.steps if step.name == "silver.orders").reason == "its code or config changed"
    assert shop.rows("silver.orders", "order_id", "amount") == [(1, 10.5), (2, 20.0), (3, 5.0)]
    assert shop.lake.size("quarantine.silver__orders").rows == 0
    assert shop.statuses(result)["bronze.orders"] == "skipped"


def test_words_that_only_explain_run_nothing(ran):
    shop = ran
    tables = shop.conf / "shop" / "tables.yml"
    tables.write_text(tables.read_text().replace("owner: shop-data", "owner: somebody-else"))
    assert set(shop.statuses(shop.run()).values()) == {"skipped"}


def test_plan_says_what_run_does(shop):
    assert [(step.step.name, step.action) for step in plan(shop.project())] == [
        ("bronze.orders", "run"), ("bronze.customers", "run"), ("silver.orders", "run"),
        ("silver.customers", "run"), ("gold.cities", "run"),
    ]  # fmt: skip
    shop.run()
    assert {step.action for step in plan(shop.project())} == {"skip"}
    drop(shop.home, "orders/2026-02.csv.gz", ORDERS_2)
    actions = {step.step.name: step.action for step in plan(shop.project())}
    assert actions == {
        "bronze.orders": "run", "bronze.customers": "skip", "silver.orders": "depends",
        "silver.customers": "skip", "gold.cities": "depends",
    }  # fmt: skip


def test_a_step_that_fails_blocks_what_follows_and_nothing_else(shop):
    sql = shop.conf / "shop" / "sql" / "silver_orders.sql"
    right = sql.read_text()
    sql.write_text(right.replace("try_cast(amount as double)", "cast(customer as double)"))
    failed = shop.run()
    assert failed.exit_code == 1
    assert shop.statuses(failed) == {
        "bronze.orders": "done", "bronze.customers": "done", "silver.orders": "failed",
        "silver.customers": "done", "gold.cities": "blocked",
    }  # fmt: skip
    error = next(step for step in failed.steps if step.name == "silver.orders").error
    assert error["code"] == "LL-TABLE-005"
    assert "'a'" not in json.dumps(error)
    sql.write_text(right)
    assert shop.run().status == "done"
    assert shop.rows("gold.cities", "city", "orders") == [("Oslo", 1), ("Rome", 1)]


def test_a_contract_that_does_not_fit_writes_nothing(shop):
    tables = shop.conf / "shop" / "tables.yml"
    tables.write_text(
        tables.read_text().replace(
            "amount: {type: double, unit: euro, description", "amount: {type: int, unit: euro, description"
        )
    )
    failed = shop.run()
    error = next(step for step in failed.steps if step.name == "silver.orders").error
    assert error["code"] == "LL-TABLE-004"
    assert "amount is double, the contract says int" in error["message"]
    assert not shop.lake.exists("silver.orders")


def test_a_rule_over_the_whole_table_restores_the_last_good_version(ran):
    shop = ran
    tables = shop.conf / "shop" / "tables.yml"
    before = shop.rows("silver.orders", "order_id", "amount")
    tables.write_text(
        tables.read_text().replace("max: 10000}", "max: 10000}\n      - {expect: row_count_between, min: 1, max: 2}")
    )
    assert shop.run().status == "done"
    drop(shop.home, "orders/2026-02.csv.gz", ORDERS_2)
    failed = shop.run()
    error = next(step for step in failed.steps if step.name == "silver.orders").error
    assert error["code"] == "LL-RULE-002"
    assert shop.rows("silver.orders", "order_id", "amount") == before
    newest = shop.lake.arrow("silver.orders").to_pylist()
    assert sorted((row["order_id"], row["amount"]) for row in newest) == before
    tables.write_text(tables.read_text().replace("min: 1, max: 2}", "min: 1, max: 3}"))
    assert shop.run().status == "done"
    assert len(shop.rows("silver.orders", "order_id")) == 3


def test_a_second_run_at_once_is_refused(shop):
    with locked(shop.project().root), pytest.raises(RunError) as caught:
        shop.run()
    assert caught.value.code == "LL-RUN-002"


def test_a_selection_runs_what_it_names(ordered):
    shop = ordered
    assert [str(name) for name in shop.lake.tables() if name.layer in ("bronze", "silver")] == [
        "bronze.orders",
        "silver.orders",
    ]
    with pytest.raises(RunError) as caught:
        shop.run("silver.oders")
    assert caught.value.code == "LL-RUN-001" and caught.value.fix == "use 'silver.orders'"


def test_every_commit_says_where_it_comes_from(shop):
    result = shop.run()
    (entry,) = shop.lake.history("silver.orders")
    manifest = entry["manifest"]
    assert manifest["run"] == result.run_id
    assert manifest["reads"] == {"bronze.orders": 0}
    assert manifest["step"] == "silver.orders" and manifest["epoch"] == 1
    assert {"config", "git", "lock", "clock", "seed", "code"} <= set(manifest)


def test_a_window_reads_again_what_arrived_in_it_and_doubles_nothing(ran):
    shop = ran
    drop(shop.home, "orders/2026-02.csv.gz", ORDERS_2)
    shop.run()
    before = shop.rows("silver.orders", "order_id", "amount")
    broken = shop.lake.size("quarantine.silver__orders").rows
    again = shop.run("silver.orders", window=Window(start=datetime(2020, 1, 1, tzinfo=UTC)))
    step = again.steps[0]
    assert (step.status, step.rows_in) == ("done", 6)
    assert "arrived from 2020-01-01T00:00:00+00:00 again" in step.reason
    assert shop.rows("silver.orders", "order_id", "amount") == before
    assert shop.lake.size("quarantine.silver__orders").rows == broken == 2
    late = drop(shop.home, "orders/2026-03.csv.gz", ORDERS_2.replace("4,c,7", "5,c,9"))
    none = shop.run("bronze.orders", window=Window(end=datetime(2020, 1, 1, tzinfo=UTC)))
    assert shop.statuses(none) == {"bronze.orders": "skipped"}
    assert late.exists() and shop.statuses(shop.run())["bronze.orders"] == "done"
    assert shop.rows("silver.orders", "order_id")[-1] == (5,)


def test_a_repeated_key_of_a_table_that_is_not_merged_fails_the_step(shop):
    tables = shop.conf / "shop" / "tables.yml"
    right = tables.read_text()
    tables.write_text(
        right.replace("    sql: sql/gold_cities.sql\n", "    keys: [city]\n    sql: sql/gold_cities.sql\n")
    )
    assert shop.run().status == "done"
    sql = shop.conf / "shop" / "sql" / "gold_cities.sql"
    sql.write_text(sql.read_text().replace("group by c.city", "group by c.city, o.order_id"))
    drop(shop.home, "orders/2026-02.csv.gz", ORDERS_2)
    before = shop.rows("gold.cities", "city", "orders")
    failed = shop.run()
    error = next(step for step in failed.steps if step.name == "gold.cities").error
    assert error["code"] == "LL-RULE-002" and "city:unique" in error["message"]
    assert shop.rows("gold.cities", "city", "orders") == before
