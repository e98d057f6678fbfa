"""The month as it is lived: what the days bring, a run in the evening of some, and what the tables should hold."""

import json
from datetime import UTC, datetime, timedelta

import lakeloom
from tests.flow.test_faults_clock import clock
from tests.scenarios.thirty import model
from tests.scenarios.thirty.declared import declare
from tests.scenarios.thirty.shelves import Shelves
from tests.scenarios.thirty.shop import Shop
from tests.scenarios.thirty.takings import Bank, Doors

# Of the day before the first.
EVENING = datetime(2025, 12, 31, 20, tzinfo=UTC)


def plain(rows, leave=("_",)):
    kept = [
        {name: value for name, value in row.items() if name == "_rescued" or not name.startswith(leave)} for row in rows
    ]
    return sorted(kept, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def held(lake, table):
    return plain(lake.sql(f"select * from {table}").to_pylist())


def done(result):
    assert result.status == "done", [step.error for step in result.steps if step.error]
    return {step.name: step for step in result.steps}


class Month:
    """The shop with all that tells of it, day by day, and the runs at the ends of some days."""

    def __init__(self, home, monkeypatch):
        monkeypatch.delenv("LAKELOOM_HOME", raising=False)
        self.home, self.monkeypatch, self.today = home, monkeypatch, 0
        self.shop, self.shelves, self.doors = Shop(home), Shelves(home), Doors(home)
        self.bank, self.upkeep = Bank(home, self.shop), []
        declare(home)

    def open(self):
        return lakeloom.open(self.home / "conf")

    def until(self, end, **options):
        """Let the days pass, and run in the evening of the last one."""
        for day in range(self.today + 1, end + 1):
            for each in (self.shop, self.shelves, self.bank, self.doors):
                each.day(day)
        self.today = end
        clock(self.monkeypatch, EVENING + timedelta(days=end))
        steps = done(self.open().run(**options))
        if "upkeep.silver__statements" in steps:
            self.upkeep += steps["upkeep.silver__statements"].upkeep
        return steps

    def models(self):
        """Return table → what it should hold."""
        customers = self.shop.people
        orders = model.orders(self.shop.told, {550: {"amount": "12"}}, customers)
        prices, labels = model.prices(self.shelves.events), model.labels(self.shelves.labels)
        catalogue, losers = model.catalogue(prices, labels)
        people = {name: person for name, person in customers.items() if person is not None}
        return {
            "silver.orders": orders, "silver.order_changes": orders, "silver.customers": list(people.values()),
            "silver.statements": model.statements(self.bank.told), "silver.payments": model.payments(self.bank.told),
            "silver.prices": prices, "silver.labels": labels, "silver.catalogue": catalogue,
            "silver.catalogue_losers": losers, "silver.visits": model.visits(self.doors.told),
            "gold.days": model.days(orders, people),
        }  # fmt: skip
