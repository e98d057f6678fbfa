"""Refs: the last published version is the good one, also where steps publish side by side."""

import threading
from datetime import UTC, datetime

from lakeloom.store import refs

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def publish(lake, versions, epoch=1):
    refs.publish(lake, versions, step="step", epoch=epoch, run="run", at=NOW)


def test_without_a_publication_nothing_is_good(lake):
    assert refs.good(lake) == {}
    assert refs.entries(lake) == []


def test_good_is_the_last_published_also_when_it_is_an_older_version(lake):
    publish(lake, {"silver.a": 1, "quarantine.silver__a": 0})
    publish(lake, {"silver.a": 5})
    publish(lake, {"silver.a": 3})
    assert refs.good(lake) == {"silver.a": 3, "quarantine.silver__a": 0}
    assert [entry["version"] for entry in refs.entries(lake) if entry["table"] == "silver.a"] == [1, 5, 3]


def test_steps_that_publish_side_by_side_lose_nothing(lake):
    threads = [threading.Thread(target=publish, args=(lake, {f"gold.t{index}": index})) for index in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert refs.good(lake) == {f"gold.t{index}": index for index in range(6)}
    assert sorted(entry["order"] for entry in refs.entries(lake)) == list(range(6))
