from datetime import UTC, datetime, timedelta

import pytest

from lakeloom.notify.events import late, quarantine, span

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(("age", "told"), [(timedelta(hours=26), False), (timedelta(hours=26, seconds=1), True)])
def test_data_is_late_only_beyond_what_is_allowed(age, told):
    event = late("silver.a", NOW - age, 26 * 3600, NOW, "ops")
    assert (event is not None) == told
    if event:
        assert "2026-01-01 09:59 UTC" in event.text and "1 day 2 hours" in event.text and event.owner == "ops"


def test_a_table_without_data_is_late_and_one_of_the_future_is_not():
    assert "holds no data" in late("silver.a", None, 60, NOW, None).text
    assert late("silver.a", NOW + timedelta(days=1), 60, NOW, None) is None


@pytest.mark.parametrize(
    ("broken", "good", "limit", "told"),
    [(1, 99, 0.01, False), (2, 98, 0.01, True), (0, 0, 0.0, False), (0, 10, 0.0, False), (1, 0, 0.0, True)],
)
def test_quarantine_is_told_above_the_limit_not_at_it(broken, good, limit, told):
    event = quarantine("silver.a", broken, good, limit, None)
    assert (event is not None) == told
    if event:
        assert f"{broken} of {broken + good} rows" in event.text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 seconds"), (1, "1 second"), (59.4, "59 seconds"), (60, "1 minute"), (86_400, "1 day"),
     (93_784, "1 day 2 hours"), (-5, "0 seconds")],
)  # fmt: skip
def test_spans_are_in_the_units_that_people_read(seconds, text):
    assert span(seconds) == text
