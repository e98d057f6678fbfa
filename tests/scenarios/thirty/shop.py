"""Thirty days of a shop, as files that arrive: orders, a database's changes of customers, whole states of the stock.

Every kind of change is among them: corrections, repetitions, what comes late or out of order, deletions,
a key that comes back, a new column, values that don't fit, an order of nobody's, a state that comes
too late. The days are a pure function of the seed.
"""

import json
import random
from datetime import datetime, timedelta

from tests.shop import drop

START = datetime(2026, 1, 1, 9)
DAYS = 30
CITIES = ["Oslo", "Rome", "Bern", "Köln"]
SKUS = ["lamp", "desk", "chair", "vase", "rug"]


class Shop:
    """The days to come."""

    def __init__(self, home, seed=30):
        self.home, self.chance = home, random.Random(seed)
        self.orders, self.people, self.lsn, self.held, self.late = {}, {}, 0, [], ""
        self.told = []

    def day(self, number):
        """Lay out the files of a day, from 1."""
        self._customers(number)
        self._orders(number)
        self._stock(number)

    def _customers(self, number):
        events, self.held = self.held, []
        for _ in range(4 if number == 1 else self.chance.randint(0, 2)):
            events.append(self._event("c", f"c{len(self.people) + 1}"))
        for person in self.chance.sample(sorted(self.people), min(2, len(self.people))):
            alive = self.people[person] is not None
            gone = alive and len(self.people) > 6 and self.chance.random() < 0.3
            events.append(self._event("d" if gone else "u" if alive else "c", person))
        if number % 4 == 0:
            self.held = [events.pop()] if events[-1]["op"] == "u" else []  # comes tomorrow, after what follows it
        events += self.chance.sample(events, min(len(events), number % 3))
        if number == 11:
            events.append({"before": None, "after": None, "op": "t", "source": {"lsn": 0}})
        text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
        drop(self.home, f"customers/{number:02d}.jsonl", text)

    def _event(self, op, person):
        before, self.lsn = self.people.get(person), self.lsn + 1
        after = None if op == "d" else {"id": person, "name": f"N{person}", "city": self.chance.choice(CITIES)}
        self.people[person] = after
        return {"before": before, "after": after, "op": op, "source": {"lsn": self.lsn}}

    def _orders(self, number):
        names = ["order_id", "customer", "sku", "pieces", "amount", "ordered_at", *(["coupon"] if number >= 12 else [])]
        rows = []
        for place in range(6):
            at = START + timedelta(days=number - 1, minutes=37 * place)
            row = {"order_id": 100 * number + place, "customer": self.chance.choice(sorted(self.people)),
                   "sku": f" {self.chance.choice(SKUS).title()}", "pieces": self.chance.randint(1, 4),
                   "amount": f"{self.chance.randint(100, 90_000) / 100:.2f}", "ordered_at": f"{at:%Y-%m-%d %H:%M}",
                   "coupon": self.chance.choice(["", "JAN"])}  # fmt: skip
            self.orders[row["order_id"]] = row
            rows.append(row)
        for order in self.chance.sample(sorted(self.orders), 2):  # corrected, perhaps days later
            self.orders[order] = self.orders[order] | {"amount": f"{self.chance.randint(1, 999)}", "coupon": "FIX"}
            rows.append(self.orders[order])
        rows.append(rows[0])
        broken = {5: {"amount": "twelve"}, 9: {"customer": "nobody"}, 13: {"amount": "-4"}, 17: {"pieces": "1.5"},
                  21: {"ordered_at": "21.01.2026 10:00"}, 23: {"ordered_at": "2026-01-32 10:00"}, 25: {"sku": "yacht"}}  # fmt: skip
        if number in broken:
            rows.append(rows[1] | {"order_id": 100 * number + 50} | broken[number])
        if number in (19, 20):
            rows.append(rows[2] | {"order_id": 100 * number + 50, "sku": "desk", "amount": "1450.00"})
        self.told += [{name: str(row[name]) for name in names} for row in rows]
        lines = [",".join(str(row.get(name, "")) for name in names) for row in rows]
        drop(self.home, f"orders/{number:02d}.csv", "\n".join([",".join(names), *lines]) + "\n")

    def _stock(self, number):
        lines = [
            f"{sku},{self.chance.randint(0, 3)},2026-01-{number:02d}" for sku in SKUS if self.chance.random() < 0.85
        ]
        text = "\n".join(["sku,pieces,day", *lines]) + "\n"
        if number == 20:
            self.late = text  # it comes two days late, after the states that follow it
        elif number != 14:  # which nobody sent
            drop(self.home, f"stock/{number:02d}.csv", text)
        if number == 22:
            drop(self.home, "stock/22-late.csv", self.late)
