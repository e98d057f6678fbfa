"""Cleansing in a run: after the SQL, before contract and rules; what is incompatible is in quarantine, with its text."""

import json

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.flow.planning import plan
from lakeloom.store.intents import Intents
from tests.shop import drop

TABLES = """\
tables:
  silver.orders:
    from: {bronze.orders: new}
    clean:
      - trim: {columns: "*"}
      - nullify: {columns: [amount], values: ["-"]}
      - parse: {column: order_id, type: bigint}
      - parse: {column: amount, type: double, decimal: ",", group: "."}
      - parse: {column: ordered_on, type: date, formats: [yyyy-MM-dd, dd.MM.yyyy]}
      - map: {column: customer, values: {a: Ada, b: Bo}}
      - deduplicate: {by: [order_id], order: _position}
    keys: [order_id]
    write: {mode: merge, sequence_by: _position}
    columns: {order_id: bigint, customer: string, amount: double, ordered_on: date}
    rules:
      - {column: amount, expect: not_null}
  gold.days:
    from: {silver.orders: whole}
    function: tests.flow.test_cleansing:days
    clean:
      - key: {columns: [day], into: day_key}
      - parse: {column: spent, type: "decimal(4,1)", into: exact}
      - calendar: {column: day, parts: [iso_week, is_weekend]}
"""
ORDERS = """\
order_id;customer;amount;ordered_on
1;a; 10,5 ;2026-01-01
2;b;1.020,25;02.01.2026
2;b;1.030,25;02.01.2026
3;z;5;2026-01-03
x;a;5;2026-01-03
4;a;ten;2026-02-30
5;a;-;2026-01-03
"""
TESTS = """\
tests:
  cleansed:
    table: silver.orders
    given:
      bronze.orders:
        - {order_id: " 1", customer: a, amount: "1.000,5"}
        - {order_id: 1, customer: a}
        - {order_id: 2, customer: b, amount: ten}
        - {order_id: 3, customer: q, amount: "1"}
    expect: []
    quarantined: {"parse:amount": 1, "map:customer": 1, "amount:not_null": 2}
  one input may leave out columns:
    table: silver.orders
    given: {bronze.orders: [{order_id: 1, amount: "7"}]}
    expect: [{order_id: 1, amount: 7, customer: null}]
"""


def days(inputs):
    return inputs["silver.orders"].selectExpr("ordered_on as day", "cast(amount as string) as spent")


@pytest.fixture
def cleansing(shop):
    folder = shop.conf / "shop"
    (folder / "sources.yml").write_text(
        "sources:\n  orders: {kind: files, path: 'in/orders/*.csv*', format: csv, options: {sep: ';'}}\n"
    )
    (folder / "tables.yml").write_text(TABLES)
    (folder / "tests").mkdir()
    (folder / "tests" / "orders.yml").write_text(TESTS)
    drop(shop.home, "orders/2026-01.csv.gz", ORDERS)
    return shop


def facts(shop, step):
    return Intents(shop.project().root).published(step).facts


def test_a_run_cleanses_counts_and_quarantines_and_a_second_does_nothing(cleansing):
    first = cleansing.run()
    assert first.status == "done", first.steps
    assert cleansing.rows("silver.orders", "order_id", "customer", "amount") == [(1, "Ada", 10.5), (2, "Bo", 1030.25)]
    table = cleansing.lake.arrow("silver.orders")
    # Where a row came from goes with it; neither what verbs counted nor why others left does.
    assert set(table.column_names) == {"order_id", "customer", "amount", "ordered_on", "_position", "_file"}
    broken = {
        json.loads(row["raw"])["order_id"]: row for row in cleansing.lake.arrow("quarantine.silver__orders").to_pylist()
    }
    assert {key: sorted(row["reasons"]) for key, row in broken.items()} == {
        "3": ["map:customer"], "x": ["order_id:not_null", "parse:order_id"],
        "4": ["amount:not_null", "parse:amount", "parse:ordered_on"], "5": ["amount:not_null"],
    }  # fmt: skip
    assert json.loads(broken["4"]["raw"])["amount"] == "ten"
    changed = facts(cleansing, "silver.orders")["changed"]
    assert changed == {
        "1_trim": 1,
        "2_nullify": 1,
        "3_parse": 6,
        "4_parse": 5,
        "5_parse": 6,
        "6_map": 6,
        "7_deduplicate": 1,
    }
    step = next(step for step in first.steps if step.name == "silver.orders")
    assert (
        step.changed == changed and step.as_dict()["changed"] == changed and "changed" not in first.steps[0].as_dict()
    )
    # Of a table that is not made of bronze rows the quarantine keeps the text itself.
    (lost,) = cleansing.lake.arrow("quarantine.gold__days").to_pylist()
    assert lost["reasons"] == ["parse:spent"]
    assert (
        json.loads(lost["raw"])["_unread"] == [{"column": "spent", "value": "1030.25"}] and "_unread" not in lost["row"]
    )
    assert (
        cleansing.rows("gold.days", "exact", "day_iso_week", "day_is_weekend")
        and "_unread" not in cleansing.lake.arrow("gold.days").column_names
    )
    second = cleansing.run()
    assert {step.status for step in second.steps} == {"skipped"}
    lake = open_lakehouse(cleansing.conf)
    edges = {(edge.source, edge.target) for edge in lake.lineage().edges}
    assert edges >= {("bronze.orders", "silver.orders"), ("silver.orders", "gold.days")}
    assert "trim" in lake.report(first.run_id).read_text()
    assert [each.action for each in plan(cleansing.project())] == ["skip"] * 3


def test_cases_see_what_cleansing_does(cleansing):
    results = {result.name: result for result in open_lakehouse(cleansing.conf).test()}
    told = "\n".join(map(str, results.values()))
    assert results["one input may leave out columns"].passed, told
    assert results["cleansed"].quarantined, told


def test_a_verb_that_says_fail_stops_the_step_before_it_writes(cleansing):
    tables = cleansing.conf / "shop" / "tables.yml"
    tables.write_text(TABLES.replace("type: bigint}", "type: bigint, otherwise: fail}"))
    result = cleansing.run("silver.orders", "bronze.orders")
    step = next(step for step in result.steps if step.name == "silver.orders")
    assert (step.status, step.error["code"]) == ("failed", "LL-CLEAN-003")
    assert "parse:order_id" in step.error["message"] and not cleansing.lake.exists("silver.orders")
