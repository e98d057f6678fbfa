"""What a supplier tells of its prices, and what a scanner reads off the shelves: they disagree, as such sources do.

Both begin in the second week. Among the supplier's changes are one that comes late, one that takes a thing away that
comes back, one of an unknown kind, one without a number, and a new collection at once. The scanner misreads a price,
reads none, and after the twelfth day writes a unit.
"""

import json
import random

from tests.scenarios.thirty.shop import SKUS
from tests.shop import drop

MAKERS, COLOURS = ["Aalto", "Bo"], ["oak", "red", "white"]
COLLECTION = [f"c{number:02d}" for number in range(1, 13)]
# The days of what is odd about the supplier's changes; one of the lamp arrives two days after it was made.
FIRST, GONE, UNKNOWN, MADE, BACK, ARRIVED, NO_NUMBER, REPEATED, NEW = 6, 8, 10, 14, 14, 16, 16, 19, 24
PRICED = (8, 10, 14, 16, 19, 24, 27)
# Those of the scanner, which goes past the shelves every fourth day.
MISREAD, UNREAD, UNITS = 6, 10, 12


class Shelves:
    """The files of the days to come; `events` and `labels` are all that was told, in order."""

    def __init__(self, home, seed=31):
        self.home, self.chance = home, random.Random(seed)
        self.list, self.events, self.labels, self.held = {}, [], [], []

    def day(self, number):
        """Lay out the files of a day, from 1."""
        self._prices(number)
        self._labels(number)

    def _prices(self, number):
        made = self._usual(number) + self._odd(number)
        if number == REPEATED:
            made *= 2
        self.events += made
        if made:
            drop(self.home, f"prices/{number:02d}.jsonl", "".join(json.dumps(event) + "\n" for event in made))

    def _usual(self, number):
        if number == FIRST:
            return [self._event("I", number, place, sku) for place, sku in enumerate(SKUS)]
        if number not in PRICED:
            return []
        return [self._event("U", number, 0, self.chance.choice(sorted(set(self.list) - {"vase", "lamp"})))]

    def _odd(self, number):
        made = []
        if number == MADE:
            self.held = [self._event("U", number, 1, "lamp")]
        if number == ARRIVED:
            made += [self._event("U", number, 2, "lamp"), *self.held]
        if number == GONE:
            made.append({"op": "D", "at": _at(number, 3), "sku": "vase"})
        if number == BACK:
            made.append(self._event("I", number, 3, "vase"))
        if number == UNKNOWN:
            made.append(self._event("U", number, 4, "rug") | {"op": "X", "price": "1"})
        if number == NO_NUMBER:
            made.append(self._event("U", number, 4, "rug") | {"price": "ask us"})
        if number == NEW:
            made += [self._event("I", number, 5 + place, sku) for place, sku in enumerate(COLLECTION)]
        return made

    def _event(self, op, number, place, sku):
        """Make a change of a thing; until it has cents, a price is whole."""
        cents = f".{self.chance.choice(['00', '50', '90', '95'])}" if number > UNITS else ""
        row = {"op": op, "at": _at(number, place), "sku": sku, "price": f"{self.chance.randint(20, 200)}{cents}",
               "title": f"{sku.title()} {self.chance.choice('ABC')}", "shelf": f"S{self.chance.randint(1, 3)}",
               "colour": self.chance.choice([*COLOURS, None]), "maker": self.chance.choice(MAKERS)}  # fmt: skip
        self.list[sku] = row
        return row

    def _labels(self, number):
        if number < FIRST or number % 4 != 2:
            return
        names = ["sku", "price", "title", "shelf", "colour", "sure", "seen", *(["unit"] if number >= UNITS else [])]
        rows = []
        for place, sku in enumerate(self.chance.sample(SKUS, 4)):
            price = float(self.list[sku]["price"].replace("ask us", "80"))
            row = {"sku": sku, "price": f"{price + self.chance.choice([0, 0, 0.5, -10]):.2f}",
                   "title": self.list[sku]["title"].replace("B", "8"), "shelf": f"T{self.chance.randint(1, 3)}",
                   "colour": self.chance.choice([*COLOURS, ""]), "sure": self.chance.randint(40, 99),
                   "seen": f"2026-01-{number:02d} 18:{place:02d}:00", "unit": "piece"}  # fmt: skip
            rows.append(row)
        if number == UNREAD:
            rows[0] |= {"price": "?", "sure": 99}
        if number == MISREAD:
            rows.append(rows[0] | {"price": "9999", "sure": 99, "seen": f"2026-01-{number:02d} 18:30:00"})
        rows = [{name: row[name] for name in names} for row in rows]
        self.labels += rows
        lines = [",".join(names), *(",".join(map(str, row.values())) for row in rows)]
        drop(self.home, f"labels/{number:02d}.csv", "\n".join(lines) + "\n")


def _at(number, place):
    return f"2026-01-{number:02d} 07:{place:02d}:00"
