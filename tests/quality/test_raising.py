"""Rules that raise while they judge: the rule is named with what Spark calls it, and no row's value is told."""

import json

import pytest

from lakeloom.core.errors import RuleError
from lakeloom.quality.aggregates import audit
from lakeloom.quality.rows import judge
from lakeloom.quality.spec import RuleSpec

SOUND = RuleSpec(sql="n < 1000", name="sound")
ROWS = {
    "division by zero": ("10 / n > 1", "DIVIDE_BY_ZERO"),
    "cast": ("cast(v as int) > 0", "CAST_INVALID_INPUT"),
    "overflow": ("n * 2147483647 > 0", "ARITHMETIC_OVERFLOW"),
    "raised on purpose": ("assert_true(n > 0) is null", "USER_RAISED_EXCEPTION"),
    "a place that an array has not": ("array(1)[n] > 0", "INVALID_ARRAY_INDEX"),
}


@pytest.fixture(scope="module")
def frame(spark):
    return spark.createDataFrame([(1, 0, "secret"), (2, 7, "8")], "id int, n int, v string")


@pytest.mark.parametrize(("sql", "kind"), ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("otherwise", ["quarantine", "warn"])
def test_a_row_rule_that_raises_is_named(frame, sql, kind, otherwise):
    rules = [SOUND, RuleSpec(sql=sql, name="odds", otherwise=otherwise), RuleSpec(sql="id > 0", name="sound too")]
    with pytest.raises(RuleError) as caught:
        judge(frame, rules, where="silver.t")
    error = caught.value
    assert error.code == "LL-RULE-003" and error.message.startswith(f"rule 'odds': it raised {kind}")
    assert "secret" not in json.dumps(error.as_dict()) and "try_" in error.fix


def test_a_condition_before_it_keeps_a_rule_from_raising(frame):
    for sql in (
        "n = 0 or 10 / n > 1",
        "case when n > 0 then 10 / n > 1 else true end",
        "coalesce(try_divide(10, n) > 1, true)",
    ):
        judged = judge(frame, [RuleSpec(sql=sql, name="odds")])
        assert [(result.name, result.broken) for result in judged.results] == [("odds", 0)], sql
        judged.release()


def test_rows_that_raise_by_themselves_are_not_blamed_on_a_rule(frame):
    rows = frame.selectExpr("id", "n", "cast(v as int) as v")
    with pytest.raises(Exception, match="CAST_INVALID_INPUT") as caught:
        judge(rows, [SOUND])
    assert not isinstance(caught.value, RuleError)


def test_a_table_rule_that_raises_is_named(frame):
    query = RuleSpec(expect="no_unexpected_rows", query="select 1 from {batch} where 10 / n > 100", name="odds")
    with pytest.raises(RuleError) as caught:
        audit(frame, [RuleSpec(expect="row_count_between", min=1), query], "silver.t")
    assert caught.value.message.startswith("rule 'odds': it raised DIVIDE_BY_ZERO")
