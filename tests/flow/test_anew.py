"""A table whose folder was dropped and made anew: its versions begin at 0, and no reader takes them for those before."""

import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.flow.context import Context
from lakeloom.flow.decision import look
from lakeloom.flow.planning import plan
from lakeloom.flow.prepare import Ready, prepare
from lakeloom.project.graph import steps
from lakeloom.store import refs
from lakeloom.store.identity import identity
from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, v, _position from bronze.changes
    keys: [k]
    write: {mode: merge, sequence_by: _position, change_feed: true}
  gold.sums:
    from: {silver.items: whole}
    sql: select sum(v) as v from silver.items
  gold.feed:
    from: {silver.items: changes}
    sql: select k from silver.items
    write: {mode: append}
"""


def written(lake, *values):
    for value in values:
        write_deltalake(lake.path("silver.items"), pa.table({"k": [value], "v": [1]}), mode="append")
    version = lake.version("silver.items")
    refs.publish(lake, {"silver.items": version}, step="silver.items", epoch=1, run="r", at=datetime.now(UTC))


def read_by(reader, home, monkeypatch):
    """Return a project whose items were written twice, and the step that reads them."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Stream(home, {"k": "string", "v": "bigint"}, TABLES)
    written(stream.lake, "a", "b")
    return stream, next(step for step in steps(stream.project()) if step.name == reader)


@pytest.mark.parametrize("reader", ["gold.sums", "gold.feed"])
def test_the_same_number_of_another_table_is_no_reason_to_skip(tmp_path, monkeypatch, reader):
    stream, step = read_by(reader, tmp_path, monkeypatch)
    lake = stream.lake
    context = Context.of(stream.project(), "first")
    ready = prepare(context, step)
    assert isinstance(ready, Ready) and ready.intent.ids == {"silver.items": identity(lake, "silver.items")}
    context.intents.finish(ready.intent, {"versions": {reader: 0}})
    assert look(context, step, refs.good(lake)).action == "skip"
    shutil.rmtree(lake.path("silver.items"))
    written(lake, "x", "y")
    assert refs.good(lake) == {"silver.items": 1}
    decision = look(context, step, refs.good(lake))
    # From scratch: what changed since a version of the table before is no question that has an answer.
    assert (decision.action, decision.full) == ("run", True)
    planned = {each.step.name: each for each in plan(stream.project(), [reader])}
    assert planned[reader].reasons == ("silver.items was dropped and made anew",)


@pytest.mark.parametrize("reader", ["gold.sums", "gold.feed"])
def test_what_a_crash_left_is_not_gone_on_with_where_its_rows_are_gone(tmp_path, monkeypatch, reader):
    stream, step = read_by(reader, tmp_path, monkeypatch)
    lake = stream.lake
    first = prepare(Context.of(stream.project(), "first"), step)
    again = prepare(Context.of(stream.project(), "second"), step)
    assert isinstance(first, Ready) and isinstance(again, Ready) and again.intent == first.intent
    shutil.rmtree(lake.path("silver.items"))
    written(lake, "x", "y")
    anew = prepare(Context.of(stream.project(), "third"), step)
    assert isinstance(anew, Ready)
    assert (anew.intent.epoch, anew.intent.run, anew.intent.full, anew.intent.since) == (2, "third", True, {})
    assert anew.intent.ids == {"silver.items": identity(lake, "silver.items")} != first.intent.ids


def test_no_row_of_another_table_is_told_as_the_reason_for_one(ran):
    lake = open_lakehouse(ran.home / "conf")
    (before,) = lake.why("gold.cities", {"city": "Oslo"}).rows
    assert {source.table for source in before.sources} == {"silver.orders", "silver.customers"}
    ours, rows = ran.lake, ran.lake.arrow("silver.customers")
    last = ours.version("silver.customers")
    shutil.rmtree(ours.path("silver.customers"))
    write_deltalake(ours.path("silver.customers"), rows)
    while ours.version("silver.customers") < last:
        write_deltalake(ours.path("silver.customers"), rows.slice(0, 0), mode="append")
    (after,) = lake.why("gold.cities", {"city": "Oslo"}).rows
    assert (after.sources, after.reproduced, after.reads) == ([], None, before.made.reads)
    assert after.notes[0].startswith("epoch 1 can't be done again: LL-STORE-016 epoch 1 of gold.cities has read a")
    assert after.notes[-1] == "so what it was made of is not known"
