"""What is read again and what is kept."""

from __future__ import annotations

import pytest

from lakeloom.quality.plans import read_again_cheaply
from lakeloom.quality.rows import judge
from lakeloom.quality.spec import RuleSpec


@pytest.fixture
def stored(spark, tmp_path):
    spark.range(20).selectExpr("id", "cast(id as string) as text").write.format("delta").save(str(tmp_path / "t"))
    return spark.read.format("delta").load(str(tmp_path / "t"))


def test_scans_are_read_again_and_everything_else_is_kept(spark, stored):
    from pyspark.sql import functions as F

    assert read_again_cheaply(stored)
    assert read_again_cheaply(stored.where("id > 3").selectExpr("id + 1 as id", "upper(text) as text"))
    for other in (
        stored.where("rand() < 0.5"),
        stored.groupBy("text").count(),
        stored.join(stored.withColumnRenamed("text", "again"), "id"),
        stored.orderBy("text"),
        stored.withColumn("text", F.udf(str, "string")("id")),
        spark.range(3),
        spark.createDataFrame([(1,)], "id int"),
    ):
        assert not read_again_cheaply(other)


def test_rows_that_are_not_kept_are_judged_and_halved_the_same(stored):
    rules = [RuleSpec(column="id", expect="between", max=14), RuleSpec(column="text", expect="length_equals", value=1)]
    judged = judge(stored, rules)
    assert not judged.cached
    assert [(each.rows, each.broken) for each in judged.results] == [(20, 5), (20, 10)]
    assert sorted(row["id"] for row in judged.good.collect()) == list(range(10))
    found = {row["id"]: row["_reasons"] for row in judged.broken.collect()}
    assert found[12] == ["text:length_equals"] and found[17] == ["id:values_between", "text:length_equals"]
    kept = judge(stored.distinct(), rules)
    assert kept.cached and kept.broken.count() == 10
    kept.release()
    assert not kept.marked.is_cached


def test_rows_that_are_read_often_are_kept(spark, tmp_path):
    from lakeloom.quality.rows import judge
    from lakeloom.quality.spec import RuleSpec

    spark.range(10).write.format("delta").save(str(tmp_path / "t"))
    frame, rules = spark.read.format("delta").load(str(tmp_path / "t")), [RuleSpec(column="id", expect="not_null")]
    for often in (False, True):
        judged = judge(frame, rules, often=often)
        assert judged.cached is often
        judged.release()
