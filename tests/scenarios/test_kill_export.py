"""Exports under SIGKILL, at each moment between two durable writes: objects, manifests, rows and ledger of a database.

Each process goes on with what the one before has left. In between a reader by the manifest, and one of the database,
has a whole version or the one before; at the end what stands there equals the tables, and nothing is left over.
"""

import json
import sqlite3

import pyarrow.parquet as pq
import pytest

from lakeloom.config.load import read
from lakeloom.project.check import checked
from lakeloom.session.settings import jars_home
from lakeloom.store import refs
from lakeloom.store.lake import Lake
from tests.scenarios.dying import Moment, dies, finishes
from tests.shop import BASE, ORDERS_1, drop, lay_out

pytestmark = pytest.mark.long

EXPORTS = """\
exports:
  whole: {from: silver.orders, to: out/whole, columns: [order_id, amount], partition_by: [order_id]}
  parts: {from: silver.orders, to: out/parts, columns: [order_id, amount], objects: 3}
  raw: {from: bronze.orders, to: out/raw, mode: new, columns: [order_id, amount]}
  fleet:
    from: bronze.orders
    mode: new
    columns: [order_id, amount]
    to: {kind: jdbc, url: "jdbc:sqlite:fleet.db", driver: org.sqlite.JDBC, table: fleet}
"""
WRITE, SINK = "lakeloom.sinks.objects.sink:Objects._write", "lakeloom.sinks.jdbc.sink:JdbcSink"
PUBLISH = "lakeloom.store.refs:publish"
OBJECTS = [
    Moment("writing", "out/parts"),
    Moment("before", WRITE, "_manifests/"),
    Moment("after", WRITE, "_manifests/"),
    Moment("before", WRITE, "_manifest.json"),
    Moment("after", WRITE, "_manifest.json"),
    Moment("after", "lakeloom.objects.local:Local.delete"),
    Moment("before", PUBLISH, "exports."),
    Moment("after", PUBLISH, "exports."),
]
DATABASE = [
    Moment("after", f"{SINK}._fill"),
    Moment("before", "lakeloom.sinks.jdbc.ledger:enter"),
    Moment("after", "lakeloom.sinks.jdbc.ledger:enter"),
    Moment("after", f"{SINK}.send"),
    Moment("before", f"{SINK}.tidy"),
    Moment("after", PUBLISH, "exports.fleet"),
]


class Killed:
    """The shop with its exports, in processes that die."""

    def __init__(self, home):
        self.home, self.conf, self.months = home, lay_out(home), 1
        (self.conf / "shop" / "exports.yml").write_text(EXPORTS)
        (jar,) = (jars_home() / "test").glob("sqlite-jdbc-*.jar")
        (self.conf / "base.yml").write_text(f"{BASE}spark: {{spark.jars: '{jar}'}}\n")
        with sqlite3.connect(home / "fleet.db") as database:
            database.execute("CREATE TABLE fleet (order_id TEXT, amount TEXT)")
        self.orders = ORDERS_1.splitlines()[1:]

    def more(self):
        """Let new orders come, and one change."""
        self.months += 1
        rows = [f"{self.months * 10 + at},a,{self.months + at},2026-01-05" for at in range(3)] + [
            f"1,a,{self.months},2026-01-05"
        ]
        drop(
            self.home,
            f"orders/2026-{self.months:02d}.csv",
            "order_id,customer,amount,ordered_on\n" + "\n".join(rows) + "\n",
        )
        self.orders += rows

    @property
    def raw(self):
        return sorted(tuple(row.split(",")[at] for at in (0, 2)) for row in self.orders)

    def listed(self, name):
        folder = self.home / "out" / name
        manifest = json.loads((folder / "_manifest.json").read_text())
        keys = [json.loads((folder / key).read_text())["objects"] for key in manifest["manifests"]]
        return folder, sorted(each["key"] for part in keys for each in part), manifest

    def readable(self):
        """A reader by the manifest, and one of the database, has something whole."""
        for name in ("whole", "parts", "raw"):
            folder, keys, manifest = self.listed(name)
            assert sum(pq.read_metadata(folder / key).num_rows for key in keys) == manifest["total_rows"]
        rows = self.fleet()
        assert any(rows == sorted(self.raw_of(months)) for months in range(1, self.months + 1))

    def raw_of(self, months):
        return [tuple(row.split(",")[at] for at in (0, 2)) for row in self.orders[: 3 + 4 * (months - 1)]]

    def fleet(self):
        with sqlite3.connect(self.home / "fleet.db") as database:
            return sorted(database.execute("SELECT order_id, amount FROM fleet").fetchall())

    def settled(self):
        """What stands there equals the tables, and nothing else lies there."""
        for name in ("whole", "parts", "raw"):
            folder, keys, _ = self.listed(name)
            lie = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.parquet"))
            assert lie == keys, name
            found = [row for key in keys for row in pq.read_table(folder / key, partitioning=None).to_pylist()]
            if name == "whole":
                ids = [int(key.split("/")[0].removeprefix("order_id=")) for key in keys]
                found = [row | {"order_id": at} for row, at in zip(found, ids, strict=True)]
            wanted = self.raw if name == "raw" else self.silver()
            assert sorted((row["order_id"], row["amount"]) for row in found) == wanted, name
        assert self.fleet() == self.raw
        with sqlite3.connect(self.home / "fleet.db") as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == {"fleet", "lakeloom_exports"}

    def silver(self):
        lake = Lake(checked(read(self.conf)).root)
        rows = lake.arrow("silver.orders", refs.good(lake)["silver.orders"]).to_pylist()
        return sorted((row["order_id"], row["amount"]) for row in rows)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("LAKELOOM_HOME", raising=False)
        made = Killed(tmp_path_factory.mktemp("killed") / "home")
        finishes(made.conf, "run")
        made.settled()
        yield made


@pytest.mark.parametrize("moments", [OBJECTS, DATABASE], ids=["objects", "database"])
def test_killed_at_each_moment_and_run_again_nothing_is_lost_or_doubled(killed, moments):
    killed.more()
    finishes(killed.conf, "run", "+silver.orders")
    for moment in moments:
        if moment.when == "writing":
            moment = Moment("writing", str(killed.home / moment.call))
        which = (
            ["exports.fleet"]
            if moments is DATABASE
            else ["exports.parts"]
            if moment.when == "writing"
            else ["exports.*"]
        )
        if moment.call.endswith("Local.delete") or moment.call == PUBLISH:
            killed.more()  # what died at the moment before was published, or had nothing to take away
            finishes(killed.conf, "run", "+silver.orders")
        dies(killed.conf, moment, "run", *which)
        killed.readable()
    finishes(killed.conf, "run")
    finishes(killed.conf, "run")
    killed.settled()
