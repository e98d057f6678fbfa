"""The order in which steps that could start do start."""

from lakeloom.config.load import read
from lakeloom.core.steps import Input, Step
from lakeloom.project.check import checked
from lakeloom.project.graph import heights, steps
from tests.shop import lay_out


def step(name, *reads):
    return Step(name, "transform", tuple(Input(table, "whole") for table in reads), (name,), None)


def test_a_step_is_as_high_as_the_longest_chain_below_it():
    found = [
        step("bronze.a"), step("bronze.b"), step("silver.a", "bronze.a"), step("silver.b", "bronze.b", "silver.a"),
        step("gold.x", "silver.a"), step("gold.y", "silver.b", "silver.a"),
    ]  # fmt: skip
    assert heights(found) == {"bronze.a": 3, "bronze.b": 2, "silver.a": 2, "silver.b": 1, "gold.x": 0, "gold.y": 0}


def test_a_changed_rule_changes_the_code_and_not_what_the_rows_are_made_by(tmp_path):
    conf = lay_out(tmp_path)

    def hashes():
        (found,) = [step for step in steps(checked(read(conf))) if step.name == "silver.orders"]
        return found.code, found.made

    tables, sql = conf / "shop" / "tables.yml", conf / "shop" / "sql" / "silver_orders.sql"
    first = hashes()
    tables.write_text(tables.read_text().replace("max: 10000", "max: 20000"))
    second = hashes()
    sql.write_text(sql.read_text() + "where true\n")
    third = hashes()
    assert first[0] != second[0] and first[1] == second[1]
    assert second[0] != third[0] and second[1] != third[1]
