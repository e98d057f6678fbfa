"""Upkeep in the graph and in `check`."""

import re

import pytest

from lakeloom.config.load import read
from lakeloom.project.check import check, checked
from lakeloom.project.exports.tasks import tasks
from lakeloom.project.graph import steps
from tests.shop import lay_out


@pytest.fixture
def conf(tmp_path):
    return lay_out(tmp_path)


def change(conf, file, old, new):
    path = conf / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def of_upkeep(conf, **options):
    return {step.name: step for step in steps(checked(read(conf)), **options) if step.kind == "upkeep"}


def found(conf):
    return {(finding.path, finding.code): finding for finding in check(read(conf))[1]}


def test_nobody_gets_upkeep_who_did_not_ask_and_asking_makes_nothing_again(conf):
    before = {step.name: step.code for step in steps(checked(read(conf)))}
    assert of_upkeep(conf) == {}
    change(conf, "shop/tables.yml", "  silver.orders:\n", "  silver.orders:\n    upkeep: true\n")
    (step,) = of_upkeep(conf).values()
    assert step.name == "upkeep.silver__orders" and step.spec.vacuum is None
    assert before == {step.name: step.code for step in steps(checked(read(conf))) if step.kind != "upkeep"}


def test_the_projects_policy_holds_for_every_table_that_does_not_say_otherwise(conf):
    change(conf, "base.yml", "project:", "upkeep: {every: 2 days, vacuum: {keep: 14 days}}\nproject:")
    change(conf, "shop/tables.yml", "  silver.orders:\n", "  silver.orders:\n    upkeep: {every: 6 hours}\n")
    change(conf, "shop/tables.yml", "  gold.cities:\n", "  gold.cities:\n    upkeep: false\n")
    kept = of_upkeep(conf)
    assert "upkeep.bronze__orders" in kept and "upkeep.meta" in kept and "upkeep.gold__cities" not in kept
    spec = kept["upkeep.silver__orders"].spec
    assert (str(spec.every), str(spec.vacuum.keep)) == ("6 hours", "14 days")
    assert "upkeep.gold__cities" in of_upkeep(conf, upkeep=True)


def test_it_comes_after_its_tables_writer_and_nothing_waits_for_it(conf):
    change(conf, "base.yml", "project:", "upkeep: true\nproject:")
    order = [step.name for step in steps(checked(read(conf)))]
    assert order.index("silver.orders") < order.index("upkeep.silver__orders")
    needs = {task.name: task.needs for task in tasks(checked(read(conf)))}
    assert needs["upkeep.silver__orders"] == ("silver.orders",)
    assert not any(need.startswith("upkeep.") for given in needs.values() for need in given)


def test_a_source_may_have_its_own(conf):
    change(conf, "shop/sources.yml", "    kind:", "    upkeep: {compact: {target: 64 MB}}\n    kind:")
    (step,) = of_upkeep(conf).values()
    assert step.name.startswith("upkeep.bronze__") and step.spec.compact.target == 64 << 20


def test_what_upkeep_names_is_checked(conf):
    change(conf, "base.yml", "project:", "upkeep: {zorder: [city]}\nproject:")
    change(conf, "shop/sources.yml", "    kind:", "    upkeep: {compact: 5}\n    kind:")
    words = "{zorder: [order_id, costumer], statistics: [amoumt], vacuum: {keep: 5 minutes}}"
    change(conf, "shop/tables.yml", "  silver.orders:\n", f"  silver.orders:\n    upkeep: {words}\n")
    codes = {path.partition(".")[0] + ":" + path.rpartition(".")[2]: code for path, code in found(conf)}
    assert codes["upkeep:zorder"] == "LL-TABLE-010" and codes["tables:keep"] == "LL-CONF-004"
    assert codes["sources:compact"] == "LL-CONF-004"
    change(conf, "shop/tables.yml", ", vacuum: {keep: 5 minutes}", "")
    told = found(conf)
    assert told[("tables.silver.orders.upkeep.zorder", "LL-TABLE-003")].fix == "use 'customer'"
    assert told[("tables.silver.orders.upkeep.statistics", "LL-TABLE-003")].fix == "use 'amount'"


@pytest.mark.parametrize(("layout", "message"), [("cluster_by", "clustered"), ("partition_by", "apart already")])
def test_one_order_a_table(conf, layout, message):
    text = (conf / "shop" / "tables.yml").read_text()
    assert "write: {" in text
    change(conf, "shop/tables.yml", "write: {", f"upkeep: {{zorder: [order_id]}}\n    write: {{{layout}: [order_id], ")
    ((_, code), finding), *more = found(conf).items()
    assert code == "LL-TABLE-010" and message in finding.message and not more


def test_a_column_without_least_and_greatest_values_is_no_order(conf):
    change(conf, "shop/tables.yml", "  silver.orders:\n", "  silver.orders:\n    upkeep: {statistics: [amount]}\n")
    assert found(conf) == {}
    text = (conf / "shop" / "tables.yml").read_text()
    (conf / "shop" / "tables.yml").write_text(re.sub(r"amount: (\{type: )?\w+", r"amount: \1binary", text, count=1))
    told = found(conf)[("tables.silver.orders.upkeep.statistics", "LL-TABLE-010")]
    assert "'amount' is binary" in told.message
