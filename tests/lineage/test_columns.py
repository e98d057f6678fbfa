"""The graph of columns, at their newest versions and at one of them; and that it answers for a large project."""

import json
import time

import pytest

from lakeloom.core.errors import TableError
from lakeloom.lineage.assembled import at_version, newest
from lakeloom.lineage.columns import Place, by_tables
from lakeloom.lineage.flows import ColumnFlow, Flow, Flows, of_steps
from lakeloom.lineage.made import Executions, Kept, keep
from lakeloom.store.intents import Intent, Intents


class Told:
    """A storage root in which executions of steps have told what flows into their tables."""

    def __init__(self, root):
        self.root, self._intents, self._runs = root, Intents(root), 0

    def run(self, table, version, flows, reads=None, step=None, **more):
        """Note an execution of the step of a table, in a run of its own."""
        self._runs += 1
        step = step or table
        latest = self._intents.latest(step)
        epoch = latest.intent.epoch + 1 if latest else 1
        intent = Intent(step, epoch, f"2026{self._runs:06d}", "", 7, "code", reads=reads or {}, **more)
        key = keep(self.root, flows) if flows is not None else None
        self._intents.begin(intent)
        facts = {"versions": {table: version}} | ({"lineage": {table: key}} if key else {})
        self._intents.finish(intent, facts)

    def newest(self):
        return newest(Executions(self.root), Kept(self.root))

    def at(self, table, version):
        return at_version(Executions(self.root), Kept(self.root), table, version)


def made(columns, rows=(), **more):
    """Return flows of columns that are told by (expression, way, flows)."""
    return Flows({name: ColumnFlow(*told) for name, told in columns.items()}, tuple(rows), **more)


def same(table, column):
    return (column, "same", (Flow(table, column, "value"),))


@pytest.fixture
def told(root):
    return Told(root)


@pytest.fixture
def shop(told):
    """A shop: a source, bronze, silver with a filter and a field, gold by a window and groups, and an opaque report."""
    told.run("bronze.orders", 0, made({"id": same("sources.orders", "id"), "by": same("sources.orders", "by")}))
    told.run(
        "silver.orders", 0,
        made(
            {
                "id": same("bronze.orders", "id"),
                "city": ("by.city", "same", (Flow("bronze.orders", "by.city", "value"),)),
                "place": ("by", "same", (Flow("bronze.orders", "by", "value"),)),
                "rank": ("row_number() over (…)", "made", (Flow("bronze.orders", "id", "window"),)),
            },
            [Flow("bronze.orders", "", "rows"), Flow("bronze.orders", "paid", "filter", "paid > ?")],
        ),
        {"bronze.orders": 0},
    )  # fmt: skip
    told.run(
        "gold.cities", 0,
        made(
            {"city": same("silver.orders", "city"), "n": ("count(?)", "aggregated", ())},
            [Flow("silver.orders", "", "rows"), Flow("silver.orders", "city", "grouping", "city")],
        ),
        {"silver.orders": 0},
    )  # fmt: skip
    told.run("gold.report", 0, of_steps(["gold.cities"], "no plan", ["a", "b"]), {"gold.cities": 0})
    return told


def ids(lineage):
    return {node.id for node in lineage.nodes}


def pairs(lineage, how=None):
    return {(edge.source, edge.target) for edge in lineage.edges if how in (None, edge.how)}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("silver.orders", ("silver.orders", "", "")),
        ("silver.orders.by.city", ("silver.orders", "", "by.city")),
        ("silver.orders@7", ("silver.orders", "7", "")),
        ("silver.orders@7.id", ("silver.orders", "7", "id")),
        ("silver.orders@2026-01-31T12:00:00Z.id", ("silver.orders", "2026-01-31T12:00:00Z", "id")),
    ],
)
def test_a_place_is_a_table_a_version_a_column(text, place):
    found = Place.parse(text)
    assert (found.table, found.point, found.column) == place


def test_up_is_values_and_what_decides_about_rows(shop):
    found = shop.newest().up("gold.cities.city")
    assert ("silver.orders.city", "gold.cities.city") in pairs(found, "value")
    assert ("bronze.orders.by.city", "silver.orders.city") in pairs(found, "value")
    assert ("sources.orders.by", "bronze.orders.by") in pairs(found, "value")
    assert ("bronze.orders.paid", "silver.orders") in pairs(found, "filter")
    assert ("silver.orders.city", "gold.cities") in pairs(found, "grouping")
    assert next(edge.expression for edge in found.edges if edge.how == "filter") == "paid > ?"
    assert {node.kind for node in found.nodes} == {"column", "table"}


def test_only_values_leave_out_the_rest(shop):
    found = shop.newest().up("gold.cities.city", ["value"])
    assert ids(found) == {
        "gold.cities.city", "silver.orders.city", "bronze.orders.by.city", "bronze.orders.by", "sources.orders.by"
    }  # fmt: skip


def test_down_of_a_column_reaches_what_its_fields_reach(shop):
    found = shop.newest().down("bronze.orders.by", ["value"])
    assert {"silver.orders.city", "silver.orders.place", "gold.cities.city"} <= ids(found)


def test_down_of_a_field_reaches_what_takes_the_whole_and_no_other_field(shop):
    graph = shop.newest()
    found = ids(graph.down("bronze.orders.by.city", ["value"]))
    assert {"silver.orders.city", "silver.orders.place"} <= found
    assert graph.known("bronze.orders.by.zip") == "bronze.orders.by"  # a field of which nothing is made by itself
    assert "sources.orders.by" not in found


def test_a_filter_reaches_every_column_of_the_table(shop):
    found = ids(shop.newest().down("bronze.orders.paid"))
    assert {"silver.orders", "silver.orders.id", "silver.orders.rank", "gold.cities.n"} <= found


def test_an_opaque_step_is_reached_by_every_column_of_its_inputs(shop):
    graph = shop.newest()
    found = graph.down("gold.cities.n", ["value"])
    assert {"gold.report", "gold.report.a", "gold.report.b"} <= ids(found)
    assert ("gold.cities.n", "gold.report") in pairs(found, "step")
    assert "gold.cities.n" in ids(graph.up("gold.report.a", ["value"]))
    assert ("gold.cities.city", "gold.report") in pairs(graph.between("sources.orders.by", "gold.report.b", ["value"]))


def test_between_is_only_what_lies_on_a_way(shop):
    found = shop.newest().between("bronze.orders.by", "gold.cities.city", ["value"])
    assert pairs(found) == {
        ("bronze.orders.by", "bronze.orders.by.city"), ("bronze.orders.by.city", "silver.orders.city"),
        ("silver.orders.city", "gold.cities.city"),
    }  # fmt: skip
    assert shop.newest().between("gold.cities.city", "bronze.orders.by").edges == ()


def test_what_is_not_there_names_the_nearest(shop):
    with pytest.raises(TableError) as caught:
        shop.newest().up("gold.cities.cty")
    assert caught.value.code == "LL-STORE-001"
    assert "city, n" in caught.value.message
    assert caught.value.fix == "use 'gold.cities.city'"


def test_a_column_is_found_under_the_name_that_it_had(shop):
    flows = made({"town": same("silver.orders", "city")}, renamed={"town": "city"})
    shop.run("gold.cities", 1, flows, {"silver.orders": 0})
    assert ids(shop.newest().up("gold.cities.city", ["value"])) == ids(shop.newest().up("gold.cities.town", ["value"]))
    assert "gold.cities@0.city" in ids(shop.at("gold.cities", 0).up("gold.cities@0.city"))
    with pytest.raises(TableError):
        shop.at("gold.cities", 0).up("gold.cities@0.town")


def test_a_version_is_what_it_was_made_of_and_what_was_made_of_it(shop):
    shop.run("bronze.orders", 1, made({"id": same("sources.orders", "number")}))
    shop.run("silver.orders", 1, made({"id": same("bronze.orders", "id")}), {"bronze.orders": 1})
    old, new = shop.at("silver.orders", 0), shop.at("silver.orders", 1)
    assert "sources.orders.id" in ids(old.up("silver.orders@0.id"))
    assert "gold.cities@0.city" in ids(old.down("silver.orders@0.city"))
    assert ids(new.around("silver.orders@1.id")) == {
        "silver.orders@1.id",
        "bronze.orders@1.id",
        "sources.orders.number",
    }


def test_of_a_table_that_was_dropped_and_made_anew_each_reader_has_its_own(shop):
    """Versions begin at 0 again: silver@0 of the first gold is not silver@0 of the second."""
    shop.run("silver.orders", 0, made({"city": same("bronze.orders", "town")}), {"bronze.orders": 0})
    shop.run("gold.cities", 1, made({"city": same("silver.orders", "city")}), {"silver.orders": 0})
    before, after = shop.at("gold.cities", 0), shop.at("gold.cities", 1)
    assert "bronze.orders@0.by.city" in ids(before.up("gold.cities@0.city"))
    assert "bronze.orders@0.town" not in ids(before.up("gold.cities@0.city"))
    assert "bronze.orders@0.town" in ids(after.up("gold.cities@1.city"))
    down = shop.at("silver.orders", 0).down("silver.orders@0.city")
    assert "gold.cities@1.city" in ids(down)
    assert "gold.cities@0.city" not in ids(down)


def test_a_version_that_only_upkeep_made_is_the_one_before(shop):
    shop.run("silver.orders", 1, None, step="upkeep.silver.orders")
    shop.run("gold.cities", 1, made({"city": same("silver.orders", "city")}), {"silver.orders": 1})
    assert "bronze.orders@0.by.city" in ids(shop.at("gold.cities", 1).up("gold.cities@1.city"))


def test_a_replay_of_single_rows_is_not_how_a_table_is_made(shop):
    shop.run("silver.orders", 1, None, {"bronze.orders": 0}, replay={"ids": ["x"]})
    assert "bronze.orders.by.city" in ids(shop.newest().up("silver.orders.city"))


def test_versions_of_tables_without_their_columns(shop):
    graph = shop.at("gold.cities", 0)
    found = by_tables(graph.up("gold.cities@0"), graph.tables)
    assert ("bronze.orders@0", "silver.orders@0") in pairs(found)
    assert {edge.how for edge in found.edges if edge.target == "gold.cities@0"} == {"grouping, rows, value"}


def test_flows_are_kept_once_and_read_as_they_were(root):
    flows = made({"a": same("silver.x", "b")}, [Flow("silver.x", "c", "filter", "c > ?")], renamed={"a": "z"})
    assert keep(root, flows) == keep(root, flows)
    (file,) = (root / "lineage").iterdir()
    assert Kept(root).of(file.stem) == flows
    file.write_text("{")
    assert Kept(root).of(file.stem) is None


def test_three_hundred_tables_and_ten_thousand_edges_answer_in_a_second(told):
    """A wide graph of 30 levels of 10 tables, each of 17 columns of two of the level below."""
    columns = [f"c{index}" for index in range(17)]
    for level in range(30):
        for place in range(10):
            table = f"gold.t{level}_{place}"
            below = [f"gold.t{level - 1}_{(place + step) % 10}" for step in (0, 1)] if level else ["bronze.x"]
            flows = {
                column: ("+".join(columns[:2]), "made", tuple(Flow(each, column, "value") for each in below))
                for column in columns
            }
            told.run(table, 0, made(flows), dict.fromkeys(below, 0))
    begun = time.perf_counter()
    graph = told.newest()
    up = graph.up("gold.t29_3.c5")
    json.dumps(up.as_dict())
    assert len(graph.edges) >= 9_900
    assert len(graph.tables) == 300
    assert "bronze.x.c5" in ids(up)
    assert "gold.t0_0.c5" in ids(up)
    assert time.perf_counter() - begun < 2
