"""Every compiled expectation against great-expectations itself, on the same random rows and parameters.

The rules of one frame are one suite, and one validation of great-expectations judges it. Where the two
differ on purpose, `test_the_documented_differences` pins both answers.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from lakeloom.quality.aggregates import audit
from lakeloom.quality.expectations import EXPECTATIONS
from lakeloom.quality.rows import judge
from lakeloom.quality.spec import RuleSpec

pytest.importorskip("great_expectations")

SCHEMA = (
    "id int, i int, j int, b bigint, d double, e double, c decimal(10,2), s string, u string, t string,"
    " day date, later date, at timestamp, yes boolean, odd int"
)
TEXTS = ["", "a", "ab", "A-1", "Ünï", "日本語", "10", "-2.5", "a b\nc", "null", "{}", '{"a": 1}', "[1,", "NaN", '"x"']
TIMES = ["2026-01-31", "2026-02-30", "31/01/2026", "noon", "", "2026-01-31 10:00", "Jan 3 2026"]
# What great-expectations has no Spark engine for: proven against Python in test_values.py.
ELSEWHERE = {"match_like", "not_match_like", "match_like_list", "not_match_like_list", "date_parseable"}


def rows(chance: random.Random, count: int) -> list[tuple[Any, ...]]:
    """Return random rows of `SCHEMA`, about a sixth of whose values are NULL."""

    def maybe(value: Any) -> Any:
        return None if chance.random() < 1 / 6 else value

    found = []
    for number in range(count):
        day = date(2026, 1, 1) + timedelta(days=chance.randrange(40))
        found.append(
            (
                number,
                maybe(chance.randrange(-5, 6)),
                maybe(chance.randrange(-5, 6)),
                maybe(chance.choice([0, 1, 2**40, -(2**40), chance.randrange(100)])),
                maybe(chance.choice([float("nan"), 0.0, -0.0, 1.5, chance.gauss(0, 3), 1e9])),
                maybe(round(chance.gauss(0, 2), 1)),
                maybe(chance.randrange(-300, 300) / 100),
                maybe(chance.choice(TEXTS)),
                maybe(chance.choice(TEXTS[:6])),
                maybe(chance.choice(TIMES)),
                maybe(day),
                maybe(day + timedelta(days=chance.randrange(-2, 3))),
                maybe(datetime(2026, 1, 1) + timedelta(hours=chance.randrange(100))),
                maybe(chance.random() < 0.5),
                maybe(number // chance.choice([1, 1, 1, 2])),
            )
        )
    return [_typed(row) for row in found]


def _typed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    from decimal import Decimal

    return tuple(
        Decimal(str(value)).quantize(Decimal("0.01")) if at == 6 and value is not None else value
        for at, value in enumerate(row)
    )


def rules(chance: random.Random) -> list[RuleSpec]:
    """Return rules with random parameters, of every compiled expectation several."""

    def mostly() -> dict[str, Any]:
        return {"at_most": chance.choice([0.0, 0.05, 0.29, 0.3, 0.5, 0.9])} if chance.random() < 0.6 else {}

    def bounds(low: float, high: float) -> dict[str, Any]:
        a, b = sorted((round(chance.uniform(low, high), 1), round(chance.uniform(low, high), 1)))
        sides = chance.choice([{"min": a}, {"max": b}, {"min": a, "max": b}])
        strict = {f"strict_{side}": True for side in sides if chance.random() < 0.3}
        return sides | strict

    def whole(low: int, high: int) -> dict[str, Any]:
        return {key: int(value) if key in ("min", "max") else value for key, value in bounds(low, high).items()}

    def some(values: list[Any]) -> list[Any]:
        return chance.sample(values, chance.randrange(1, len(values)))

    def pair() -> dict[str, Any]:
        return {"ignore": chance.choice(["both_values_are_missing", "either_value_is_missing", "neither"])}

    def several() -> dict[str, Any]:
        return {"ignore": chance.choice(["all_values_are_missing", "any_value_is_missing", "never"])}

    patterns = ["^a", "[0-9]+", "^$", "b.c", "Ü|本", "\\{.*\\}"]
    days = ["2026-01-05", "2026-01-10", "2026-01-20", "2026-02-01"]
    low_day, high_day = sorted(chance.sample(days, 2))
    pairs = [[x, y] for x in (None, -1, 0, 1, 2) for y in (None, 0, 1)]
    row_rules: list[dict[str, Any]] = [
        *({"column": column, "expect": "values_between", **bounds(-4, 4)} for column in ("i", "e", "c", "b")),
        {"column": "d", "expect": "values_between", "max": 3},
        {"column": "day", "expect": "values_between", "min": low_day, "max": high_day},
        {"column": "later", "expect": "values_between", "max": high_day, "strict_max": True},
        *({"column": column, "expect": "not_null"} for column in ("i", "d", "s", "day", "yes", "id")),
        *({"column": column, "expect": "is_null"} for column in ("i", "s", "at")),
        *(
            {"column": column, "expect": expect, "values": some(values)}
            for expect in ("in_set", "not_in_set")
            for column, values in (("i", [-2, 0, 1, 3]), ("s", TEXTS), ("e", [0.0, 0.1, -1.0]), ("yes", [True, False]))
        ),
        *({"column": "s", "expect": name, "pattern": chance.choice(patterns)} for name in ("match_regex",) * 2),
        {"column": "u", "expect": "not_match_regex", "pattern": chance.choice(patterns)},
        *(
            {"column": "s", "expect": "match_regex_list", "patterns": some(patterns), "match_on": on}
            for on in ("any", "all")
        ),
        {"column": "s", "expect": "not_match_regex_list", "patterns": some(patterns)},
        *({"column": column, "expect": "length_between", **whole(0, 6)} for column in ("s", "u")),
        {"column": "s", "expect": "length_equals", "value": chance.randrange(4)},
        {"column": "s", "expect": "json_parseable"},
        {"column": "t", "expect": "match_format", "format": chance.choice(["%Y-%m-%d", "%d/%m/%Y"])},
        *({"columns": columns, "expect": "pair_equal", **pair()} for columns in (["i", "j"], ["s", "u"], ["day", "later"])),
        *(
            {"columns": columns, "expect": "pair_greater", "or_equal": chance.random() < 0.5, **pair()}
            for columns in (["i", "j"], ["d", "e"], ["later", "day"], ["i", "e"])
        ),
        {"columns": ["i", "j"], "expect": "pair_in_set", "pairs": some(pairs), **pair()},
        {"columns": ["i", "j", "odd"], "expect": "columns_equal", **several()},
        {"columns": ["s", "u"], "expect": "columns_equal", **several()},
        {"columns": ["i", "j", "odd"], "expect": "columns_differ", **several()},
        {"columns": ["i", "j"], "expect": "columns_sum_to", "total": chance.randrange(-2, 3), **several()},
        {"columns": ["i", "e", "b"], "expect": "columns_sum_to", "total": 1.5, **several()},
    ]  # fmt: skip
    table_rules: list[dict[str, Any]] = [
        *({"column": column, "expect": "unique"} for column in ("id", "i", "odd", "d", "s")),
        *({"columns": columns, "expect": "unique_together", **several()} for columns in (["i", "j"], ["odd", "u"])),
        *(
            {"column": column, "expect": "z_score_below", "threshold": chance.choice([0.5, 1, 2]), "double_sided": both}
            for column, both in (("e", True), ("i", False), ("d", True), ("b", True))
        ),
        *(
            {"column": column, "expect": "not_outliers", "method": method, "multiplier": chance.choice([0.5, 1.5, 3])}
            for column in ("e", "i", "d", "b")
            for method in ("iqr", "std")
        ),
        *(
            {"column": column, "expect": expect, "strictly": chance.random() < 0.5, "order_by": "id"}
            for column in ("id", "odd", "e", "i")
            for expect in ("increasing", "decreasing")
        ),
    ]
    figures: list[dict[str, Any]] = [
        *(
            {"column": column, "expect": expect, **bounds(-1, 1)}
            for column in ("i", "e", "d", "c")
            for expect in ("mean_between", "median_between")
        ),
        *({"column": column, "expect": "min_between", **bounds(-6, 0)} for column in ("i", "e", "d")),
        *({"column": column, "expect": "max_between", **bounds(0, 6)} for column in ("i", "e", "d")),
        {"column": "day", "expect": "min_between", "min": low_day},
        {"column": "later", "expect": "max_between", "max": high_day},
        *({"column": column, "expect": "sum_between", **bounds(-40, 40)} for column in ("i", "e", "d")),
        *({"column": column, "expect": "stdev_between", **bounds(0, 4)} for column in ("i", "e", "d")),
        *({"column": column, "expect": "distinct_count_between", **whole(5, 20)} for column in ("i", "s", "d")),
        *({"column": column, "expect": "unique_share_between", **bounds(0, 1)} for column in ("i", "odd", "s")),
        *({"column": column, "expect": "non_null_share_between", **bounds(0.5, 1)} for column in ("i", "id")),
        *(
            {
                "column": column,
                "expect": "quantiles_between",
                "quantiles": {0.0: [-6, -1], 0.1: [None, chance.uniform(-4, 0)], 0.5: [-1, 1], 0.75: [0, None]},
            }
            for column in ("i", "e", "d")
        ),
        *(
            {"column": column, "expect": expect, "values": values}
            for expect in ("distinct_in_set", "distinct_contain_set", "distinct_equal_set")
            for column, values in (("i", list(range(-5, 6))), ("i", [0, 1, 9]), ("u", TEXTS[:6]), ("s", TEXTS[:3]))
        ),
        *(
            {"column": column, "expect": "most_common_in_set", "values": some(values), "ties": ties}
            for ties in (True, False)
            for column, values in (("i", list(range(-5, 6))), ("u", TEXTS[:6]))
        ),
        {"expect": "row_count_between", **whole(20, 60)},
        {"expect": "no_unexpected_rows", "query": f"SELECT * FROM {{batch}} WHERE i > {chance.choice([2, 9])}"},
        {"expect": "row_count_equals", "value": chance.choice([0, 1, 40])},
    ]
    names = [each.split()[0] for each in SCHEMA.split(", ")]
    shape: list[dict[str, Any]] = [
        {"column": "i", "expect": "column_exists"},
        {"column": "nowhere", "expect": "column_exists"},
        {"column": "i", "expect": "column_exists", "index": chance.choice([1, 2, 99])},
        *(
            {"column": column, "expect": expect, "type": chance.choice(["IntegerType", "StringType", "NumericType"])}
            for column in ("i", "s", "d")
            for expect in ("column_type", "of_type")
        ),
        {"column": "i", "expect": "in_type_list", "types": ["LongType", chance.choice(["IntegerType", "DateType"])]},
        {"expect": "column_count_between", "min": 3, "max": chance.choice([3, 99])},
        {"expect": "column_count_equals", "value": chance.choice([3, len(names)])},
        {"columns": chance.choice([names, names[::-1], names[:3]]), "expect": "columns_match_list"},
        *(
            {"columns": columns, "expect": "columns_match_set", "exact": exact}
            for columns in (names[::-1], names[:3], [*names, "nowhere"])
            for exact in (True, False)
        ),
    ]
    made = [each | mostly() for each in row_rules + table_rules] + figures + shape
    return [
        RuleSpec(**each, name=f"{number} {each['expect']} {each.get('column') or each.get('columns', '')}"[:120],
                 otherwise="warn")
        for number, each in enumerate(made)
    ]  # fmt: skip


def compare(spark, seed: int, count: int) -> None:
    from lakeloom.quality.external import run_suite
    from lakeloom.quality.suites import expectation_of

    chance = random.Random(seed)
    # In one partition, so that the rows keep their order for great-expectations' increasing values.
    frame = spark.createDataFrame(rows(chance, count), SCHEMA).coalesce(1).cache()
    chosen = rules(chance)
    judged = judge(frame, chosen, cache=False)
    ours = {result.name: result for result in (*judged.results, *audit(frame, chosen))}
    theirs = run_suite(frame, [expectation_of(rule) or {} for rule in chosen])
    frame.unpersist()
    wrong = []
    for rule, other in zip(chosen, theirs, strict=True):
        mine = ours[rule.title]
        result = other.get("result", {})
        raised = other["exception_info"]
        counted = rule.expectation.counts and "unexpected_count" in result
        same = mine.passed == other["success"] and (not counted or mine.broken == (result["unexpected_count"] or 0))
        if not same or "'raised_exception': True" in str(raised):
            wrong.append((rule.title, (mine.passed, mine.rows, mine.broken, mine.observed), other["success"], result,
                          str(raised)[-300:]))  # fmt: skip
    assert wrong == []


def test_every_compiled_expectation_is_tried():
    tried = {rule.expectation.name for rule in rules(random.Random(1)) if rule.expectation}
    assert tried == {each.name for each in EXPECTATIONS if each.compiled and each.official} - ELSEWHERE


@pytest.mark.parametrize(("seed", "count"), [(1, 40), (2, 0)])
def test_success_and_unexpected_count_are_great_expectations_own(spark, seed, count):
    compare(spark, seed, count)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 9))
def test_on_more_rows_and_parameters(spark, seed):
    compare(spark, seed, 10 ** (seed % 3))


def test_the_documented_differences(spark):
    """NaN in open bounds, sets with repeated values, what great-expectations can't do on Spark."""
    from lakeloom.quality.external import run_suite
    from lakeloom.quality.suites import expectation_of

    frame = spark.createDataFrame(
        [(1, float("nan"), "a"), (2, 5.0, "b"), (None, None, None)], "n int, d double, s string"
    ).coalesce(1)
    differing: list[tuple[dict[str, Any], bool, bool | None]] = [
        # rule, ours, great-expectations' on Spark; None where it raises
        ({"column": "d", "expect": "values_between", "min": 0}, False, True),
        ({"column": "n", "expect": "distinct_contain_set", "values": [1, 1, 2]}, True, False),
        ({"column": "s", "expect": "match_like", "pattern": "_"}, True, None),
        ({"column": "s", "expect": "not_match_like", "pattern": "c%"}, True, None),
        ({"column": "s", "expect": "match_like_list", "patterns": ["a", "b"]}, True, None),
        ({"column": "s", "expect": "not_match_like_list", "patterns": ["c", "d"]}, True, None),
        ({"column": "s", "expect": "date_parseable"}, False, None),
        ({"column": "n", "expect": "match_format", "format": "%d"}, True, None),
    ]
    rules_ = [RuleSpec(**rule, otherwise="warn", name=str(n)) for n, (rule, _, _) in enumerate(differing)]
    ours = {each.name: each.passed for each in (*judge(frame, rules_, cache=False).results, *audit(frame, rules_))}
    theirs = run_suite(frame, [expectation_of(rule) or {} for rule in rules_])
    told = [None if "'raised_exception': True" in str(each["exception_info"]) else each["success"] for each in theirs]
    assert [ours[rule.title] for rule in rules_] == [mine for _, mine, _ in differing]
    assert told == [other for _, _, other in differing]


def test_what_great_expectations_runs_itself(spark):
    frame = spark.createDataFrame(
        [("x", '{"a": 1}'), ("x", '{"a": "no"}'), ("y", None), ("z", '{"a": 2}')], "k string, j string"
    )
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    shares = {"values": ["x", "y", "z"], "weights": [0.5, 0.25, 0.25]}
    chosen = [
        RuleSpec.model_validate(each)
        for each in (
            {"column": "j", "expect": "match_json_schema", "json_schema": schema, "at_most": 0.1},
            {"column": "j", "expect": "match_json_schema", "json_schema": schema, "at_most": 0.5, "name": "half"},
            {"column": "k", "expect": "kl_divergence_below", "partition_object": shares, "threshold": 0.01},
            {"expect": "no_unexpected_rows", "query": "SELECT k FROM {batch} GROUP BY k HAVING count(*) > 1"},
        )
    ]
    first, half, divergence, query = audit(frame, chosen)
    assert (first.rows, first.broken, first.passed, first.stops) == (3, 1, False, True)
    assert (half.broken, half.passed) == (1, True)
    assert divergence.passed and divergence.observed == pytest.approx(0)
    assert (query.passed, query.observed) == (False, 1)


def test_what_it_raises_is_told_without_values(spark):
    from lakeloom.core.errors import RuleError

    frame = spark.createDataFrame([("hunter22 {",)], "j string")
    rule = RuleSpec.model_validate({"column": "j", "expect": "match_json_schema", "json_schema": {"type": "object"}})
    with pytest.raises(RuleError) as caught:
        audit(frame, [rule], "silver.x")
    assert caught.value.code == "LL-RULE-003"
    assert "great-expectations" in str(caught.value) and "hunter22" not in str(caught.value)


def test_without_the_package_the_extra_is_named(spark, monkeypatch):
    import sys

    from lakeloom.core.errors import LakeloomError

    monkeypatch.setitem(sys.modules, "great_expectations", None)
    frame = spark.createDataFrame([("{}",)], "j string")
    rule = RuleSpec.model_validate({"column": "j", "expect": "match_json_schema", "json_schema": {"type": "object"}})
    with pytest.raises(LakeloomError) as caught:
        audit(frame, [rule], "silver.x")
    assert caught.value.code == "LL-SETUP-003" and "quality" in str(caught.value)
