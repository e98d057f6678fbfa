"""Exports to a folder: whole, new and changed rows, what vanished, interrupted ones, and what does not go out."""

import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.findings import FindingsError
from lakeloom.core.steps import Window
from lakeloom.flow.backfill import backfill
from lakeloom.flow.branching import begin
from lakeloom.flow.planning import plan
from lakeloom.objects.local import Local
from lakeloom.store.intents import Intents
from tests.shop import ORDERS_2, TABLES, drop

FEED = TABLES.replace("    write: {mode: merge, sequence_by: _position}\n    columns:\n      order_id",
                      "    write: {mode: merge, sequence_by: _position, change_feed: true}\n    columns:\n      order_id")  # fmt: skip


class Out:
    """A folder that exports go to, as a reader by its manifest sees it."""

    def __init__(self, shop, name):
        self.shop, self.folder = shop, shop.home / "out" / name

    @property
    def manifest(self):
        return json.loads((self.folder / "_manifest.json").read_text())

    @property
    def listed(self):
        found = []
        for key in self.manifest["manifests"]:
            found += [each["key"] for each in json.loads((self.folder / key).read_text())["objects"]]
        return sorted(found)

    @property
    def there(self):
        """What a reader of the folder finds: names that begin with _ are passed over."""
        files = [each.relative_to(self.folder) for each in self.folder.rglob("*") if each.is_file()]
        return sorted(each.as_posix() for each in files if not any(part[0] in "_." for part in each.parts))

    def rows(self, *columns):
        """Return the rows that the manifest's objects hold, the values of their partitions among them."""
        found = []
        for key in self.listed:
            text = (self.folder / key).read_text() if key.endswith("json") else ""
            rows = (
                map(json.loads, text.splitlines())
                if text
                else pq.read_table(self.folder / key, partitioning=None).to_pylist()
            )
            told = dict(part.split("=", 1) for part in key.split("/")[:-1])
            found += [tuple((row | told)[name] for name in columns) for row in rows]
        return sorted(found, key=str)


def say(shop, text, **files):
    (shop.conf / "shop" / "exports.yml").write_text(f"exports:\n{text}")
    for name, content in files.items():
        (shop.conf / "shop" / f"{name}.yml").write_text(content)


def exported(shop, *patterns, **options):
    return {step.name: step for step in shop.run(*patterns, **options).steps if step.kind == "export"}


def test_the_last_good_version_goes_out_once_and_the_reason_is_told(ran):
    say(ran, "  cities: {from: gold.cities, to: out/cities, objects: 1}\n")
    (step,) = [each for each in plan(ran.project()) if each.step.kind == "export"]
    assert (step.action, step.reasons, step.reads) == ("run", ("it never ran",), {"gold.cities": 0})
    told = exported(ran)["exports.cities"]
    assert (told.status, told.rows_out, told.version, told.reason) == ("done", 2, 1, "it never ran"), told.error
    assert told.as_dict()["export"] == {"table": "gold.cities", "version": 0, "objects": 1, "removed": 0, "deleted": 0}
    out = Out(ran, "cities")
    assert out.rows("city", "orders") == [("Oslo", 1), ("Rome", 1)] and out.there == out.listed
    manifest = out.manifest
    assert manifest["columns"] == {"city": "string", "orders": "bigint", "amount": "double"}
    assert told.bytes == manifest["size_bytes"] == sum((out.folder / key).stat().st_size for key in out.listed)
    again = exported(ran)["exports.cities"]
    assert (again.status, again.reason, again.version) == ("skipped", "nothing changed", 1)
    # The same version once more: the same content under another execution's name, and nothing doubled.
    before = {(out.folder / key).read_bytes() for key in out.listed}
    anew = exported(ran, "exports.cities", full_refresh=True)["exports.cities"]
    assert (anew.status, anew.export["removed"]) == ("done", 1)
    assert out.there == out.listed and {(out.folder / key).read_bytes() for key in out.listed} == before


def test_partitions_that_vanished_go_and_what_is_kept_for_a_while_stays(ran):
    say(
        ran,
        "  orders: {from: silver.orders, to: out/orders, partition_by: [ordered_on], columns: [order_id, ordered_on], where: order_id <> 9}\n",
    )
    assert exported(ran)["exports.orders"].rows_out == 2
    out = Out(ran, "orders")
    assert out.rows("order_id", "ordered_on") == [(1, "2026-01-01"), (2, "2026-01-02")]
    drop(ran.home, "orders/2026-02.csv", ORDERS_2)
    (ran.conf / "shop" / "sql" / "silver_orders.sql").write_text(
        (ran.conf / "shop" / "sql" / "silver_orders.sql").read_text() + "where order_id <> '1'\n"
    )
    assert exported(ran)["exports.orders"].export["removed"] == 2
    assert out.rows("order_id", "ordered_on") == [(2, "2026-01-02"), (4, "2026-01-04")] and out.there == out.listed
    say(
        ran,
        "  orders: {from: silver.orders, to: out/orders, partition_by: [ordered_on], columns: [order_id, ordered_on], where: order_id <> 9, keep: 1 day}\n",
    )
    assert exported(ran)["exports.orders"].status == "skipped"  # how long something is kept changes nothing of it
    assert exported(ran, "exports.orders", full_refresh=True)["exports.orders"].export["removed"] == 0
    assert len(out.there) == 4 and len(out.listed) == 2


def test_only_new_rows_go_out_as_objects_of_their_execution(ran):
    say(ran, "  raw: {from: bronze.orders, to: out/raw, mode: new, format: json, columns: [order_id, amount]}\n")
    assert exported(ran)["exports.raw"].rows_out == 3
    out = Out(ran, "raw")
    first = out.there
    drop(ran.home, "orders/2026-02.csv", ORDERS_2)
    told = exported(ran)["exports.raw"]
    assert (told.rows_out, told.export["objects"]) == (3, 1)
    assert (
        set(first) < set(out.there) == set(out.listed) and out.manifest["total_rows"] == 6 and out.manifest["rows"] == 3
    )
    assert [row[0] for row in out.rows("order_id")] == ["1", "2", "2", "3", "4", "x"]
    assert exported(ran, "exports.raw", full_refresh=True)["exports.raw"].rows_out == 6
    assert (
        out.manifest["manifests"] == ["_manifests/00000003.json"]
        and len(out.rows("order_id")) == 6
        and out.there == out.listed
    )


def test_new_and_changed_rows_of_a_merged_table_go_out_by_its_feed(ran):
    say(ran, "  new: {from: silver.orders, to: out/new, mode: new, format: json, columns: [order_id, amount]}\n"
        "  feed: {from: silver.orders, to: out/feed, mode: changes, format: json, columns: [order_id], where: amount < 25}\n", tables=FEED)  # fmt: skip
    told = exported(ran)
    assert {name: step.rows_out for name, step in told.items()} == {"exports.new": 2, "exports.feed": 2}, told
    drop(ran.home, "orders/2026-02.csv", ORDERS_2)
    assert {name: step.rows_out for name, step in exported(ran).items()} == {"exports.new": 2, "exports.feed": 2}
    assert Out(ran, "new").rows("order_id", "amount") == [(1, 10.5), (2, 20.0), (2, 25.0), (4, 7.0)]
    # Order 2 is not below 25 any more: to who follows the feed it is gone.
    assert Out(ran, "feed").rows("order_id", "_change_type")[1:] == [(2, "delete"), (2, "insert"), (4, "insert")]


def test_what_an_interrupted_execution_left_is_gone_on_with_or_taken_away(ran, monkeypatch):
    say(ran, "  raw: {from: bronze.orders, to: out/raw, mode: new, format: json, columns: [order_id]}\n")
    put, broken = Local.put, []

    def lost(self, key, content, **more):
        if "_manifest" in key and broken:
            raise KeyboardInterrupt
        return put(self, key, content, **more)

    exported(ran)
    monkeypatch.setattr(Local, "put", lost)
    drop(ran.home, "orders/2026-02.csv", ORDERS_2)
    broken.append(True)
    with pytest.raises(KeyboardInterrupt):
        from lakeloom.flow.context import Context
        from lakeloom.flow.execute import perform
        from lakeloom.flow.prepare import prepare
        from lakeloom.project.graph import steps

        assert ran.run("bronze.orders").status == "done"
        project = ran.project()
        step = next(each for each in steps(project) if each.kind == "export")
        context = Context.of(project, "run-that-dies")
        perform(context, step, prepare(context, step).intent)
    broken.clear()
    out = Out(ran, "raw")
    assert len(out.there) == 2 and len(out.listed) == 1  # put, but in no manifest yet
    orphan = out.folder / "raw-00000002-v1-00000-009-0a1b2c3d.json"
    orphan.write_text("{}\n")
    (out.folder / "notes.json").write_text("mine")
    told = exported(ran)["exports.raw"]
    assert told.reason == "goes on with epoch 2, which did not finish" and told.rows_out == 3
    assert not orphan.exists() and (out.folder / "notes.json").exists() and told.export["removed"] == 1
    assert len(out.rows("order_id")) == 6 and len(out.listed) == 2


def test_what_another_execution_put_there_is_not_added_to(ran):
    say(ran, "  raw: {from: bronze.orders, to: out/raw, mode: new, format: json, columns: [order_id]}\n")
    exported(ran)
    out = Out(ran, "raw")
    (out.folder / "_manifest.json").unlink()
    drop(ran.home, "orders/2026-02.csv", ORDERS_2)
    failed = exported(ran)["exports.raw"]
    assert failed.error["code"] == "LL-SINK-002" and "--full-refresh" in failed.error["fix"]
    assert exported(ran, "exports.raw", full_refresh=True)["exports.raw"].rows_out == 6
    assert out.there == out.listed and len(out.rows("order_id")) == 6
    say(ran, "  other: {from: bronze.orders, to: out/raw, mode: new, format: json}\n")
    failed = exported(ran)["exports.other"]
    assert failed.error["code"] == "LL-SINK-003" and "export 'raw'" in failed.error["message"]
    (out.folder / "_manifest.json").write_text("[]")
    assert exported(ran)["exports.other"].error["code"] == "LL-SINK-003"


def test_an_empty_table_goes_out_with_its_columns_and_a_wrong_column_does_not(ran):
    say(ran, "  none: {from: silver.orders, to: out/none, where: order_id < 0, columns: [order_id]}\n"
        "  wrong: {from: bronze.orders, to: out/wrong, columns: [order_idd]}\n"
        "  away: {from: bronze.orders, to: out/away, partition_by: [_file]}\n")  # fmt: skip
    told = exported(ran)
    out = Out(ran, "none")
    assert told["exports.none"].rows_out == 0 and pq.read_schema(out.folder / out.listed[0]).names == ["order_id"]
    assert (
        told["exports.wrong"].error["code"] == "LL-TABLE-003" and "use 'order_id'" in told["exports.wrong"].error["fix"]
    )
    assert told["exports.away"].error["code"] == "LL-TABLE-003" and not (ran.home / "out" / "away").exists()


def test_personal_columns_go_out_only_where_they_are_named(ran):
    tagged = TABLES.replace("columns: {id: string, name: string, city: string}",
                            "columns: {id: string, name: {type: string, tags: [pii]}, city: string}")  # fmt: skip
    say(ran, "  people: {from: silver.customers, to: out/people}\n", tables=tagged)
    with pytest.raises(FindingsError) as caught:
        ran.project()
    (finding,) = caught.value.findings
    assert (finding.code, finding.line) == (
        "LL-SINK-001",
        2,
    ) and "name of silver.customers is personal" in finding.message
    # Of a table without a contract the run knows.
    say(ran, "  raw: {from: bronze.customers, to: out/raw}\n", tables=tagged)
    failed = exported(ran)["exports.raw"]
    assert failed.error["code"] == "LL-SINK-001" and not (ran.home / "out").exists()
    say(ran, "  people: {from: silver.customers, to: out/people, personal: [name], columns: [name, city]}\n"
        "  towns: {from: bronze.customers, to: out/towns, columns: [city]}\n", tables=tagged)  # fmt: skip
    assert {step.status for step in exported(ran).values()} == {"done"}
    assert Out(ran, "people").rows("name", "city")[0] == ("Ada", "Oslo")


def test_branches_and_samples_export_nothing(ran):
    say(ran, "  cities: {from: gold.cities, to: out/cities}\n")
    begin(ran.project(), "try")
    lake = open_lakehouse(ran.conf, branch="try")
    (step,) = [each for each in lake.run("+gold.cities", "exports.*").steps if each.kind == "export"]
    assert (step.status, step.reason) == ("skipped", "a branch exports nothing: what goes out is main's")
    sampled = open_lakehouse(ran.conf, sample="50%")
    (step,) = [each for each in sampled.run().steps if each.kind == "export"]
    assert (step.status, step.reason) == ("skipped", "a sample exports nothing: it is not the data")
    assert not (ran.home / "out").exists()


def test_lineage_and_openlineage_know_the_export_and_its_columns(ran):
    (ran.conf / "base.yml").write_text((ran.conf / "base.yml").read_text() + "openlineage: {file: events.jsonl}\n")
    say(ran, "  cities: {from: gold.cities, to: out/cities, owner: sales, description: what partners get}\n")
    exported(ran)
    lake = open_lakehouse(ran.conf)
    graph = lake.lineage("exports.cities").as_dict()
    assert {"id": "exports.cities", "kind": "export"} in graph["nodes"]
    assert any(edge["from"] == "gold.cities" and edge["to"] == "exports.cities" for edge in graph["edges"])
    events = [json.loads(line) for line in (ran.home / "events.jsonl").read_text().splitlines()]
    (end,) = [each for each in events if each["job"]["name"] == "exports.cities" and each["eventType"] == "COMPLETE"]
    (output,) = end["outputs"]
    assert output["name"] == "exports.cities" and output["outputFacets"]["outputStatistics"]["rowCount"] == 2
    fields = output["facets"]["columnLineage"]["fields"]
    assert output["facets"]["schema"]["fields"][0] == {"name": "city", "type": "string"}
    assert (
        fields["city"]["inputFields"][0]["field"] == "city"
        and fields["city"]["inputFields"][0]["name"] == "gold.cities"
    )


def test_a_change_reaches_what_is_exported_and_plan_says_so(ran):
    say(ran, "  cities: {from: gold.cities, to: out/cities, owner: sales}\n")
    exported(ran)
    sql = ran.conf / "shop" / "sql" / "gold_cities.sql"
    sql.write_text(sql.read_text().replace("sum(o.amount)", "sum(o.amount) * 2"))
    reached = {(each.id, each.kind, each.owner) for each in open_lakehouse(ran.conf).plan().radius.reached}
    assert ("exports.cities.amount", "export", "sales") in reached and not any(
        each[0] == "exports.cities.city" for each in reached
    )


def test_exports_stand_in_tags_of_no_version_and_are_told_as_removed(ran):
    say(ran, "  cities: {from: gold.cities, to: out/cities}\n")
    exported(ran)
    lake = open_lakehouse(ran.conf)
    assert not any(name.startswith("exports.") for name in lake.tag("release").versions)
    record = Intents(ran.project().root).published("exports.cities")
    assert record.facts["versions"] == {"exports.cities": 1} and record.facts["lineage"]


def test_rows_that_are_read_again_go_out_again_only_where_they_changed(ran):
    say(ran, "  raw: {from: bronze.orders, to: out/raw, mode: new, format: json, columns: [order_id]}\n"
        "  orders: {from: silver.orders, to: out/orders, columns: [order_id]}\n")  # fmt: skip
    exported(ran)
    told = exported(ran, window=Window(datetime(2020, 1, 1, tzinfo=UTC), None, "ingestion"))
    assert told["exports.raw"].status == "skipped" and told["exports.orders"].status in ("done", "skipped")
    assert len(Out(ran, "raw").rows("order_id")) == 3 and Out(ran, "orders").rows("order_id") == [(1,), (2,)]
    done = backfill(
        ran.project(), ["silver.orders+"], datetime(2026, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    )
    assert done.status == "done" and len(Out(ran, "raw").rows("order_id")) == 3
