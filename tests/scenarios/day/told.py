"""What a source was told: which orders it holds, and which of them a run must have taken, might have, or can't have.

An order is known by ``id/rev``, which stands in its row as ``token``. Orders lie in *pieces* (an object, a file, a row
of a database), which are replaced as wholes.
"""

import random
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

BAD = "oops"


@dataclass(frozen=True)
class Order:
    """One order at one revision.

    Attributes
    ----------
    hour : int
        Of the day.
    bad : bool
        Whether its amount is no number.
    """

    id: str
    rev: int
    hour: int
    bad: bool = False

    @property
    def token(self):
        return f"{self.id}/{self.rev}"

    @property
    def amount(self):
        return Decimal(random.Random(self.token).randrange(1, 100_000)) / 100

    @property
    def fields(self):
        """The columns of its row, as text."""
        return {
            "token": self.token, "id": self.id, "rev": str(self.rev), "hour": str(self.hour),
            "amount": BAD if self.bad else str(self.amount),
        }  # fmt: skip

    def corrected(self):
        """Return its next revision, which is never bad."""
        return replace(self, rev=self.rev + 1, bad=False)


class Told:
    """What one source holds and has held."""

    def __init__(self):
        self.pieces, self._taken, self._gone = {}, set(), set()

    def put(self, piece, orders):
        """Put a piece there, in the place of what it held."""
        before = self.here
        self.pieces[piece] = tuple(orders)
        self._gone |= before - self.here - self._taken

    @property
    def here(self):
        return {order.token for orders in self.pieces.values() for order in orders}

    def took(self, before):
        """A run that began when `before` was here has ended well: what stayed there all the time it has taken."""
        self._taken |= before & self.here

    def differences(self, found):
        """Return how many orders are lost and how many doubled in `found`, a counter of tokens."""
        must, may = self._taken | self.here, self._gone
        lost = len(must - found.keys())
        doubled = sum(count - 1 if token in must | may else count for token, count in found.items())
        return lost, doubled

    def newest(self):
        """Return each order as it is now; of what was replaced only the newest revision counts."""
        found = {}
        for orders in self.pieces.values():
            for order in orders:
                if not order.bad and (order.id not in found or found[order.id].rev < order.rev):
                    found[order.id] = order
        return found

    def bad(self):
        """Return the tokens of bad orders that are here."""
        return {order.token for orders in self.pieces.values() for order in orders if order.bad}


def takings(told):
    """Return what all sources together have taken: (channel, hour) → number of orders and sum of amounts."""
    number, amount = Counter(), Counter()
    for channel, each in told.items():
        for order in each.newest().values():
            number[channel, order.hour] += 1
            amount[channel, order.hour] += order.amount
    return {key: (number[key], amount[key]) for key in number}
