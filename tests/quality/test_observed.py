"""Figures that come while rows are worked at, and that may not come."""

from pyspark.sql import functions as F

from lakeloom.quality import observed as module
from lakeloom.quality.observed import observed


def test_figures_come_with_the_first_computation_and_never_before(spark, monkeypatch):
    frame, told = observed(spark.range(10), [F.count("*").alias("rows"), F.sum("id").alias("sum")])
    monkeypatch.setattr(module, "_LIMIT_S", 0.2)
    assert told() is None
    assert len(frame.where("id < 3").collect()) == 3
    monkeypatch.setattr(module, "_LIMIT_S", 30.0)
    assert told() == {"rows": 10, "sum": 45}
