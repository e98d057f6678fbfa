"""Rules as the config says them: names, great-expectations' words, what is refused. No Spark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lakeloom.core.errors import RuleError
from lakeloom.quality.conditions import fault
from lakeloom.quality.expectations import BY_NAME, EXPECTATIONS
from lakeloom.quality.spec import RuleSpec, duplicates, require_unique


def test_names_are_stable_and_may_be_given():
    assert RuleSpec(column="distance", expect="between", min=1).title == "distance:values_between"
    assert RuleSpec(column="a", expect="not_null", name="mine").title == "mine"
    assert RuleSpec(sql="a  <\n b").title == "a < b"
    assert RuleSpec(columns=("a", "b"), expect="unique_together").title == "a+b:unique_together"
    assert RuleSpec(expect="row_count_between", min=1).title == "row_count_between"


def test_great_expectations_words_say_the_same():
    theirs = {"column": "a", "expect": "expect_column_values_to_be_between", "min_value": 1, "mostly": 0.9}
    rule = RuleSpec.model_validate(theirs)
    assert (rule.title, rule.min, rule.at_most) == ("a:values_between", 1, 0.1)
    assert all(name == BY_NAME[name].name or BY_NAME[name] for name in BY_NAME)
    officials = [each.official for each in EXPECTATIONS if each.official]
    assert len(set(officials)) == len(officials)


def test_null_follows_great_expectations_unless_told():
    assert not RuleSpec(column="a", expect="between", min=1).null_breaks
    assert RuleSpec(sql="a > 1").null_breaks
    assert not RuleSpec(sql="a > 1", nulls="pass").null_breaks
    assert RuleSpec(column="a", expect="in_set", values=(1,), nulls="break").null_breaks


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"column": "a"},
        {"column": "a", "expect": "betwen", "min": 1},
        {"column": "a", "expect": "between"},
        {"expect": "between", "min": 1},
        {"column": "a", "expect": "not_null", "min": 1},
        {"column": "a", "expect": "not_null", "nulls": "pass"},
        {"column": "a", "expect": "match_regex", "pattern": "("},
        {"column": "a", "expect": "unique", "otherwise": "quarantine"},
        {"column": "a", "expect": "mean_between", "min": 1, "at_most": 0.1},
        {"column": "a", "expect": "between", "min": 1, "min_value": 2},
        {"column": "a", "expect": "not_null", "mostly": 7},
        {"sql": "a > 1", "expect": "between"},
        {"sql": "a > 1", "column": "a"},
        {"sql": "rand() > 0.5"},
    ],
)
def test_wrong_rules_are_refused_with_their_code(rule):
    with pytest.raises(ValidationError) as caught:
        RuleSpec.model_validate(rule)
    found = caught.value.errors()[0]
    assert found["type"] == "LL-RULE-003"
    assert found["ctx"]["error"].code == "LL-RULE-003"


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("rand() < 1", "rand()"),
        ("now() > a", "now()"),
        ("a > current_timestamp", "current_timestamp()"),
        ("a > current_date()", "current_date()"),
        ("uuid() = a", "uuid()"),
        ("unix_timestamp() > 1", "replay"),
        ("a in (select b from c)", "subquery"),
        ("exists (select 1)", "subquery"),
        ("sum(a) > 1", "aggregates"),
        ("row_number() over (order by a) = 1", "aggregates"),
        ("a > 1 as b", "single"),
        ("a, b", "single"),
        ("a > 1; drop table b", "single"),
        ("a > 1 from b", "single"),
        ("a >", "parse"),
    ],
)
def test_conditions_that_are_refused(sql, told):
    assert told in str(fault(sql))


@pytest.mark.parametrize(
    "sql", ["a > 1", "a is null or b < c", "exists(xs, x -> x > 1)", "unix_timestamp(a) > 1", "user = 1"]
)
def test_conditions_that_are_taken(sql):
    assert fault(sql) is None


@given(st.lists(st.sampled_from("abc"), max_size=8))
def test_duplicates_are_exactly_the_repetitions(columns):
    rules = [RuleSpec(column=column, expect="not_null") for column in columns]
    assert len(duplicates(rules)) == len(columns) - len(set(columns))
    if duplicates(rules):
        with pytest.raises(RuleError) as caught:
            require_unique(rules)
        assert caught.value.code == "LL-RULE-003"
