"""Intents: created once, whole or not at all; what a crash and a clean failure leave behind."""

import json
import threading

import pytest

from lakeloom.core.errors import StoreError
from lakeloom.core.secrets import Secret
from lakeloom.store.intents import Intent, Intents


@pytest.fixture
def intents(root):
    return Intents(root)


def intent(epoch=1, step="silver.orders"):
    return Intent(step, epoch, "run-1", "2026-01-01T00:00:00+00:00", 7, "code", reads={"bronze.orders": 3})


def test_an_intent_comes_back_as_it_was_written(intents):
    intents.begin(intent())
    record = intents.latest("silver.orders")
    assert record.intent == intent() and record.crashed


def test_of_many_that_begin_one_epoch_one_wins(intents):
    outcomes = []

    def begin():
        try:
            intents.begin(intent())
            outcomes.append("begun")
        except StoreError as error:
            outcomes.append((error.code, error.transient))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(outcomes, key=str) == [("LL-STORE-006", True)] * 7 + ["begun"]
    assert [path.name for path in (intents.folder / "silver.orders").iterdir()] == ["00000001.json"]


def test_done_is_published_and_failed_is_neither_published_nor_crashed(intents):
    intents.begin(intent(1))
    intents.finish(intent(1), {"version": 4})
    intents.begin(intent(2))
    intents.fail(intent(2), {"code": "LL-RUN-004"})
    assert intents.published("silver.orders").intent.epoch == 1
    assert intents.published("silver.orders").facts == {"version": 4}
    latest = intents.latest("silver.orders")
    assert latest.intent.epoch == 2 and latest.facts is None and not latest.crashed
    assert latest.failed == {"code": "LL-RUN-004"}


def test_later_records_come_in_order(intents):
    for epoch in (1, 2, 3):
        intents.begin(intent(epoch))
    assert [record.intent.epoch for record in intents.after("silver.orders", 1)] == [2, 3]
    assert intents.after("silver.orders", 3) == intents.after("silver.none", 0) == []


def test_facts_written_again_stay_the_first(intents):
    intents.begin(intent())
    intents.finish(intent(), {"version": 4})
    intents.finish(intent(), {"version": 5})
    assert intents.latest("silver.orders").facts == {"version": 4}


@pytest.mark.parametrize(
    ("name", "content"),
    [("00000001.json", each) for each in ("", "{", "[]", '{"step": "silver.orders"}', "\x00\x00")]
    + [("00000001.done.json", each) for each in ("", "{", "\x00\x00")],
)
def test_a_damaged_file_is_named(intents, name, content):
    intents.begin(intent())
    (intents.folder / "silver.orders" / name).write_text(content)
    with pytest.raises(StoreError) as caught:
        intents.latest("silver.orders")
    assert caught.value.code == "LL-STORE-005"
    assert "00000001.json of silver.orders" in caught.value.message


def test_what_a_killed_writer_leaves_is_no_intent(intents):
    intents.begin(intent())
    (intents.folder / "silver.orders" / ".00000002.json.4711").write_text('{"step"')
    assert intents.latest("silver.orders").intent.epoch == 1
    assert len(intents.history("silver.orders")) == 1


@pytest.mark.parametrize("step", ["../outside", "a/b", ".hidden", "", "a b", "a\0"])
def test_a_step_that_would_leave_the_folder_is_refused(intents, step):
    with pytest.raises(StoreError) as caught:
        intents.begin(intent(step=step))
    assert caught.value.code == "LL-STORE-003"


def test_a_file_in_place_of_the_folder_is_a_root_that_cannot_be_written(intents):
    intents.folder.write_text("in the way")
    with pytest.raises(StoreError) as caught:
        intents.begin(intent())
    assert caught.value.code == "LL-STORE-004"


def test_a_secret_reaches_no_file(intents):
    word = Secret("heron-marble-31").reveal()
    intents.begin(intent())
    intents.fail(intent(), {"message": f"refused {word}"})
    intents.finish(intent(), {"note": word})
    assert not [path for path in intents.folder.rglob("*.json") if word in path.read_text()]
    assert json.loads((intents.folder / "silver.orders" / "00000001.done.json").read_text()) == {"note": "***"}


def test_batches_are_those_of_landings_that_published_and_of_no_replay(intents):
    for epoch, (batch, replay, facts) in enumerate(
        [
            ({"files": [1]}, {}, {"batch": {"files": [1, 2]}}),  # what came of it counts
            ({"files": [3]}, {}, {"versions": {}}),  # as an older lakeloom wrote it
            ({"files": [9]}, {"ids": ["x"]}, {"batch": {}}),  # a replay
            ({"files": [9]}, {}, None),  # a crash
        ],
        1,
    ):
        made = Intent("bronze.a", epoch, "run-1", "2026-01-01T00:00:00+00:00", 7, "code", batch=batch, replay=replay)
        intents.begin(made)
        if facts is not None:
            intents.finish(made, facts)
    assert intents.batches("bronze.a") == [{"files": [1, 2]}, {"files": [3]}]
    (intents.folder / "bronze.a" / "00000001.done.json").write_text("{")
    with pytest.raises(StoreError, match="LL-STORE-005"):
        intents.batches("bronze.a")
