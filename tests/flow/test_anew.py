"""A table whose folder was dropped and made anew: its versions begin at 0, and no reader takes them for those before."""

import shutil

from lakeloom.flow.planning import plan
from lakeloom.store import refs
from lakeloom.store.identity import identity
from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, v, _position from bronze.changes
    keys: [k]
    write: {mode: merge, sequence_by: _position}
  gold.sums:
    from: {silver.items: whole}
    sql: select sum(v) as v from silver.items
"""


def test_the_same_number_of_another_table_is_no_reason_to_skip(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Stream(tmp_path, {"k": "string", "v": "bigint"}, TABLES)
    stream.drop({"k": "a", "v": 1})
    stream.done()
    before = identity(stream.lake, "silver.items")
    stream.drop({"k": "b", "v": 2})
    stream.done("bronze.changes")
    shutil.rmtree(stream.lake.path("silver.items"))
    stream.done("silver.items", full_refresh=True)
    assert identity(stream.lake, "silver.items") != before and refs.good(stream.lake)["silver.items"] == 0
    planned = {each.step.name: each for each in plan(stream.project())}
    assert planned["gold.sums"].reasons == ("silver.items was dropped and made anew",)
    assert "upkeep" not in planned["gold.sums"].reasons
    stream.done()
    assert stream.table("gold.sums", "v") == [(3,)]
    assert {each.action for each in plan(stream.project()) if each.step.kind != "land"} == {"skip"}
