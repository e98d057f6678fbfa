"""A run on a sample: a root of its own, nothing of the real one, and the same rows however it comes about."""

import json

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.flow.prepare import prepare
from lakeloom.flow.runs import new_run_id
from lakeloom.project.graph import steps
from tests.shop import drop

HEADER = "order_id,customer,amount,ordered_on\n"


def orders(first, last):
    return HEADER + "".join(
        f"{number},{'abc'[number % 3]}{number % 40},1,2026-02-01\n" for number in range(first, last)
    )


def rows(lake, table, *columns):
    return sorted(tuple(row[name] for name in columns) for row in lake.table(table).arrow().to_pylist())


def test_a_sample_stays_apart_and_grows_by_what_is_new(shop):
    sources = shop.conf / "shop" / "sources.yml"
    sources.write_text(sources.read_text().replace("format: csv}", "format: csv, sample: [customer]}"))
    drop(shop.home, "orders/2026-02.csv.gz", orders(10, 2010))
    assert shop.run().status == "done"
    real = rows(open_lakehouse(shop.conf), "silver.orders", "order_id", "customer")
    versions = {info.name: info.version for info in open_lakehouse(shop.conf).tables() if info.layer != "meta"}

    result = open_lakehouse(shop.conf, sample="20%").run()
    assert result.status == "done"
    lake = open_lakehouse(shop.conf, sample="0.2")
    found = rows(lake, "silver.orders", "order_id", "customer")
    customers = {customer for _, customer in found}
    assert 0 < len(found) < len(real) / 2
    assert found == [row for row in real if row[1] in customers]
    # A source that says nothing and is small is whole, so that joins find their rows.
    assert len(rows(lake, "silver.customers", "id")) == 3
    assert {info.name: info.version for info in open_lakehouse(shop.conf).tables() if info.layer != "meta"} == versions
    (entry, *_) = lake.table("silver.orders").history()
    assert entry["manifest"]["sample"] == "20%"

    assert {step.status for step in open_lakehouse(shop.conf, sample="20%").run().steps} == {"skipped"}
    drop(shop.home, "orders/2026-03.csv.gz", orders(3000, 4000))
    assert open_lakehouse(shop.conf, sample="20%").run().status == "done"
    grown = rows(open_lakehouse(shop.conf, sample="20%"), "silver.orders", "order_id", "customer")
    assert set(found) < set(grown)
    assert {customer for _, customer in grown if int(customer[1:] or 0) < 40} >= customers


def test_a_replay_takes_the_share_and_the_columns_of_its_intent(shop):
    drop(shop.home, "orders/2026-02.csv.gz", orders(10, 2010))
    sources = shop.conf / "shop" / "sources.yml"
    plain = sources.read_text()
    sources.write_text(plain.replace("format: csv}", "format: csv, sample: rows}"))
    lake = open_lakehouse(shop.conf, sample="20%")
    from lakeloom.flow.context import Context

    context = Context.of(lake.project, new_run_id(lake.project.root))
    step = next(step for step in steps(lake.project) if step.name == "bronze.orders")
    ready = prepare(context, step)
    (intent,) = (lake.root / "intents" / "bronze.orders").glob("*.json")
    assert json.loads(intent.read_text())["batch"]["sample"] == {"share": 0.2, "by": "rows", "keys": []}
    assert ready.intent.batch["sample"]["by"] == "rows"
    # It crashed here; somebody changes the config, and the next run goes on.
    sources.write_text(plain.replace("format: csv}", "format: csv, sample: whole}"))
    again = open_lakehouse(shop.conf, sample="20%")
    result = again.run("bronze.orders")
    assert "goes on with epoch 1" in result.steps[0].reason
    assert 250 < open_lakehouse(shop.conf, sample="20%").table("bronze.orders").size.rows < 600


def test_a_column_that_the_source_lacks_fails_the_landing_with_its_name(shop):
    sources = shop.conf / "shop" / "sources.yml"
    sources.write_text(sources.read_text().replace("format: csv}", "format: csv, sample: [custmer]}"))
    result = open_lakehouse(shop.conf, sample="20%").run("bronze.orders")
    (step,) = result.steps
    assert step.error["code"] == "LL-SOURCE-003" and step.error["fix"] == "use 'customer'"
