"""How far a change reaches, by what stands: no Spark, and quick in a large project."""

import re
import shutil
import time

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.errors import ContractError
from lakeloom.flow import contracts
from lakeloom.flow.journal import RUN, RUNS, run_row
from lakeloom.flow.radius import radius, reach_of
from lakeloom.lineage.flows import ColumnFlow, Flow, Flows
from lakeloom.lineage.made import keep
from lakeloom.lineage.reach import Start
from lakeloom.project.graph import steps
from lakeloom.project.prints import printed
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.meta import append
from tests.ran import COLUMNS, FLOWS, TABLES, Ran

SPARE = ", spare: {type: string, nullable: false}}"


@pytest.fixture
def ran(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return Ran(tmp_path).run()


def found(ran):
    return radius(ran.project())


def told(radius):
    return {each.id: each.how for each in radius.reached if each.sure}


def test_nothing_is_changed(ran):
    assert found(ran).as_dict() == {
        "changes": [], "removed": [], "reached": [], "reports": [], "rebuild": [], "seconds": 0, "bytes_read": 0, "bytes_written": 0,
        "breaking": [],
    }  # fmt: skip


def test_one_expression_reaches_what_is_made_of_its_column_and_no_more(ran):
    ran.change(("amount * 1.2", "amount * 1.3"))
    radius = found(ran)
    (change,) = radius.changes
    assert (change.step, change.words, change.columns, change.rows) == (
        "silver.orders",
        ("sql",),
        {"gross": "changed"},
        (),
    )
    assert told(radius) == {"gold.towns.gross": ("value",)}
    assert {each.id: (each.how, each.owner) for each in radius.reached if not each.sure} == {
        "gold.audit": (("step",), "")
    }
    assert [each.step for each in radius.rebuild] == ["silver.orders", "gold.towns", "gold.audit", "gold.spares"]
    assert (radius.seconds, radius.as_dict()["bytes_read"]) == (8.0, 4 * 2**20)
    assert radius.breaking == ()


def test_a_condition_reaches_everything_below(ran):
    ran.change(("amount > 4711", "amount > 4712"))
    radius = found(ran)
    assert (radius.changes[0].columns, radius.changes[0].rows) == ({}, ("sql",))
    assert told(radius)["gold.towns.orders"] == ("rows",)
    assert told(radius)["gold.spares"] == ("rows",)


def test_layout_of_the_text_is_built_anew_and_changes_nothing(ran):
    ran.change(("select id, upper(city)", "SELECT id,   upper(city)"))
    radius = found(ran)
    assert radius.changes[0].nothing
    assert radius.reached == ()
    assert radius.rebuild[0].step == "silver.orders"


def test_a_rule_that_keeps_rows_out_decides_about_rows_and_one_that_warns_does_not(ran):
    rule = "    rules: [{{column: gross, expect: values_not_null, otherwise: {}}}]\n  gold.towns:"
    ran.change(("  gold.towns:", rule.format("quarantine")))
    assert found(ran).changes[0].rows == ("rules",)
    ran.change(("otherwise: quarantine", "otherwise: warn"))
    assert found(ran).changes[0].nothing


def test_a_source_changes_by_column_and_builds_nothing_itself(ran):
    ran.change(("amount: double", "amount: float"), file="sources")
    radius = found(ran)
    (change,) = radius.changes
    assert (change.columns, change.rebuild) == ({"amount": "changed"}, False)
    assert told(radius)["gold.towns.gross"] == ("value", "filter")
    assert [str(each.what) for each in radius.breaking] == ["bronze.orders.amount narrows from double to float"]


def test_without_what_the_last_run_noted_every_column_may_be_changed(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    ran = Ran(tmp_path).run(prints=False)
    ran.change(("amount * 1.2", "amount * 1.3"))
    radius = found(ran)
    assert set(radius.changes[0].columns.values()) == {"maybe"}
    assert "older release" in radius.changes[0].why
    assert {each.sure for each in radius.reached} == {False}
    assert "gold.spares.at" in {each.id for each in radius.reached}


def test_a_function_is_told_for_the_whole_table(ran):
    ran.change(("function: tests.ran:passed", "function: tests.shop:lay_out"))
    (change,) = found(ran).changes
    assert change.columns == {"id": "maybe", "note": "maybe"}
    assert change.why.startswith("function: ")


def without(text, *tables):
    """Return declarations without those of some tables."""
    blocks = re.split(r"(?m)^(?=  \w+\.\w+:)", text)
    return "".join(block for block in blocks if block.strip().partition(":")[0] not in tables)


def test_a_declaration_that_is_gone_leaves_what_it_made_and_says_whose_it_is(ran):
    ran.declare(without(TABLES, "gold.spares"))
    (removed,) = found(ran).removed
    assert (removed.step, removed.version, removed.owner, removed.reached) == ("gold.spares", 0, "depot", ())
    assert not found(ran).nothing and found(ran).breaking == ()
    contracts.keep(ran.project())
    assert [each.step for each in radius(ran.project(), ["gold.*"]).removed] == ["gold.spares"]
    assert radius(ran.project(), ["silver.*"]).removed == ()
    ran.declare(TABLES)
    assert found(ran).nothing


def test_what_was_made_of_a_table_without_declaration_is_told(ran):
    text = without(TABLES, "silver.orders", "gold.spares").replace("silver.orders", "bronze.orders")
    ran.declare(
        text.replace("select town, sum(gross)", "select city as town, sum(amount)").replace("by town", "by city")
    )
    removed = {each.step: each for each in found(ran).removed}
    assert removed.keys() == {"silver.orders", "gold.spares"}
    assert {each.id: (each.how, each.sure, each.owner) for each in removed["silver.orders"].reached} == {
        "gold.audit": (("rows",), False, ""),
        **{f"gold.towns{each}": (("rows",), True, "sales") for each in ("", ".gross", ".orders", ".town")},
    }


def test_a_table_whose_readers_stay_is_missed_by_each_of_them(ran):
    ran.declare(without(TABLES, "silver.orders"))
    told = [(each.code, each.path) for each in open_lakehouse(ran.home / "conf").check()]
    assert told == [
        ("LL-CONF-010", f"tables.{name}.from.silver.orders") for name in ("gold.towns", "gold.audit", "gold.spares")
    ]


def test_what_another_project_on_the_root_has_made_is_not_missed(ran):
    told = {"kind": "run", "name": "another", "started": "2026-01-01T00:00:00+00:00", "seconds": 1.0, "status": "done"}
    ran.declare(without(TABLES, "gold.spares"))
    append(ran.lake, RUNS, RUN, [run_row("20260101T000000-000001", told | {"reads": {}})])
    assert found(ran).removed == ()


def test_what_was_taken_away_is_not_missed(ran):
    ran.declare(without(TABLES, "gold.spares"))
    shutil.rmtree(ran.lake.path("gold.spares"))
    assert found(ran).nothing


def test_a_report_that_tells_of_it_is_named(ran):
    folder = ran.lake.root / "runs" / "20260101T000000-000001"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<html>")
    ran.change(("amount * 1.2", "amount * 1.3"))
    (report,) = found(ran).reports
    assert report["of"] == ["gold.audit", "gold.towns", "silver.orders"]


def test_figures_are_of_the_last_build_from_scratch(ran):
    intents = Intents(ran.lake.root)
    for epoch in (2, 3):
        intents.begin(Intent("silver.orders", epoch, f"r{epoch}", "", 7, intents.latest("silver.orders").intent.code))
        intents.finish(intents.latest("silver.orders").intent, {"versions": {"silver.orders": 0}, "seconds": 0.1})
    ran.change(("amount * 1.2", "amount * 1.3"))
    first = found(ran).rebuild[0]
    assert (first.step, first.seconds, first.scratch, first.rows) == ("silver.orders", 2.0, True, 10)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ([(SPARE, "}"), ("gross, spare from", "gross from"), ("select spare, max(at) as at from silver.orders group by spare", "select town, max(at) as at from silver.orders group by town")],
         ["gold.spares.spare is dropped", "silver.orders.spare is dropped"]),
        ([("gross: double,", "gross: float,")], ["silver.orders.gross narrows from double to float"]),
        ([("keys: [id]", "keys: [id, town]")], ["silver.orders has other keys: id → id, town"]),
        ([("spare: {type: string, nullable: false}", "spare: string")], ["silver.orders.spare may be NULL now"]),
        ([("upper(city) as town", "upper(city) as place"), ("town: string, at", "place: {type: string, renamed_from: town}, at"),
          ("select town, sum(gross) as gross, count(*) as orders from silver.orders group by town",
           "select place as town, sum(gross) as gross, count(*) as orders from silver.orders group by place")],
         ["silver.orders.town is renamed to place"]),
    ],
)  # fmt: skip
def test_what_breaks_is_refused_with_all_that_it_reaches(ran, changes, broken):
    ran.change(*changes)
    assert sorted(str(each.what) for each in found(ran).breaking) == broken
    with pytest.raises(ContractError) as caught:
        contracts.keep(ran.project())
    assert caught.value.code == "LL-TABLE-011"
    assert all(each in caught.value.message for each in broken)
    if "silver.orders.spare is dropped" in broken:
        assert "(owner ops); it reaches" in caught.value.message
        assert "gold.spares.spare (value, grouping; owner depot)" in caught.value.message
    assert {each["table"] for each in caught.value.broken} == {
        each.partition(" ")[0].rpartition(".")[0] or "" for each in broken if "keys" not in each
    } | ({"silver.orders"} if "keys" in broken[0] else set())
    lake = open_lakehouse(ran.home / "conf")
    assert {finding.code for finding in lake.check()} == {"LL-TABLE-011"}
    assert {finding.file for finding in lake.check()} == {"conf/ran/tables.yml"}
    assert lake.check(allow_breaking=True) == []
    with pytest.raises(ContractError):
        lake.run()
    with pytest.raises(ContractError):
        lake.run("silver.*")


@pytest.mark.parametrize(
    "changes",
    [
        [("amount * 1.2", "amount * 1.3")],
        [("gross: double,", "gross: double, more: {type: int},"), ("gross, spare from", "gross, 1 as more, spare from")],
        [("town: string, at", "town: {type: string, nullable: false}, at")],
        [("count(*) as orders", "count(*) as orders, max(gross) as most")],
    ],
)  # fmt: skip
def test_what_breaks_nobody_is_let_through(ran, changes):
    ran.change(*changes)
    assert found(ran).breaking == ()
    contracts.keep(ran.project())


def test_a_branch_and_a_sample_are_there_to_try_things_out(ran):
    ran.change(("gross: double,", "gross: float,"))
    base = ran.home / "conf" / "base.yml"
    base.write_text(base.read_text() + "sample: 0.1\n")
    contracts.keep(ran.project())


def test_an_execution_that_was_let_through_and_killed_goes_on(ran):
    ran.change(("gross: double,", "gross: float,"))
    step = next(each for each in steps(ran.project()) if each.name == "silver.orders")
    Intents(ran.lake.root).begin(Intent("silver.orders", 2, "r2", "", 7, step.code, True, breaking=True))
    contracts.keep(ran.project())


def test_plan_and_radius_from_python(ran):
    ran.change(("amount * 1.2", "amount * 1.3"))
    lake = open_lakehouse(ran.home / "conf")
    plan = lake.plan("silver.orders")
    assert plan.radius.as_dict() == lake.radius("silver.orders").as_dict()
    assert not plan.idle
    assert lake.radius("gold.*").changes == ()
    assert [each.id for each in reach_of(ran.project(), [Start("silver.orders.town")]) if each.sure] == [
        "gold.towns", "gold.towns.gross", "gold.towns.orders", "gold.towns.town",
    ]  # fmt: skip


def test_300_tables_and_10000_edges(tmp_path, monkeypatch):
    """The first table's one expression, below which hang all the others."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    levels, width, count = 30, 10, 17
    names = [f"c{number}" for number in range(count)]
    schemas = {"bronze.orders": COLUMNS["bronze.orders"]}
    lines = ["tables:"]
    for level in range(levels):
        for at in range(width):
            below = [f"gold.t{level - 1}_{(at + step) % width}" for step in (0, 1)] if level else ["bronze.orders"]
            selected = ", ".join(f"a.{name}" if level else f"a.amount as {name}" for name in names)
            joined = f" join {below[1]} b on a.c0 = b.c0" if level else ""
            schemas[f"gold.t{level}_{at}"] = dict.fromkeys(names, "double")
            lines += [f"  gold.t{level}_{at}:", f"    from: {{{', '.join(f'{each}: whole' for each in below)}}}"]
            lines += [f"    sql: select {selected} from {below[0]} a{joined}"]
    ran = Ran(tmp_path, "\n".join(lines) + "\n", columns=schemas)
    project, edges = ran.project(), 0
    intents = Intents(project.root)
    for step in steps(project):
        inputs = [read.table for read in step.reads]
        flows = {
            name: ColumnFlow(
                name,
                "made",
                tuple(Flow(each, name if each != "bronze.orders" else "amount", "value") for each in inputs),
            )
            for name in names
        }
        edges += count * len(inputs)
        facts = {"versions": {step.name: 0}, "lineage": {step.name: keep(project.root, Flows(flows))}}
        if step.name == "gold.t0_0":
            facts["prints"] = keep(project.root, printed(project, step, schemas))
        intents.begin(Intent(step.name, 1, "20260101T000000-000001", "", 7, step.code, True, dict.fromkeys(inputs, 0)))
        intents.finish(intents.latest(step.name).intent, facts)
    assert edges > 9_900
    text = (ran.folder / "tables.yml").read_text()
    (ran.folder / "tables.yml").write_text(text.replace("a.amount as c5,", "a.amount * 2 as c5,", 1))
    project = ran.project()
    begun = time.perf_counter()
    found = radius(project)
    took = time.perf_counter() - begun
    assert found.changes[0].columns == {"c5": "changed"}
    assert {each.id.rpartition(".")[2] for each in found.reached} == {"c5"}
    assert len(found.reached) == sum(min(level + 1, width) for level in range(1, levels))
    assert took < 4, took  # about half a second on a quiet machine


def test_the_project_as_if_it_had_run_is_what_its_declarations_say():
    assert set(COLUMNS) == set(FLOWS)
    assert all(table in TABLES for table in COLUMNS if table != "bronze.orders")
