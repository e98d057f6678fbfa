"""What people ask of the month's tables that can't be had, and what they are told: by code, text and fix."""

import re
from datetime import UTC, datetime

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.core.steps import Window
from lakeloom.store.lock import locked

JANUARY = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
ORDERS, VISITS = "silver.orders", "silver.visits"


def refusals(lake):
    """Return what is told of fixes, quarantine, streams and conflicts that can't be; nothing of it changes a table."""
    return [
        text_of(asked, *words, **options)
        for asked, words, options in (
            (lake.fix, (ORDERS, "amount = '1'"), {"rule": "amount:between"}),
            (lake.fix, (ORDERS, "amount = '1'"), {"where": "order_id = 'none'"}),
            (lake.fix, (ORDERS, "amount = '1'"), {"where": "order"}),
            (lake.fix, (ORDERS, "pieces"), {"rule": "parse:pieces"}),
            (lake.fix, (ORDERS, "pieces = rand()"), {"rule": "parse:pieces"}),
            (lake.fix, (ORDERS, "peices = '2'"), {"rule": "parse:pieces"}),
            (lake.fix, (ORDERS, "pieces = 'two'"), {"rule": "parse:pieces", "on": "row"}),
            (lake.fix, (VISITS, "at = '2026-01-20'"), {"rule": "late", "on": "row"}),
            (lake.fix, ("bronze.orders", "amount = '1'"), {}),
            (lake.drop, (ORDERS,), {"rule": "parse:pieces", "why": ""}),
            (lake.replay, ("silver.order",), {}),
            (lake.replay, (ORDERS,), {"where": "amount +"}),
            (lake.conflicts, ("silver.catalog",), {}),
            (lake.conflicts, (ORDERS,), {}),
            (lake.run, (VISITS,), {"window": JANUARY}),
            (lake.restore, (VISITS, "previous"), {}),
            (lake.restore, ("silver.prices", "january"), {}),
        )
    ] + [_at_once(lake)]  # fmt: skip


def text_of(asked, *words, **options):
    """Ask for what is refused, and return what is told."""
    with pytest.raises(LakeloomError) as caught:
        asked(*words, **options)
    said = " ".join([*(str(word) for word in words), *(f"{name}={value}" for name, value in options.items())])
    return f"{asked.__name__} {said.replace(str(JANUARY), 'January')}\n{caught.value}\n"


def _at_once(lake):
    with locked(lake.root):
        return re.sub(r"process \d+", "process N", text_of(lake.run))
