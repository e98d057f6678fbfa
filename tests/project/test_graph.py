"""The order in which steps that could start do start."""

from lakeloom.core.steps import Input, Step
from lakeloom.project.graph import heights


def step(name, *reads):
    return Step(name, "transform", tuple(Input(table, "whole") for table in reads), (name,), None)


def test_a_step_is_as_high_as_the_longest_chain_below_it():
    found = [
        step("bronze.a"), step("bronze.b"), step("silver.a", "bronze.a"), step("silver.b", "bronze.b", "silver.a"),
        step("gold.x", "silver.a"), step("gold.y", "silver.b", "silver.a"),
    ]  # fmt: skip
    assert heights(found) == {"bronze.a": 3, "bronze.b": 2, "silver.a": 2, "silver.b": 1, "gold.x": 0, "gold.y": 0}
