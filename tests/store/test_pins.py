"""Who needs which version: refs, unfinished steps, last inputs, trained models."""

from datetime import UTC, datetime

import pyarrow as pa
from deltalake import write_deltalake

from lakeloom.core.steps import Input, Step
from lakeloom.store import refs
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.meta import append
from lakeloom.store.pins import Pin, pins

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ran(intents, step, epoch, reads, versions=None, side=None, **more):
    intent = Intent(step, epoch, f"run{epoch}", NOW.isoformat(), 7, "code", reads=reads, side=side, **more)
    intents.begin(intent)
    if versions is not None:
        intents.finish(intent, {"versions": versions})


def published(lake, epoch, **versions):
    named = {name.replace("__", "."): version for name, version in versions.items()}
    refs.publish(lake, named, step="s", epoch=epoch, run="r", at=NOW)


def test_every_kind_of_need_is_told_with_its_reason(lake):
    intents = Intents(lake.root)
    published(lake, 1, silver__a=3)
    published(lake, 2, silver__a=9)
    tag = {"table": "silver.a", "name": "audit", "version": 2, "step": "", "epoch": 0, "run": "", "at": NOW, "order": 9}
    append(lake, refs.TABLE, refs.COLUMNS, [tag])
    ran(intents, "gold.sums", 1, {"silver.a": 5}, {"gold.sums": 0})
    ran(intents, "gold.sums", 2, {"silver.a": 6}, {"gold.sums": 1})
    ran(intents, "gold.stops", 1, {"silver.a": 4}, side=1)
    ran(intents, "silver.feed", 1, {"silver.a": 7}, {"silver.feed": 0})
    ran(intents, "gold.removed", 1, {"silver.a": 1}, {"gold.removed": 0})
    for epoch in (1, 2, 3):
        ran(intents, "datasets.d", epoch, {"silver.a": epoch + 10, "features.f": epoch}, {"datasets.d": epoch + 20})
    ran(intents, "tuning.m", 1, {"datasets.d": 22}, {"tuning.m": 1})
    ran(intents, "models.m", 1, {"datasets.d": 22, "tuning.m": 1}, {"models.m": 1})
    steps = {
        name: Step(name, "transform", (Input("silver.a", mode),), (name,), None)
        for name, mode in (("gold.sums", "whole"), ("gold.stops", "whole"), ("silver.feed", "changes"))
    }
    found = pins(lake, intents, steps)
    assert set(found) == {
        Pin("silver.a", 9, 9, "last good version"),
        Pin("silver.a", 2, 2, "tag audit"),
        Pin("silver.a", 6, 6, "last input of gold.sums"),
        Pin("silver.a", 4, 4, "gold.stops, which has not finished"),
        Pin("quarantine.gold__stops", 1, 1, "gold.stops, which has not finished"),
        Pin("silver.a", 7, 9, "last input of silver.feed"),  # its changes since then are still to be read
        *(
            Pin(table, at, at, f"{model} of run run1")
            for model in ("tuning.m", "models.m")
            for table, at in (("datasets.d", 22), ("silver.a", 12), ("features.f", 2))
        ),
    }
    assert len(found) == len(set(found))


def test_of_an_empty_root_nothing_is_pinned(lake):
    assert pins(lake, Intents(lake.root), {}) == []


def test_a_model_of_a_dataset_that_upkeep_has_put_together_needs_what_that_was_made_of(lake):
    intents = Intents(lake.root)
    ran(intents, "datasets.d", 1, {"silver.a": 3}, {"datasets.d": 0})
    ran(intents, "datasets.d", 2, {"silver.a": 7}, {"datasets.d": 1})
    ran(intents, "models.m", 1, {"datasets.d": 2}, {"models.m": 1})  # OPTIMIZE wrote version 2
    ran(intents, "datasets.d", 3, {"silver.a": 9}, {"datasets.d": 3})
    by = "models.m of run run1"
    assert set(pins(lake, intents, {})) == {Pin("datasets.d", 2, 2, by), Pin("silver.a", 7, 7, by)}


def test_an_execution_of_a_dataset_that_came_to_nothing_has_made_none(lake):
    intents = Intents(lake.root)
    ran(intents, "datasets.d", 1, {"silver.a": 3}, {"datasets.d": 0})
    ran(intents, "datasets.d", 2, {"silver.a": 7})
    assert intents.maker("datasets.d", 0).intent.epoch == 1
    assert intents.maker("datasets.d", 5).intent.epoch == 1
    assert intents.maker("datasets.d", -1) is None and intents.maker("datasets.e", 0) is None


def test_the_numbers_of_a_table_that_was_made_anew_are_not_those_that_were_read(lake):
    intents = Intents(lake.root)
    write_deltalake(lake.path("silver.a"), pa.table({"k": [1]}))
    own = identity(lake, "silver.a")
    step = Step("gold.sums", "transform", (Input("silver.a", "whole"),), ("gold.sums",), None)
    for number, known in enumerate(({"silver.a": own}, {}, {"silver.a": "of the one before"}), 1):
        ran(intents, "gold.sums", number, {"silver.a": number}, {"gold.sums": number}, ids=known)
        wanted = (
            [] if known.get("silver.a", own) != own else [Pin("silver.a", number, number, "last input of gold.sums")]
        )
        assert pins(lake, intents, {"gold.sums": step}) == wanted
