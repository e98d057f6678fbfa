"""Value checks that great-expectations has no Spark engine for, against plain Python; and odd names."""

from __future__ import annotations

import re

import pytest
from dateutil.parser import parse

from lakeloom.core.names import quoted
from lakeloom.quality.rows import judge
from lakeloom.quality.spec import RuleSpec

TEXTS = [None, "", "a", "ab", "a%b", "a_b", "axb", "A", "100%", "a\nb", "Ünï", "日本"]
TIMES = [None, "", "2026-01-31", "2026-02-30", "31/01/2026", "Jan 3 2026 10:00", "31", "soon", "99999999999", "10:00"]


def like(pattern: str, escape: str = "\\") -> re.Pattern[str]:
    """Return SQL's LIKE as a regular expression."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if char == escape:
            at += 1
            out += re.escape(pattern[at])
        else:
            out += {"%": ".*", "_": "."}.get(char, re.escape(char))
        at += 1
    return re.compile(out, re.DOTALL)


def broken(spark, column: str, values: list, rules: list[dict]) -> dict[str, set]:
    frame = spark.createDataFrame([(value,) for value in values], f"{quoted(column)} string")
    specs = [RuleSpec.model_validate({"column": column, "name": str(n), **rule}) for n, rule in enumerate(rules)]
    judged = judge(frame, specs, cache=False)
    found: dict[str, set] = {spec.title: set() for spec in specs}
    for row in judged.frame.collect():
        for reason in row["_reasons"]:
            found[reason].add(row[0])
    return found


def test_like_is_sqls_in_a_column_of_any_name(spark):
    patterns = ["a%", "_", "a\\%b", "a\\_b", "%", "", "ab"]
    rules = [
        {"expect": expect, "pattern": pattern} for pattern in patterns for expect in ("match_like", "not_match_like")
    ]
    rules += [
        {"expect": "match_like", "pattern": "%!%", "escape": "!"},
        {"expect": "match_like_list", "like_pattern_list": ["a%", "%b"], "match_on": "all"},
        {"expect": "match_like_list", "like_pattern_list": ["a%", "%b"]},
        {"expect": "not_match_like_list", "patterns": ["a%", "%0_"]},
    ]  # fmt: skip
    found = broken(spark, "odd `name`. of it", TEXTS, rules)
    there = [text for text in TEXTS if text is not None]
    for number, pattern in enumerate(patterns):
        matching = {text for text in there if like(pattern).fullmatch(text)}
        assert found[str(2 * number)] == set(there) - matching, pattern
        assert found[str(2 * number + 1)] == matching, pattern
    last = 2 * len(patterns)
    assert found[str(last)] == set(there) - {"100%"}
    assert found[str(last + 1)] == set(there) - {"ab", "a%b", "a_b", "axb", "a\nb"}
    assert found[str(last + 2)] == {text for text in there if not (text.startswith("a") or text.endswith("b"))}
    assert found[str(last + 3)] == {text for text in there if text.startswith("a") or text == "100%"}


def test_dates_are_dateutils_whatever_the_day_is(spark):
    found = broken(spark, "t", TIMES, [{"expect": "expect_column_values_to_be_dateutil_parseable"}])

    def readable(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, OverflowError):
            return False
        return True

    # The day alone is a date in January and none in February: a replay must not depend on that.
    assert found["0"] == {text for text in TIMES if text is not None and text != "31" and not readable(text)}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"column": "a", "expect": "match_like", "pattern": "a\\b"}, "escape"),
        ({"column": "a", "expect": "match_format", "format": "%Q"}, "strptime"),
        ({"columns": ["a", "b", "c"], "expect": "pair_equal"}, "two"),
        ({"columns": ["a", "b"], "expect": "pair_equal", "ignore": "never"}, "neither"),
        ({"columns": ["a", "b"], "expect": "columns_equal", "ignore": "neither"}, "never"),
        ({"column": "a", "expect": "increasing"}, "order_by"),
        ({"column": "a", "expect": "quantiles_between", "quantile_ranges": {"quantiles": [0.5]}}, "value_ranges"),
        ({"expect": "no_unexpected_rows", "query": "SELECT * FROM gold.x"}, "reads gold.x"),
        ({"expect": "no_unexpected_rows", "query": "SELECT rand() FROM {batch}"}, "rand()"),
        ({"expect": "no_unexpected_rows", "query": "DROP TABLE {batch}"}, "SELECT"),
        ({"expect": "expect_table_row_count_to_equal_other_table", "other_table_name": "x"}, "reconciles"),
        ({"column": "a", "expect": "not_null", "at_most": "101 %"}, "less than or equal"),
    ],
)
def test_rules_that_are_refused(rule, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        RuleSpec.model_validate(rule)


def test_a_share_may_be_per_cent_and_is_held_as_great_expectations_holds_it():
    rule = RuleSpec.model_validate({"column": "a", "expect": "not_null", "at_most": "1 %"})
    assert rule.at_most == 0.01
    assert (rule.passes(100, 1), rule.passes(100, 2), rule.passes(0, 0)) == (True, False, True)
    mostly = RuleSpec.model_validate({"column": "a", "expect": "not_null", "mostly": 0.71})
    assert mostly.passes(100, 29)  # 0.29 * 100 is less than 29


def test_arguments_that_came_later_change_no_step_that_does_not_use_them():
    dump = RuleSpec(column="a", expect="between", min=1).model_dump(mode="json")
    assert set(dump) == {
        *("column", "columns", "expect", "sql", "min", "max", "strict_min", "strict_max", "values", "pattern"),
        *("otherwise", "name", "nulls", "at_most"),
    }
