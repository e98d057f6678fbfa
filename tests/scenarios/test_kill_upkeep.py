"""Upkeep under SIGKILL: compaction, order, statistics and vacuum, killed at each moment between two durable writes.

Each process goes on with what the one before has left, and dies a step further. In between, every version either
reads whole or is refused by name, and whatever a ref, a tag, a branch or a step needs can be read.
"""

import json
import shutil
from copy import copy
from itertools import cycle
from pathlib import Path

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.errors import LakeloomError
from lakeloom.flow.planning import plan
from lakeloom.project.graph import steps
from lakeloom.store import refs
from lakeloom.store.branches import place
from lakeloom.store.intents import Intents
from lakeloom.store.lake import Lake
from lakeloom.store.log import live, snapshot
from lakeloom.store.pins import pins
from lakeloom.store.vacuumed import lost
from tests.flow.stream import Stream
from tests.scenarios.dying import Moment, dies, finishes
from tests.scenarios.killing import lines, unfinished

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
    sql: select k, _change_type from silver.items
    write: {mode: append}
  silver.plain:
    from: {bronze.changes: new}
    sql: select k, v, g, _position from bronze.changes
    keys: [k]
    write: {mode: merge, sequence_by: _position, deletion_vectors: false}
    upkeep: {compact: {small_files: 3}, statistics: [v], vacuum: {keep: 2 hours}}
  gold.sums:
    from: {silver.items: whole}
    sql: select g, sum(v) as v from silver.items group by g
"""
ITEMS, PLAIN, HOURS = "silver.items", "silver.plain", 25
SQL, VACUUM, PUBLISH = "pyspark.sql:SparkSession.sql", "lakeloom.flow.vacuum", "lakeloom.store.refs:publish"
BEGIN, FINISH = "lakeloom.store.intents:Intents.begin", "lakeloom.store.intents:Intents.finish"
# What a process reaches that goes on where the one before was killed.
TAKING = [
    Moment("before", f"{VACUUM}:audit.note"),
    Moment("before", f"{VACUUM}:note"),
    Moment("after", f"{VACUUM}:note"),
    Moment("amid", f"{VACUUM}:delete"),
    Moment("after", f"{VACUUM}:delete"),
]
ENDING = [Moment("after", PUBLISH), Moment("after", FINISH)]
SET = Moment("after", SQL, "SET TBLPROPERTIES")
CASES = {
    "purged": (ITEMS, [Moment("after", BEGIN), SET, Moment("writing", "tables/silver/items"), Moment("after", SQL, "REORG"),
                       *TAKING, *ENDING]),
    "ordered": (ITEMS, [Moment("after", SQL, "ZORDER"), TAKING[3], ENDING[0]]),
    "compacted": (PLAIN, [SET, Moment("writing", "tables/silver/plain"), Moment("after", SQL, "OPTIMIZE"),
                          Moment("after", "lakeloom.flow.upkeep:rewrite"), *TAKING, *ENDING]),
}  # fmt: skip


@pytest.fixture(scope="module")
def grown(tmp_path_factory, spark):
    """Give a project whose tables have grown by six runs, with a tag and a branch of versions on the way."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("LAKELOOM_HOME", raising=False)
        patched.delenv("LAKELOOM_BRANCH", raising=False)
        made = Stream(tmp_path_factory.mktemp("grown") / "home", {"k": "string", "v": "bigint", "g": "string"}, TABLES)
        base = made.home / "conf" / "base.yml"
        base.write_text(base.read_text() + "slots: 1\nupkeep: {vacuum: {keep: 2 hours}}\n")
        # The last one adds keys alone, and so a file.
        runs = (range(12), range(6, 18), range(8), range(4, 20), range(3), range(30, 34))
        for number, keys in enumerate(runs):
            made.drop(*({"k": str(each), "v": number, "g": str(each % 3)} for each in keys))
            made.done("bronze.*", "silver.*", "gold.*")
            if number == 1:
                open_lakehouse(made.home / "conf").tag("kept", ITEMS, PLAIN)
            if number == 2:
                open_lakehouse(made.home / "conf").branch("work")
        # Steps believe in a later day, so that what was superseded by the upkeep itself is old to the next one.
        open_lakehouse(made.home / "conf").tag("last", ITEMS, PLAIN)
    return made


def laid(grown, home):
    """Return the project laid out elsewhere, as it was."""
    copied = copy(grown)
    copied.home = shutil.copytree(grown.home, home)
    copied.folder = home / "conf" / "stream"
    return copied


def rows(lake, table, version):
    return sorted((row["k"], row["v"], row["g"]) for row in lake.arrow(table, version).to_pylist())


class Before:
    """What stood there before the first kill, to be held against what stands there later."""

    def __init__(self, stream, table):
        self.stream, self.table, lake = stream, table, stream.lake
        self.published = lines(lake.root)
        self.versions = {at: rows(lake, table, at) for at in range(lake.version(table) + 1)}
        graph = {step.name: step for step in steps(stream.project())}
        found = [pin for pin in pins(lake, Intents(lake.root), graph) if pin.table == table]
        self.pinned = {at for pin in found for at in range(pin.first, pin.last + 1)}
        assert {pin.by.partition(" ")[0] for pin in found} >= {"tag", "branch"}
        branch = Lake(place(lake.root, "work"))
        self.branch, self.on = branch, rows(branch, table, refs.good(branch)[table])

    def look(self):
        """Read all versions as others do; return those that are refused."""
        lake, gone = self.stream.lake, set()
        assert lines(lake.root) == self.published
        for version, right in self.versions.items():
            try:
                assert rows(lake, self.table, version) == right, version
            except LakeloomError as error:
                assert error.code == "LL-STORE-012", error
                gone.add(version)
        assert not gone & self.pinned
        assert gone == refused(self.stream, self.table, self.versions)
        assert rows(self.branch, self.table, refs.good(self.branch)[self.table]) == self.on
        assert open_lakehouse(self.stream.home / "conf").verify_audit().broken == ""
        return gone


def refused(stream, table, versions):
    """Return those of the versions that are noted as vacuumed."""
    found = stream.lake.vacuumed(table)
    return {at for at in versions if lost(found, at)}


def shape(stream, table):
    """Return how a table's files stand: how many, of how many rows, with which columns measured, and to be measured."""
    lake = stream.lake
    good = refs.good(lake)[table]
    files = live(lake, table, good)
    adds = snapshot(lake, table, good).adds.values()
    measured = {tuple(sorted(json.loads(add["stats"])["minValues"])) for add in adds}
    asked = lake.delta(table).metadata().configuration["delta.dataSkippingStatsColumns"]
    return len(files), sum(file.rows for file in files), sum(file.deleted for file in files), measured, asked


def told(stream, table):
    """Return the versions that the audit says were taken from a table."""
    return {row["detail"] for row in open_lakehouse(stream.home / "conf").audit(table) if row["action"] == "vacuum"}


@pytest.mark.long
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(("table", "moments"), CASES.values(), ids=CASES)
def test_killed_between_any_two_writes_it_is_gone_on_with_and_nothing_that_is_needed_goes(
    grown, tmp_path, monkeypatch, table, moments
):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    right, stream = laid(grown, tmp_path / "right"), laid(grown, tmp_path / "killed")
    step, conf = f"upkeep.{table.replace('.', '__')}", stream.home / "conf"
    finishes(right.home / "conf", "upkeep", table, hours=HOURS)
    before = Before(stream, table)
    commands = cycle([("upkeep", table), ("run", step)])  # on demand and as a step of a run
    for moment in moments:
        here = moment if moment.when != "writing" else Moment("writing", str(stream.lake.root / moment.call))
        dies(conf, here, *next(commands), hours=HOURS)
        gone = before.look()
    assert gone and gone == refused(right, table, before.versions)
    finishes(conf, "run", step, hours=HOURS)
    assert unfinished(stream.lake.root) == set()
    assert before.look() == gone and shape(stream, table) == shape(right, table)
    assert stream.lake.version(table) == refs.good(stream.lake)[table]
    assert told(stream, table) == told(right, table) and len(told(right, table)) == 1
    assert open_lakehouse(conf).verify_audit().pending == 0
    # No row has changed, so nobody has to read the table again; the next rows go in as ever.
    others = [each for each in plan(stream.project()) if not each.step.name.startswith("upkeep.")]
    assert {each.action for each in others} == {"skip"}
    for each in (stream, right):
        each.drop({"k": "3", "v": 77, "g": "0"})
        each.done("bronze.*", "silver.*", "gold.*")
    assert lines(stream.lake.root) == lines(right.lake.root)


@pytest.mark.long
def test_the_platforms_own_tables_are_whole_wherever_it_was_killed(grown, tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = laid(grown, tmp_path / "killed")
    conf, lake = stream.home / "conf", stream.lake
    good, named = refs.good(lake), refs.entries(lake)
    published = lines(lake.root)
    compacting = [Moment(when, "lakeloom.flow.upkeep:meta.compact", "meta.refs") for when in ("before", "after")]
    last = Moment("amid", f"{VACUUM}:delete", "meta.steps")
    for moment in (Moment("after", BEGIN), *compacting, None, *TAKING, last, *ENDING):
        if moment is None:  # files that were put together just now are still the last good version's
            finishes(conf, "upkeep", "meta", hours=HOURS)
        else:
            dies(conf, moment, "upkeep", "meta", hours=HOURS)
        assert refs.good(lake) == good and refs.entries(lake)[: len(named)] == named
        assert lines(lake.root) == published
        opened = open_lakehouse(conf)
        assert opened.verify_audit().broken == "" and opened.tags()[0].name == "kept"
        assert len(opened.runs()) >= 6
    finishes(conf, "upkeep", "meta", hours=HOURS)
    for name in ("refs", "audit", "steps", "runs"):
        there = set(Path(lake.path(f"meta.{name}")).glob("*.parquet"))
        assert len(there) >= lake.size(f"meta.{name}").files >= 1
        assert lake.arrow(f"meta.{name}").num_rows == lake.size(f"meta.{name}").rows
    assert open_lakehouse(conf).verify_audit().broken == ""
    assert {each.action for each in plan(stream.project()) if not each.step.name.startswith("upkeep.")} == {"skip"}
