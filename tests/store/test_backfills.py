import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.store.backfills import Backfills, Plan

PLAN = Plan("event", ("silver.a",), ("gold.a",), (("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"),))


def test_the_same_plan_goes_on_until_it_has_ended_and_begins_anew_then(root):
    store = Backfills(root)
    first = store.open(PLAN)
    assert store.plan(first) == PLAN and store.done(first) == {}
    store.note(first, 1, {"run_id": "r1", "seconds": 1.5})
    assert Backfills(root).open(PLAN) == first
    assert store.done(first) == {1: {"run_id": "r1", "seconds": 1.5}}
    store.end(first, {})
    second = store.open(PLAN)
    assert second != first and store.done(second) == {} and store.ended(first) and not store.ended(second)
    assert store.open(Plan("ingestion", PLAN.sliced, PLAN.tail, PLAN.spans)) not in (first, second)


def test_a_slice_is_noted_once(root):
    store = Backfills(root)
    name = store.open(PLAN)
    store.note(name, 1, {})
    with pytest.raises(LakeloomError) as caught:
        store.note(name, 1, {})
    assert caught.value.code == "LL-STORE-006"


@pytest.mark.parametrize("name", ["", "nope", "../../etc", "0123456789abcdef-0001"])
def test_a_backfill_that_does_not_exist_is_coded(root, name):
    with pytest.raises(LakeloomError) as caught:
        Backfills(root).plan(name)
    assert caught.value.code == "LL-RUN-003"


def test_a_damaged_plan_is_coded(root):
    store = Backfills(root)
    name = store.open(PLAN)
    (store.folder / name / "plan.json").write_text('{"by": "event"')
    with pytest.raises(LakeloomError) as caught:
        store.plan(name)
    assert caught.value.code == "LL-STORE-005"
