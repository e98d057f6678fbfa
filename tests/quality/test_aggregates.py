"""Table rules on real Spark, all in one aggregate."""

from __future__ import annotations

import pytest

from lakeloom.core.errors import RuleError
from lakeloom.quality.aggregates import audit
from lakeloom.quality.background import Background
from lakeloom.quality.results import require
from lakeloom.quality.spec import RuleSpec


def test_table_rules(spark):
    frame = spark.createDataFrame(
        [(1, "a", 1.0), (1, "b", 2.0), (2, "b", None), (None, None, 4.0)], "k int, s string, v double"
    )
    found = audit(
        frame,
        [
            RuleSpec(column="k", expect="unique"),
            RuleSpec(columns=("k", "s"), expect="expect_compound_columns_to_be_unique"),
            RuleSpec(expect="row_count_between", min=4, max=4),
            RuleSpec(column="v", expect="mean_between", min=2, max=3),
            RuleSpec(column="v", expect="max_between", max=4, strict_max=True, otherwise="warn"),
            RuleSpec(column="s", expect="min_between", min="a"),
            RuleSpec(column="v", expect="sum_between", min=7, max=7),
            RuleSpec(column="v", expect="stdev_between", min=1, max=2),
            RuleSpec(column="s", expect="distinct_count_between", max=1),
            RuleSpec(column="k", expect="unique", at_most=0.7, name="mostly"),
            RuleSpec(column="k", expect="not_null"),
        ],
        "silver.x",
    )
    assert [each.passed for each in found] == [False, True, True, True, False, True, True, True, False, True]
    assert (found[0].rows, found[0].broken) == (3, 2)  # both rows of the repeated key
    assert found[3].observed == pytest.approx(7 / 3)
    assert [each.name for each in found if each.stops] == ["k:unique", "s:distinct_count_between"]
    with pytest.raises(RuleError, match="2 rules broken") as caught:
        require(found, "silver.x", "LL-RULE-002")
    assert caught.value.code == "LL-RULE-002"
    empty = audit(frame.limit(0), [RuleSpec(column="v", expect="mean_between", min=0)])
    assert not empty[0].passed
    assert audit(frame, []) == []


@pytest.mark.parametrize("kind", ["bigint", "decimal(38,2)"])
def test_sums_of_whole_numbers_and_decimals_reconcile_to_the_last_digit(spark, kind):
    big = 2**62 + 1
    ours = spark.createDataFrame([(big,), (1,)], "v bigint").selectExpr(f"cast(v as {kind}) as v")
    rule = RuleSpec.model_validate({"expect": "reconciles", "to": "gold.t", "sums": ["v"], "otherwise": "warn"})

    def found(other):
        there = spark.createDataFrame([(other,), (2,)], "v bigint").selectExpr(f"cast(v as {kind}) as v")
        return audit(ours, [rule], "silver.t", Background(table=lambda name: there))[0]

    assert found(big - 1).passed
    one_off = found(big)  # as doubles both sums are the same
    assert not one_off.passed
    assert one_off.observed == f"count 2 and 2; v {big + 1} and {big + 2}"
