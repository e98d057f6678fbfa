"""Suites of great-expectations: what comes back of what was exported, both forms, what can't be taken."""

from __future__ import annotations

import json
import random

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.quality.spec import RuleSpec
from lakeloom.quality.suites import exported, rules_of
from tests.quality.test_great_expectations import rules


def test_every_rule_comes_back_as_it_went():
    pytest.importorskip("great_expectations")
    made = [rule for seed in range(3) for rule in rules(random.Random(seed))]
    made += [
        RuleSpec(sql="a > 1 and b = '{'", name="mine", at_most=0.1),
        RuleSpec(sql="a > 1", nulls="pass", otherwise="warn"),
        RuleSpec(column="a", expect="match_like_list", patterns=("a%", "_"), match_on="all", otherwise="quarantine"),
        RuleSpec(column="a", expect="between", min=1, nulls="break"),
        RuleSpec.model_validate({"column": "j", "expect": "match_json_schema", "json_schema": {"type": "object"}}),
    ]
    for rule in made:
        found = exported([rule])
        assert not found.left
        back = rules_of(json.loads(json.dumps(found.rules)))
        assert not back.left
        again = RuleSpec.model_validate(back.rules[0])
        assert again.model_dump() == rule.model_dump() | {"otherwise": again.otherwise, "expect": again.expect}
        assert again.otherwise == rule.otherwise
        assert again.expectation == rule.expectation


def test_the_older_form_repeated_rules_and_what_can_not_be_taken():
    suite = [
        {"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a", "mostly": 0.95}},
        {"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a"}, "meta": {"notes": "x"}},
        {"type": "expect_column_pair_values_to_be_equal", "kwargs": {"column_A": "a", "column_B": "b"}},
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "a", "max_value": 3, "min_value": None},
         "severity": "warning"},
        {"type": "expect_column_values_to_be_odd", "kwargs": {"column": "a"}},
        {"type": "expect_query_results_to_match_comparison", "kwargs": {}},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "a"}},
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "a", "max_value": {"$PARAMETER": "x"}}},
        {"type": "expect_column_values_to_be_null",
         "kwargs": {"column": "a", "row_condition": "b > 1", "condition_parser": "spark"}},
        {"type": "expect_column_values_to_be_increasing", "kwargs": {"column": "a"}},
        "nonsense",
    ]  # fmt: skip
    taken = rules_of(suite)
    assert list(taken.rules) == [
        {"column": "a", "expect": "not_null", "at_most": 0.05, "otherwise": "fail"},
        {"column": "a", "expect": "not_null", "otherwise": "fail", "name": "a:not_null 2"},
        {"columns": ["a", "b"], "expect": "pair_equal", "otherwise": "fail"},
        {"column": "a", "expect": "max_between", "max": 3, "otherwise": "warn"},
    ]
    assert [name for name, _ in taken.left] == [
        "expect_column_values_to_be_odd", "expect_query_results_to_match_comparison",
        "expect_column_values_to_be_in_set", "expect_column_max_to_be_between", "expect_column_values_to_be_null",
        "expect_column_values_to_be_increasing", "expectation 11",
    ]  # fmt: skip
    reasons = " ".join(reason for _, reason in taken.left)
    for word in ("own expectations", "data source", "values", "$PARAMETER", "row_condition", "order_by"):
        assert word in reasons


def test_what_only_lakeloom_has_is_left_out_by_name():
    found = exported(
        [RuleSpec(column="a", expect="references", to="silver.b"), RuleSpec(column="a", expect="not_null")]
    )
    assert len(found.rules) == 1
    assert found.left == (("a:references", "great-expectations has no such expectation"),)


def test_a_file_that_is_no_suite(tmp_path):
    from lakeloom.api.suites import read_suite

    for text in ("{", '{"expectations": 7}', "[1", '"x"'):
        (tmp_path / "suite.json").write_text(text)
        with pytest.raises(LakeloomError) as caught:
            read_suite(tmp_path / "suite.json")
        assert caught.value.code == "LL-RULE-004"
    with pytest.raises(LakeloomError) as caught:
        read_suite(tmp_path / "nowhere.json")
    assert caught.value.code == "LL-RULE-004"
