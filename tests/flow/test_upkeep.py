"""Upkeep of tables that grew by many small runs: what it does, what stays, and that nobody notices."""

import json
import shutil
from copy import copy
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.flow import execute, prepare
from lakeloom.flow import upkeep as work
from lakeloom.flow import vacuum as sweeping
from lakeloom.flow.context import Context
from lakeloom.flow.planning import plan
from lakeloom.flow.upkeeping import ahead, keep
from lakeloom.project.graph import steps
from lakeloom.store import audit, optimize, refs
from lakeloom.store.intents import Intents
from lakeloom.store.log import live, snapshot, unchanged
from lakeloom.store.optimize import rewrite
from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, v, cast(g as int) as g, _position from bronze.changes
    keys: [k]
    write: {mode: merge, sequence_by: _position, change_feed: true, deletion_vectors: true}
    upkeep: {compact: {small_files: 3}, zorder: [g], statistics: [v], vacuum: {keep: 2 hours}}
  silver.feed:
    from: {silver.items: changes}
    sql: select k, _change_type, _commit_version from silver.items
    write: {mode: append}
  gold.sums:
    from: {silver.items: whole}
    sql: select g, sum(v) as v from silver.items group by g
    upkeep: {vacuum: {keep: 2 hours}}
"""
COLUMNS = {"k": "string", "v": "bigint", "g": "string"}


@pytest.fixture(scope="module")
def grown(tmp_path_factory, spark):
    """Give a project whose tables have grown by three runs, without upkeep."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("LAKELOOM_HOME", raising=False)
        made = Stream(tmp_path_factory.mktemp("grown"), COLUMNS, TABLES)
        # The second run marks half of the first one's file as deleted, the third all of it and a part of the second's.
        for number, keys in enumerate((range(12), range(6, 18), range(8))):
            made.drop(*rows(keys, number))
            made.done("bronze.*", "silver.*", "gold.*")
    return made


@pytest.fixture
def stream(grown, tmp_path, monkeypatch):
    """Give a copy of it, in a folder with a space: a vacuum by inventory must name paths as Hadoop writes them."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    copied = copy(grown)
    copied.home = shutil.copytree(grown.home, tmp_path / "sp ace")
    copied.folder = copied.home / "conf" / "stream"
    return copied


def later(monkeypatch, **span):
    """Let steps that begin from now on think that so much time has passed."""

    class Later(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) + timedelta(**span)

    monkeypatch.setattr(prepare, "datetime", Later)


def rows(k, v, g="a"):
    return [{"k": str(each), "v": v, "g": str(each % 3)} for each in k]


def code(caught):
    return caught.value.code


def test_a_table_is_put_in_order_and_vacuumed_and_nobody_has_to_read_it_again(stream, spark, monkeypatch):
    table, fed = stream.table("silver.items", "k", "v", "g"), stream.table("silver.feed", "k", "_change_type")
    last = refs.good(stream.lake)
    later(monkeypatch, hours=25)
    ran = stream.done("upkeep.*")
    entry = ran["upkeep.silver__items"].upkeep[0]
    assert [each.partition(":")[0] for each in entry["done"]] == ["order", "purge", "statistics", "vacuum"]
    assert entry["files_after"] < entry["files_before"] and entry["bytes_rewritten"] > 0
    good = refs.good(stream.lake)
    assert good["silver.items"] == entry["version"] > last["silver.items"]
    assert unchanged(stream.lake, "silver.items", last["silver.items"], good["silver.items"])
    assert not any(file.deleted for file in live(stream.lake, "silver.items", good["silver.items"]))
    told = stream.lake.delta("silver.items").metadata().configuration["delta.dataSkippingStatsColumns"]
    assert told == "`v`,`g`,`k`,_position.epoch"
    made = stream.lake.history("silver.items", 1)[0]
    assert made["manifest"]["step"] == "upkeep.silver__items" and made["manifest"]["run"]
    # Of what it deletes, the JVM tells where no JSON document stands.
    system = spark._jvm.java.lang.System
    assert system.out.equals(system.err)
    assert taken(stream, "silver.items") == ["versions 0–1"]
    # The versions that no one needs are gone, by name; those that somebody needs can be read in Spark and without.
    assert entry["files_deleted"] > 0 and entry["bytes_freed"] > 0 and entry["gone"] == "0–1"
    assert {each["by"] for each in entry["kept"]} >= {"last good version", "last input of gold.sums"}
    with pytest.raises(LakeloomError) as caught:
        stream.lake.arrow("silver.items", 0)
    assert code(caught) == "LL-STORE-012" and "silver.items@0 was vacuumed at 20" in caught.value.message
    with pytest.raises(LakeloomError) as caught:
        stream.lake.frame(spark, "silver.items", 0)
    assert code(caught) == "LL-STORE-012" and "versions that are kept" in caught.value.fix
    pinned = last["silver.items"]
    assert stream.lake.frame(spark, "silver.items", pinned).count() == len(table)
    assert stream.lake.arrow("silver.items", pinned).num_rows == len(table)
    # What is read has not changed, so nothing runs again; and the feed of changes tells of no change.
    assert stream.table("silver.items", "k", "v", "g") == table
    planned = {each.step.name: each for each in plan(stream.project())}
    assert {each.action for name, each in planned.items() if not name.startswith("upkeep.")} == {"skip"}
    assert "not due before" in planned["upkeep.silver__items"].reasons[0]
    stream.drop(*rows([3], 77))
    stream.done("bronze.*", "silver.*")
    assert len(stream.table("silver.feed", "k", "_change_type")) == len(fed) + 2


def test_asked_for_it_says_what_it_would_do_and_then_does_it_for_every_table(stream):
    before = refs.good(stream.lake)
    names = {entry["table"] for entry in ahead(stream.project()).tables}
    assert {"bronze.changes", "silver.items", "gold.sums", "meta.refs"} <= names
    assert refs.good(stream.lake) == before and "upkeep.gold__sums" not in Intents(stream.lake.root).steps()
    result = keep(stream.project(), ("bronze.*", "gold.sums", "meta"))
    done = {entry["table"]: entry for entry in result.tables}
    assert result.exit_code == 0 and done["bronze.changes"]["files_after"] == 1 < done["bronze.changes"]["files_before"]
    assert done["bronze.changes"]["files_deleted"] == 0  # nobody said how long its history is to last
    assert done["meta.refs"]["files_after"] == 1 < done["meta.refs"]["files_before"]
    assert refs.good(stream.lake)["silver.items"] == before["silver.items"]
    planned = {each.step.name: each.action for each in plan(stream.project())}
    assert {planned[name] for name in ("bronze.changes", "silver.items", "gold.sums")} == {"skip"}
    with pytest.raises(LakeloomError) as caught:
        keep(stream.project(), ("gold.sumz",))
    assert code(caught) == "LL-RUN-001" and "gold.sums" in caught.value.fix


class Killed(BaseException):
    """What nothing catches."""


def dies(*_, **__):
    raise Killed


def half(lake, table, files, session):
    """Delete some files and die."""
    for name in files[: len(files) // 2]:
        (Path(lake.path(table)) / name).unlink()
    raise Killed


def killed(stream, monkeypatch, name, place, function, death=dies):
    """Do a step of upkeep that dies there."""
    with monkeypatch.context() as patched:
        patched.setattr(place, function, death)
        context = Context.of(stream.project(), "killed")
        step = next(step for step in steps(context.project) if step.name == name)
        ready = prepare.prepare(context, step, asked=True)
        with pytest.raises(Killed):
            execute.perform(context, step, ready.intent)


def taken(stream, table):
    """Return what the audit tells of the vacuums of a table."""
    return [row["detail"] for row in audit.entries(stream.lake) if (row["action"], row["table"]) == ("vacuum", table)]


def test_killed_at_any_moment_it_is_done_again(stream, monkeypatch):
    later(monkeypatch, hours=3)
    rows_then, name = stream.table("silver.items", "k", "v"), "upkeep.silver__items"
    # After the files are written anew; before the versions are noted as gone; in the midst of the vacuum; before it
    # is published.
    for place, function, death in (
        (work, "unchanged", dies), (sweeping, "note", dies), (sweeping, "delete", half), (refs, "publish", dies),
    ):  # fmt: skip
        killed(stream, monkeypatch, name, place, function, death)
        assert stream.table("silver.items", "k", "v") == rows_then
        told = {each.step.name: each for each in plan(stream.project())}[name]
        assert told.action == "run" and "did not finish" in told.reasons[0]
    with pytest.raises(LakeloomError) as caught:
        stream.lake.arrow("silver.items", 0)
    assert code(caught) == "LL-STORE-012"
    done = stream.done(name)[name]
    assert done.reason.startswith("goes on with epoch 1")
    # What those took that were killed is told as well; killed between two notes, the audit tells it twice.
    assert done.upkeep[0]["gone"] == "0–1" and taken(stream, "silver.items") == ["versions 0–1"] * 2
    assert (audit.verify(stream.lake).pending, audit.verify(stream.lake).broken) == (0, "")
    assert stream.table("silver.items", "k", "v") == rows_then
    assert stream.lake.version("silver.items") == refs.good(stream.lake)["silver.items"]
    planned = {each.step.name: each.action for each in plan(stream.project())}
    assert {planned["silver.feed"], planned["gold.sums"]} == {"skip"}


def test_statistics_that_were_cut_off_are_computed_by_the_next_one(stream, monkeypatch):
    stream.declare(TABLES.replace("upkeep: {vacuum: {keep: 2 hours}}", "upkeep: {statistics: [v]}"))
    killed(stream, monkeypatch, "upkeep.gold__sums", optimize, "_recompute")
    stream.done("upkeep.gold__sums")
    (add,) = snapshot(stream.lake, "gold.sums", refs.good(stream.lake)["gold.sums"]).adds.values()
    assert set(json.loads(add["stats"])["minValues"]) == {"v"}


def test_a_count_that_differs_is_taken_back_and_rows_that_are_not_published_are_left_alone(stream, monkeypatch):
    good = refs.good(stream.lake)["silver.items"]

    def loses(session, lake, table, mark, what):
        version = rewrite(session, lake, table, mark, what)
        # As if OPTIMIZE itself had lost a row: its commit says that no data changed.
        session.sql(f"DELETE FROM delta.`{lake.path(table)}` WHERE k = '1'")
        patched.setattr(work, "unchanged", lambda *_: True)
        return lake.version(table) if version else version

    with monkeypatch.context() as patched:
        patched.setattr(work, "rewrite", loses)
        (failed,) = stream.run("upkeep.silver__items").steps
    assert failed.error["code"] == "LL-STORE-013" and "18 rows, and 17" in failed.error["message"]
    assert refs.good(stream.lake)["silver.items"] == good
    assert stream.lake.history("silver.items", 1)[0]["operation"] == "RESTORE"
    (step,) = stream.run("upkeep.silver__items").steps
    assert step.status == "skipped" and "which is not published" in step.reason


def test_a_clustered_table_is_clustered_by_its_upkeep(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    made = Stream(tmp_path, COLUMNS, """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, v, cast(g as int) as g, _position from bronze.changes
    write: {mode: append, cluster_by: [g]}
    upkeep: {compact: {small_files: 2}}
""")  # fmt: skip
    for number in range(3):
        made.drop(*rows(range(6), number))
        made.done("bronze.*", "silver.*")
    table = made.table("silver.items", "k", "v", "g")
    result = keep(made.project(), ("silver.items",))
    (entry,) = result.tables
    assert (result.run.status, [each.partition(":")[0] for each in entry["done"]]) == ("done", ["compact", "order"])
    last = made.lake.history("silver.items", 1)[0]
    detail = spark.sql(f"DESCRIBE HISTORY delta.`{made.lake.path('silver.items')}` LIMIT 1").first()
    assert last["operation"] == "OPTIMIZE" and json.loads(detail["operationParameters"]["clusterBy"]) == ["g"]
    # Its files carry the sign of it, which is by what the next one leaves them alone.
    adds = snapshot(made.lake, "silver.items", last["version"]).adds.values()
    assert {add.get("clusteringProvider") for add in adds} == {"liquid"} and len(adds) < 3
    assert made.table("silver.items", "k", "v", "g") == table
    assert not keep(made.project(), ("silver.items",)).tables
