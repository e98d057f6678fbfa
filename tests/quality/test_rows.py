"""Judging rows on real Spark: every expectation against a reference in plain Python."""

from __future__ import annotations

import math
import re

import pytest

from lakeloom.core.errors import RuleError
from lakeloom.quality.rows import judge, judging
from lakeloom.quality.spec import RuleSpec

NUMBERS = [None, float("nan"), -1.0, 0.0, 1.0, 5.5, 10.0, float("inf")]
TEXTS = [None, "", "a", "ab", "abc", "7", "NA", "Ab\nc"]

RULES = {
    "between": (
        RuleSpec(column="n", expect="values_between", min=0, max=10),
        lambda n, s: not math.isnan(n) and 0 <= n <= 10,
    ),
    "strict": (
        RuleSpec(column="n", expect="between", min=0, max=10, strict_min=True, strict_max=True, name="strict"),
        lambda n, s: 0 < n < 10,
    ),
    "least": (RuleSpec(column="n", expect="between", min=0, name="least"), lambda n, s: n >= 0),
    "set": (RuleSpec(column="n", expect="in_set", values=(0, 5.5)), lambda n, s: n in (0, 5.5)),
    "not in set": (RuleSpec(column="s", expect="not_in_set", values=("a", 7)), lambda n, s: s not in ("a", "7")),
    "regex": (RuleSpec(column="s", expect="match_regex", pattern="b"), lambda n, s: re.search("b", s)),
    "no regex": (RuleSpec(column="s", expect="not_match_regex", pattern="^a"), lambda n, s: not re.search("^a", s)),
    "length": (RuleSpec(column="s", expect="length_between", min=1, max=2), lambda n, s: 1 <= len(s) <= 2),
    "text as number": (RuleSpec(column="s", expect="between", min=1, max=9), lambda n, s: s == "7"),
    "text order": (RuleSpec(column="s", expect="between", min="ab", name="order"), lambda n, s: s >= "ab"),
}


def reference(rule: RuleSpec, holds, n, s) -> bool:
    value = n if rule.column == "n" else s
    return rule.null_breaks if value is None else not holds(n, s)


def test_every_expectation_says_what_python_says_and_null_passes_or_breaks(spark):
    rules, checks = [], []
    for nulls in ("pass", "break"):
        for name, (rule, holds) in RULES.items():
            rules.append(rule.model_copy(update={"nulls": nulls, "name": f"{name} {nulls}"}))
            checks.append(holds)
    rules += [RuleSpec(column="s", expect="not_null"), RuleSpec(column="s", expect="is_null")]
    rules += [RuleSpec(sql="n > 0"), RuleSpec(sql="n < 10", nulls="pass")]
    data = [(index, n, s) for index, (n, s) in enumerate((n, s) for n in NUMBERS for s in TEXTS)]
    judged = judge(spark.createDataFrame(data, "id int, n double, s string"), rules)
    found = {row["id"]: set(row["_reasons"]) for row in judged.frame.collect()}
    for index, n, s in data:
        wanted = {rule.title for rule, holds in zip(rules, checks, strict=False) if reference(rule, holds, n, s)}
        wanted |= {"s:not_null"} if s is None else {"s:is_null"}
        wanted |= {"n > 0"} if n is None or not (n > 0 or math.isnan(n)) else set()
        wanted |= {"n < 10"} if n is not None and not n < 10 else set()
        assert found[index] == wanted, (n, s)
    for result in judged.results:
        assert result.broken == sum(result.name in reasons for reasons in found.values())
    passing = next(each for each in judged.results if each.name == "between pass")
    assert passing.rows == len(TEXTS) * (len(NUMBERS) - 1)
    assert judged.rows == len(data)
    assert judged.broken_rows == judged.broken.count() == len(data) - judged.good.count()
    assert judged.good.columns == ["id", "n", "s"]
    judged.release()


def test_levels_shares_and_types(spark):
    frame = spark.createDataFrame(
        [(n, f"2013-01-{n:02d} 00:00:00") for n in range(1, 11)], "n int, t string"
    ).selectExpr("n", "cast(t as timestamp) t", "cast(t as date) d", "n > 5 b", "cast(n as decimal(10,2)) c")
    warned = judge(frame, [RuleSpec(sql="n > 1", otherwise="warn"), RuleSpec(column="n", expect="unique")])
    assert [(each.broken, each.passed) for each in warned.results] == [(1, False)]
    assert warned.broken_rows == 0
    warned.release()
    typed = judge(
        frame,
        [
            RuleSpec(column="t", expect="between", max="2013-01-09T00:00:00"),
            RuleSpec(column="d", expect="between", min="2013-01-02"),
            RuleSpec(column="b", expect="in_set", values=(True, False)),
            RuleSpec(column="c", expect="between", min=1, max=9.5),
        ],
    )
    assert [each.broken for each in typed.results] == [1, 1, 0, 1]
    assert sorted(row["n"] for row in typed.broken.collect()) == [1, 10]
    typed.release()
    for rule in (
        RuleSpec(sql="n > 1", otherwise="fail"),
        RuleSpec(sql="n > 1", otherwise="quarantine", at_most=0.05),
    ):
        with pytest.raises(RuleError, match="1 of 10 rows") as caught:
            judge(frame, [rule], "silver.x")
        assert caught.value.code == "LL-RULE-001"
    judge(frame, [RuleSpec(sql="n > 1", otherwise="fail", at_most=0.1)]).release()
    bare = judge(frame, [])
    assert (bare.broken_rows, bare.results, bare.good.columns) == (0, (), frame.columns)


@pytest.mark.parametrize(
    "rule",
    [
        RuleSpec(column="m", expect="not_null"),
        RuleSpec(sql="m > 1"),
        RuleSpec(sql="n + 1"),
        RuleSpec(column="n", expect="between", min="x"),
        RuleSpec(column="t", expect="between", min="yesterday"),
    ],
)
def test_rules_that_do_not_fit_the_table(spark, rule):
    frame = spark.createDataFrame([], "n int, t timestamp")
    with pytest.raises(RuleError) as caught:
        judge(frame, [rule])
    assert caught.value.code == "LL-RULE-003"


def test_what_was_found_before_the_rules_goes_to_quarantine_and_what_was_changed_is_counted(spark):
    data = [(1, None, 1), (2, ["n can't be read"], 0), (-3, ["n can't be read", "late"], 5)]
    frame = spark.createDataFrame(data, "n int, _faults array<string>, _changed_trim bigint")
    for rules in ([RuleSpec(sql="n > 0")], []):
        judged = judge(frame, rules)
        try:
            found = {row["n"]: row["_reasons"] for row in judged.frame.collect()}
            assert [row.asDict() for row in judged.good.collect()] == [{"n": 1}]
            assert judged.broken.columns == ["n", "_reasons"]
        finally:
            judged.release()
        assert found == {1: [], 2: ["n can't be read"], -3: ["n can't be read", "late"] + ["n > 0"] * len(rules)}
        assert [(r.name, r.rows, r.broken, r.passed) for r in judged.results if r.name not in ("n > 0",)] == [
            ("late", 3, 1, False), ("n can't be read", 3, 2, False),
        ]  # fmt: skip
        assert (judged.rows, judged.broken_rows, judged.changed) == (3, 2, {"trim": 6})


def test_many_rules_read_the_rows_as_often_as_one_does(spark, tmp_path):
    spark.createDataFrame([(1.0, "a"), (None, "7"), (11.0, "b")], "n double, s string").write.parquet(
        str(tmp_path / "t")
    )
    context, tracker = spark.sparkContext, spark.sparkContext.statusTracker()
    rules = [rule for rule, _ in RULES.values()]

    def tasks(some):
        name = f"{len(some)} rules"
        context.setJobGroup(name, name)
        try:
            judged = judge(spark.read.parquet(str(tmp_path / "t")), some)
            judged.release()
        finally:
            context.setLocalProperty("spark.jobGroup.id", None)
        jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(name)]
        stages = [tracker.getStageInfo(stage) for job in jobs for stage in job.stageIds]
        return len(jobs), sum(stage.numTasks for stage in stages if stage is not None)

    assert len(rules) == 10 and tasks(rules) == tasks(rules[:1]) and tasks(rules)[1] > 0


def test_judged_while_they_are_written_they_are_judged_the_same(spark, tmp_path):
    data = [
        (index, n, s, ["seen before"] if index % 7 == 0 else None, index % 3)
        for index, (n, s) in enumerate((n, s) for n in NUMBERS for s in TEXTS)
    ]
    schema = "id int, n double, s string, _faults array<string>, _changed_trim bigint"
    spark.createDataFrame(data, schema).write.parquet(str(tmp_path / "t"))
    frame = spark.read.parquet(str(tmp_path / "t"))
    rules = [rule for rule, _ in RULES.values()]
    rules = [rule.model_copy(update={"otherwise": "warn"}) if at % 2 else rule for at, rule in enumerate(rules)]
    kept = []

    def texts(rows):  # NaN equals nothing
        return sorted(map(repr, rows))

    def write(rows):
        kept[:] = rows.collect()
        return len(kept)

    asked = judging(frame, rules, "silver.x")
    assert asked.once and asked.counts
    found, counted = asked.while_written(write), asked.counted()
    assert (found.results, found.rows, found.broken_rows) == (counted.results, counted.rows, counted.broken_rows)
    assert found.changed == counted.changed == {"trim": sum(row[4] for row in data)}
    assert texts(kept) == texts(counted.good.collect()) and 0 < len(kept) < len(data)
    assert texts(found.broken.collect()) == texts(counted.broken.collect())
    # Where the counts don't fit what was written nothing is known, and a rule that fails stops it.
    assert asked.while_written(lambda rows: write(rows) + 1) is None
    failing = judging(frame, [RuleSpec(sql="id > 1", otherwise="fail")], "silver.x")
    with pytest.raises(RuleError, match="2 of 64 rows") as caught:
        failing.while_written(write)
    assert caught.value.code == "LL-RULE-001"
    raising = judging(frame, [RuleSpec(sql="id >= 0"), RuleSpec(sql="10 / (id - 3) <= 10", name="odds")], "silver.x")
    with pytest.raises(RuleError, match="it raised DIVIDE_BY_ZERO") as caught:
        raising.while_written(write)
    assert caught.value.code == "LL-RULE-003"


def test_rows_whose_computing_costs_are_judged_while_written_only_where_none_can_be_rejected(spark):
    frame = spark.range(4).groupBy("id").count()
    for level, once in (("quarantine", False), ("warn", True), ("fail", True)):
        assert judging(frame, [RuleSpec(column="id", expect="not_null", otherwise=level)]).once is once
    assert not judging(frame, []).once
