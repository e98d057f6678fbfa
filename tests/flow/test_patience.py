"""Sources that keep failing are asked with growing pauses."""

from datetime import UTC, datetime, timedelta

from lakeloom.flow.patience import Patience

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_pauses_double_up_to_the_longest_and_an_answer_ends_them():
    patience = Patience(10, 60)
    pauses = [(patience.failed("a", NOON) - NOON).total_seconds() for _ in range(50)]
    assert pauses[:4] == [10, 20, 40, 60] and set(pauses[3:]) == {60}
    assert patience.resting(NOON) == {"a": "failed 50 times in a row: asked again at 12:01:00 UTC"}
    assert patience.resting(NOON + timedelta(seconds=60)) == {}
    patience.answered("a")
    assert patience.resting(NOON) == {}
    assert patience.failed("a", NOON) == NOON + timedelta(seconds=10)
    assert patience.resting(NOON) == {"a": "it failed: asked again at 12:00:10 UTC"}
