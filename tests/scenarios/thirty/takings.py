"""What the bank tells of payments, in statements of three days and some days anew, and what the doors' counters count.

A door's counts come in time, or at most a little late; one comes after days, one without a time.
"""

import json
import random

from tests.shop import drop

DOORS = ["front", "yard"]
# Day → the day whose payments come anew; the last statements don't come.
ANEW, FIRST, SILENT_SINCE = {15: 11, 27: 24, 30: 20}, 6, 27
COUNTED, LATE, LATE_FROM, TIMELESS = range(13, 31, 3), 22, 19, 25


class Bank:
    """The statements: `told` holds all of their rows, in order."""

    def __init__(self, home, shop):
        self.home, self.shop, self.told = home, shop, []

    def day(self, number):
        """Lay out the statement of the last three days, and a day that comes anew."""
        if FIRST <= number < SILENT_SINCE and number % 3 == 0:
            self._statement(number, range(number - 2, number + 1))
        if number in ANEW:
            self._statement(number, [ANEW[number]])

    def _statement(self, number, days):
        """Tell the payments of some days' orders, as they were paid; anew, two of them are put right."""
        told, rows = f"2026-01-{number:02d}", []
        for of in days:
            day = f"2026-01-{of:02d}"
            orders = [row for row in self.shop.told if row["ordered_at"].startswith(day)]
            firsts = {int(row["order_id"]): row["amount"] for row in orders[::-1] if int(row["order_id"]) % 100 < 6}
            if number in ANEW and of == ANEW[number]:
                firsts.pop(100 * of + 3)
                firsts[100 * of] = "5.00"
            rows += [
                {"order_id": order, "day": day, "paid": paid, "told": told} for order, paid in sorted(firsts.items())
            ]
        self.told += rows
        lines = ["order_id,day,paid,told", *(",".join(map(str, row.values())) for row in rows)]
        drop(self.home, f"payments/{number:02d}-{min(days):02d}.csv", "\n".join(lines) + "\n")


class Doors:
    """The counts: `told` holds (door, at) of those that come in time, `late` of those that don't."""

    def __init__(self, home, seed=32):
        self.home, self.chance, self.told, self.late, self.over = home, random.Random(seed), [], [], []

    def day(self, number):
        """Lay out the counts of a day, from 1."""
        if number not in COUNTED:
            return
        day = f"2026-01-{number:02d}"
        counts = [
            (self.chance.choice(DOORS), f"{day} {self.chance.randint(9, 16):02d}:{place:02d}:00") for place in range(6)
        ]
        counts += [(door, f"{day} 18:00:00") for door in DOORS]
        # What was counted at half past five is sent with the next day's.
        counts, self.over = counts + self.over, [("yard", f"{day} 17:30:00")]
        self.told += counts
        if number == LATE:
            self.late = [("front", f"2026-01-{LATE_FROM:02d} 10:00:00")]
            counts = counts + self.late
        rows = [{"door": door, "at": at} for door, at in counts]
        rows += [{"door": "front", "at": "soon"}] if number == TIMELESS else []
        drop(self.home, f"visits/{number:02d}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
