"""Referential integrity on real Spark against sets in Python: keys of several columns, NULLs, odd names."""

from __future__ import annotations

import itertools

import pytest

from lakeloom.core.errors import RuleError
from lakeloom.quality.background import Background
from lakeloom.quality.rows import judge
from lakeloom.quality.spec import RuleSpec

KEYS = list(itertools.product([None, 1, 2], [None, "x", "y"]))


def test_every_whole_key_is_looked_up_and_no_row_is_doubled(spark):
    frame = spark.createDataFrame([(n, *key) for n, key in enumerate(KEYS)], "n int, `a.b` int, `or``der` string")
    there = [(1, "x"), (1, "x"), (2, None), (None, "y"), (2, "y")]
    other = spark.createDataFrame(there, "k bigint, `the text` string")
    rules = [
        RuleSpec(columns=("a.b", "or`der"), expect="references", to="silver.other", to_columns=("k", "the text")),
        RuleSpec(column="a.b", expect="references", to="silver.other", to_columns=("k",), otherwise="warn"),
        RuleSpec(column="n", expect="between", max=7),
    ]
    judged = judge(frame, rules, background=Background(table=lambda name: {"silver.other": other}[name]))
    found = {row["n"]: row["_reasons"] for row in judged.frame.collect()}
    results = {result.name: result for result in judged.results}
    good = judged.good.columns
    judged.release()
    whole = {n: key for n, key in enumerate(KEYS) if None not in key}
    for n in range(len(KEYS)):
        wanted = [rules[0].title] if n in whole and whole[n] not in there else []
        assert found[n] == wanted + (["n:values_between"] if n > 7 else []), n
    assert (results[rules[0].title].rows, results[rules[0].title].broken) == (4, 2)
    assert (results[rules[1].title].rows, results[rules[1].title].broken) == (6, 0)
    assert good == frame.columns and judged.rows == len(KEYS)


def test_keys_that_do_not_compare_and_rules_where_nothing_else_can_be_seen(spark):
    frame = spark.createDataFrame([(1, "a")], "n int, s string")
    background = Background(table=lambda name: frame)
    for rule in (
        RuleSpec(column="n", expect="references", to="silver.other", to_columns=("s",)),
        RuleSpec(column="n", expect="references", to="silver.other", to_columns=("nowhere",)),
        RuleSpec(column="n", expect="references", to="silver.other", to_columns=("n", "s")),
    ):
        with pytest.raises(RuleError) as caught:
            judge(frame, [rule], background=background)
        assert caught.value.code == "LL-RULE-003"
    with pytest.raises(RuleError, match="beyond"):
        judge(frame, [RuleSpec(column="n", expect="references", to="silver.other")])


def test_more_rules_than_a_number_has_bits(spark):
    frame = spark.createDataFrame([(n,) for n in range(200)], "n int")
    rules = [RuleSpec(column="n", expect="not_in_set", values=(n,), name=f"no {n}") for n in range(0, 140, 2)]
    judged = judge(frame, rules)
    found = {row["n"]: row["_reasons"] for row in judged.broken.collect()}
    assert found == {n: [f"no {n}"] for n in range(0, 140, 2)}
    assert all((each.rows, each.broken) == (200, 1) for each in judged.results)
    assert judged.good.count() == 130
    judged.release()
