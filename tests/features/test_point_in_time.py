"""The join on Spark: rows kept, keys matched by type and tuple, unknown entities, names."""

from datetime import UTC, datetime, timedelta

import pytest

from lakeloom.core.errors import FeatureError
from lakeloom.features.point_in_time import Use, join
from lakeloom.features.spec import FeatureView
from lakeloom.features.views import materialise

T0 = datetime(2013, 11, 3, 5, tzinfo=UTC)
VIEW = FeatureView.model_validate(
    {
        "from": "silver.events",
        "keys": ["a", "b"],
        "event_time": "t",
        "available_at": "t",
        "ttl": "6 hours",
        "windows": ["2 hours"],
        "columns": {"v": ["last", "count", "mean"], "s": "last"},
    }
)


@pytest.fixture(scope="module")
def events(spark):
    rows = [
        ("x", 1, T0, 1.0, "p"),
        ("x", 1, T0 + timedelta(hours=1), 3.0, "q"),
        ("x", 2, T0, 9.0, None),
        (None, 1, T0, 5.0, "z"),
    ]
    return materialise(spark.createDataFrame(rows, "a string, b int, t timestamp, v double, s string"), VIEW)


def test_rows_are_kept_and_unknown_entities_count_nothing(spark, events):
    at = T0 + timedelta(hours=1)
    rows = [(1, "x", 1, at), (2, "x", 1, at), (3, "x", None, at), (4, "y", 1, at), (5, "x", 1, None), (6, "x", 2, at)]
    labels = spark.createDataFrame(rows, "id int, a string, other bigint, as_of timestamp")
    use = Use(VIEW, events, "w", {"b": "other"})
    joined = join(labels, [use], "as_of")
    assert joined.columns == ["id", "a", "other", "as_of", "w__v", "w__v_count_2h", "w__v_mean_2h", "w__s"]
    assert [tuple(row)[4:] for row in joined.orderBy("id").collect()] == [
        (3.0, 2, 2.0, "q"),
        (3.0, 2, 2.0, "q"),
        (None, 0, None, None),
        (None, 0, None, None),
        (None, 0, None, None),
        (9.0, 1, 9.0, None),
    ]


def test_the_number_of_buckets_changes_nothing(spark, events):
    rows = [(n, "x", n % 3, T0 + timedelta(minutes=7 * n)) for n in range(40)]
    labels = spark.createDataFrame(rows, "id int, a string, b int, as_of timestamp")
    one, many = (
        join(labels, [Use(VIEW, events, "w")], "as_of", buckets).orderBy("id").collect() for buckets in (1, 13)
    )
    assert one == many


def test_spark_never_joins_by_inequality(spark, events):
    labels = spark.createDataFrame([("x", 1, T0)], "a string, b int, as_of timestamp")
    plan = join(labels, [Use(VIEW, events, "w")], "as_of")._jdf.queryExecution().executedPlan().toString()
    assert "NestedLoop" not in plan
    assert "CartesianProduct" not in plan
    assert "FlatMapCoGroupsInArrow" in plan


@pytest.mark.parametrize(
    ("on", "prefixes", "says"),
    [
        ({"b": "nothing"}, ["w"], "is not among the labels' columns"),
        ({"b": "a"}, ["w"], "a column of its own"),
        ({"c": "a"}, ["w"], "each of the view's keys"),
        ({"b": "text"}, ["w"], "give both tables the same type"),
        ({}, ["w", "w"], "two features would be named 'w__v'"),
    ],
)
def test_mistakes_are_told(spark, events, on, prefixes, says):
    labels = spark.createDataFrame([("x", 1, "1", T0)], "a string, b int, text string, as_of timestamp")
    with pytest.raises(FeatureError) as caught:
        join(labels, [Use(VIEW, events, prefix, on) for prefix in prefixes], "as_of")
    assert caught.value.code == "LL-FEATURE-002"
    assert says in str(caught.value)
