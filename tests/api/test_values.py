import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from lakeloom.api.values import plain


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (2**53 + 1, 2**53 + 1),
        (0.1, 0.1),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (Decimal("1.10"), "1.10"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:00:00+00:00"),
        (b"\x00", "AA=="),
        ([{"a": (Decimal(1),)}], [{"a": ["1"]}]),
        (timedelta(minutes=1), 60.0),
    ],
)
def test_values_as_json(value, shown):
    assert plain(value) == shown
    json.dumps(plain(value), allow_nan=False)
