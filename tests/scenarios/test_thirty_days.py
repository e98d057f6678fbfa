"""Thirty days of a shop: the same tables whether every day has its run or many days share one.

Every table is what a model in plain Python makes of what was told, and what the golden tables say. In the course of
the month the declaration changes, a rule is found wrong and its victims are replayed; after it somebody looks at the
quarantine: what can be mended is mended and replayed, the rest is given up. ``make golden`` writes the tables and texts
anew; read the difference before you commit it.
"""

from datetime import timedelta

import pytest

from lakeloom.store.lake import Lake
from tests.scenarios.test_golden import agrees
from tests.scenarios.thirty import model
from tests.scenarios.thirty.declared import EVOLVED, MENDED, SUPPLIED, declare, once
from tests.scenarios.thirty.month import EVENING, Month, done, held, plain
from tests.scenarios.thirty.refused import refusals, text_of
from tests.scenarios.thirty.shelves import FIRST, NEW
from tests.scenarios.thirty.shop import DAYS
from tests.scenarios.thirty.takings import COUNTED
from tests.scenarios.thirty.wrong import WRONG

TABLES = [
    "silver.orders",
    "silver.customers",
    "silver.customers_history",
    "silver.stock",
    "silver.order_changes",
    "silver.payments",
    "silver.prices",
    "silver.labels",
    "silver.catalogue",
    "silver.catalogue_losers",
    "silver.visits",
    "gold.days",
]
QUARANTINES = [
    "silver.orders", "silver.customers", "silver.stock", "silver.prices", "silver.labels", "silver.visits",
]  # fmt: skip


def judged(month, lake):
    """Compare what came of rules over the month with what it should."""

    def judgements(table, rule):
        (found,) = [each.judgements for each in lake.rule_history(table) if each.rule == rule]
        return found

    # The bank is silent for the last days, but for one statement that comes anew.
    fresh = judgements("silver.payments", "day:fresh")
    assert (fresh[0].outcome, fresh[-1].outcome) == ("passed", "warned")
    # What was paid is not what was ordered: orders were corrected, and statements lack.
    paid, orders = model.payments(month.bank.told), model.orders(month.shop.told, {}, month.shop.people)
    last = judgements("silver.payments", "reconciles:silver.orders")[-1]
    sums = [sum(row[name] for row in rows).normalize() for rows, name in ((paid, "paid"), (orders, "amount"))]
    told = f"count {len(paid)} and {len(orders)}; paid {sums[0]:f} and {sums[1]:f}"
    assert (last.outcome, last.observed) == ("warned", told)
    # The bookkeeping's copy never differs from the orders.
    assert {each.outcome for each in judgements("silver.order_changes", "reconciles:silver.orders")} == {"passed"}
    # A new collection is more than the catalogue ever had.
    volume = judgements("silver.catalogue", "volume")
    since = (EVENING + timedelta(days=NEW)).isoformat()
    first = next(place for place, each in enumerate(volume) if each.at >= since)
    assert {each.outcome for each in volume[:first]} == {"passed"} and volume[first].outcome == "warned"
    # One label of several was misread: not more than the share that is granted.
    labels = judgements("silver.labels", "price:values_between")
    assert sum(each.broken for each in labels) == 1 and {each.outcome for each in labels} == {"passed", "quarantined"}
    compacted = [each for each in month.upkeep if any(done.startswith("compact") for done in each["done"])]
    assert compacted and all(each["files_after"] < each["files_before"] for each in compacted)


@pytest.mark.parametrize(
    "ends",
    [
        [SUPPLIED, EVOLVED, MENDED, DAYS],
        pytest.param(range(1, DAYS + 1), marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
    ids=["runs of days", "daily"],
)
def test_thirty_days(ends, tmp_path, spark, monkeypatch):
    month, breaking, refused = Month(tmp_path, monkeypatch), False, []
    for end in ends:
        month.until(end, allow_breaking=breaking)
        breaking = end == EVOLVED
        if end in (SUPPLIED, EVOLVED, MENDED):
            declare(tmp_path, after=end)
        if breaking:
            refused.append(text_of(month.open().run))
        if end == MENDED:
            # The two desks come back; what is below nothing is still wrong.
            again = month.open().replay("silver.orders", rule="amount:values_between")
            assert (again.rows, again.written, again.breaking) == (3, 2, {"amount:values_between": 1})
    lake = month.open()
    judged(month, lake)
    rows = {
        table: plain({"reasons": row.reasons, "row": row.row, "state": row.state}
                     for row in lake.quarantined(table, limit=None))
        for table in QUARANTINES
    }  # fmt: skip
    agrees("thirty_days_quarantine.json", rows)
    # One amount is told by the customer, one order is given up, the others wait.
    lake.fix("silver.orders", "amount = '12'", rule="parse:amount", why="the customer said so")
    assert lake.replay("silver.orders", rule="parse:amount").written == 1
    lake.drop("silver.orders", rule="customer:references", why="a test order")
    done(lake.run())
    lake = month.open()
    models = month.models()
    found = {name: held(lake, name) for name in dict.fromkeys([*TABLES, *models])}
    for table, rows in models.items():
        assert found[table] == plain(rows), table
    agrees("thirty_days.json", {name: found[name] for name in TABLES})
    agrees("thirty_days_conflicts.json", lake.conflicts("silver.catalogue", 0).now)
    agrees("thirty_days_refused.txt", "\n".join(refused + refusals(lake)))
    assert {step.status for step in lake.run().steps} == {"skipped"}
    # Built anew from all that came, with what was decided about its rows, it is the same table.
    done(lake.run("silver.orders", full_refresh=True))
    assert held(month.open(), "silver.orders") == found["silver.orders"]
    assert Lake(lake.root).exists("aside.silver__customers")


def told(result):
    """Return what the failed steps of a run say; steps that run side by side end in any order."""
    errors = sorted(((step.name, step.error) for step in result.steps if step.error), key=lambda each: each[0])
    return [f"{e['code']}  {name}\n  {e['message']}\n  fix: {e['fix']}" for name, e in errors]


def test_the_texts_of_what_can_go_wrong(tmp_path, spark, monkeypatch):
    month = Month(tmp_path, monkeypatch)
    declare(tmp_path, after=EVOLVED)
    tables = tmp_path / "conf" / "thirty" / "tables.yml"
    right = tables.read_text()
    tables.write_text(WRONG)
    texts = [str(finding) for finding in month.open().check()]
    for each, day in ((month.shop, 1), (month.shelves, FIRST), (month.doors, COUNTED[0])):
        each.day(day)
    wrong = once(right, "      pieces: int\n", "").replace("evolve: add", "evolve: none", 1)
    wrong = once(wrong, "min: 1, max: 500, at_most: 40 %", "min: 1, max: 20, at_most: 40 %")
    wrong = once(wrong, "window(at, '1 day')\n", "window(at, '1 day') order by door\n")
    tables.write_text(wrong)
    texts += told(month.open().run("+silver.orders", "+silver.labels", "+silver.visits"))
    tables.write_text(once(right, "row_count_between, min: 1}", "row_count_between, min: 1000}"))
    texts += told(month.open().run("+gold.days"))
    agrees("thirty_days_mistakes.txt", "\n".join(texts) + "\n")
