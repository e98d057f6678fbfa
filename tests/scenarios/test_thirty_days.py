"""Thirty days of a shop with golden tables: the same whether every day has its run or many days share one.

After them somebody looks at the quarantine: what can be mended is mended and replayed, the rest is given
up. ``make golden`` writes the tables anew; read the difference before you commit it.
"""

import json

import pytest

import lakeloom
from lakeloom.store.lake import Lake
from tests.scenarios.test_golden import agrees
from tests.scenarios.thirty_days import DAYS, Shop

TABLES = [
    "silver.orders",
    "silver.customers",
    "silver.customers_history",
    "silver.stock",
    "silver.order_changes",
    "gold.days",
]
QUARANTINES = ["silver__orders", "silver__customers", "silver__stock"]


def plain(rows, leave=("_",)):
    kept = [{name: value for name, value in row.items() if not name.startswith(leave)} for row in rows]
    return sorted(kept, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def done(result):
    assert result.status == "done", [step.error for step in result.steps if step.error]


@pytest.mark.parametrize(
    "ends", [[5, 12, 21, 30], pytest.param(range(1, DAYS + 1), marks=pytest.mark.long)], ids=["runs of days", "daily"]
)
def test_thirty_days(ends, tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    shop, first = Shop(tmp_path), 1
    for end in ends:
        for day in range(first, end + 1):
            shop.day(day)
        first = end + 1
        done(lakeloom.open(tmp_path / "conf").run())
    lake = lakeloom.open(tmp_path / "conf")
    open_rows = {
        side: plain(list(lake.table(f"quarantine.{side}").arrow().select(["reasons", "row", "state"]).to_pylist()))
        for side in QUARANTINES
    }
    agrees("thirty_days_quarantine.json", open_rows)
    # One amount is told by the customer, one order is given up, the others wait.
    lake.fix("silver.orders", "amount = '12'", rule="parse:amount", why="the customer said so")
    assert lake.replay("silver.orders", rule="parse:amount").written == 1
    lake.drop("silver.orders", rule="customer:references", why="a test order")
    done(lake.run())
    found = {name: plain(lake.table(name).arrow().to_pylist()) for name in TABLES}
    agrees("thirty_days.json", found)
    assert {step.status for step in lake.run().steps} == {"skipped"}
    # Built anew from all that came, with what was decided about its rows, it is the same table.
    done(lake.run("silver.orders", full_refresh=True))
    assert plain(lakeloom.open(tmp_path / "conf").table("silver.orders").arrow().to_pylist()) == found["silver.orders"]
    assert Lake(lake.root).exists("aside.silver__customers")


WRONG = """\
tables:
  silver.orders:
    from: {bronze.orders: new, bronze.stock: changes}
    sql: select order_id from bronze.orders
    write: {mode: scd2, by: [day], delete_when: rand() < 1}
    evolve: sometimes
  silver.customers:
    from: {bronze.customers: new}
    changes: {format: maxwell}
    write: {mode: scd4, sequence_by: _sequence}
  silver.stock:
    from: {bronze.stock: new}
    clean: [{trim: [sku]}, {parse: {column: pieces, type: integre}}, {polish: [sku]}]
    keys: [skuu]
    write: {mode: merge, snapshot_by: day, sequence_by: day}
    columns: {sku: string, day: date, valid_from: date}
    rules:
      - {column: sku, expect: references, to: silver.skus}
      - {expect: volume, otherwise: quarantine}
"""


def told(result):
    """Return what the failed steps of a run say."""
    errors = [(step.name, step.error) for step in result.steps if step.error]
    return [f"{e['code']}  {name}\n  {e['message']}\n  fix: {e['fix']}" for name, e in errors]


def test_the_texts_of_what_can_go_wrong(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    shop = Shop(tmp_path)
    tables = tmp_path / "conf" / "thirty" / "tables.yml"
    right = tables.read_text()
    tables.write_text(WRONG)
    texts = [str(finding) for finding in lakeloom.open(tmp_path / "conf").check()]
    shop.day(1)
    pieces = "      pieces: int\n"
    assert pieces in right
    tables.write_text(right.replace("evolve: add", "evolve: none", 1).replace(pieces, ""))
    result = lakeloom.open(tmp_path / "conf").run()
    texts += told(result)
    tables.write_text(right.replace("row_count_between, min: 1}", "row_count_between, min: 1000}"))
    result = lakeloom.open(tmp_path / "conf").run()
    texts += told(result)
    agrees("thirty_days_mistakes.txt", "\n".join(texts) + "\n")
