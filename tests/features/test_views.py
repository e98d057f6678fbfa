"""Rows become events; what can't be placed is counted; what does not fit is told before anything runs."""

from datetime import UTC, datetime

import pytest
from pyspark.sql import Observation

from lakeloom.core.errors import FeatureError
from lakeloom.features.spec import FeatureView
from lakeloom.features.views import materialise

RAW = {
    "from": "silver.weather",
    "keys": ["origin"],
    "event_time": "observed_at",
    "available_at": "observed_at + interval 1 hour",
    "where": "temp is null or temp < 100",
    "columns": {"temp": "last", "cold": {"expr": "temp < 0", "of": ["last"]}, "kind": "last"},
}


@pytest.fixture(scope="module")
def weather(spark):
    at = datetime(2013, 11, 3, 6, tzinfo=UTC)
    rows = [
        ("EWR", at, 7, "fog"),
        (None, at, 1, "fog"),
        ("JFK", None, -1, None),
        ("LGA", at, None, "rain"),
        ("LGA", at, 999, ""),
    ]
    return spark.createDataFrame(rows, "origin string, observed_at timestamp, temp int, kind string")


def test_rows_become_events_and_the_rest_is_counted(weather):
    facts = Observation("weather")
    events = materialise(weather, FeatureView.model_validate(RAW), "weather", facts)
    assert events.dtypes == [
        ("origin", "string"),
        ("_event_time", "timestamp"),
        ("_available_at", "timestamp"),
        ("temp", "bigint"),
        ("cold", "boolean"),
        ("kind", "string"),
    ]
    rows = sorted(events.collect(), key=lambda row: row.origin)
    assert [(row.origin, row.temp, row.cold) for row in rows] == [("EWR", 7, False), ("LGA", None, None)]
    assert (rows[0]._available_at - rows[0]._event_time).total_seconds() == 3600
    assert facts.get == {"rows": 4, "null_key": 1, "null_event_time": 1, "null_available_at": 1, "kept": 2}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"keys": ["orgin"]}, "does not analyse"),
        ({"columns": {"tmp": "last"}}, "does not analyse"),
        ({"event_time": "observed_at +"}, "does not analyse"),
        ({"available_at": "cast(observed_at as date)"}, "must be an instant"),
        ({"available_at": "cast(observed_at as timestamp_ntz)"}, "must be an instant"),
        ({"where": "tmp > 1"}, "does not analyse"),
        ({"windows": ["1 hour"], "columns": {"kind": ["mean"]}}, "need numbers or booleans"),
        ({"columns": {"observed": {"expr": "observed_at", "of": "last"}}}, "a feature is a number"),
        ({"keys": ["degrees"], "where": None}, "does not analyse"),
    ],
)
def test_what_does_not_fit_is_told(weather, change, says):
    with pytest.raises(FeatureError) as caught:
        materialise(weather, FeatureView.model_validate(RAW | change), "weather")
    assert caught.value.code == "LL-FEATURE-002"
    assert says in str(caught.value)
    assert "features.weather" in str(caught.value)


def test_keys_are_compared_exactly(weather):
    with pytest.raises(FeatureError, match="LL-FEATURE-002"):
        materialise(
            weather.selectExpr("*", "cast(temp as double) as degrees"),
            FeatureView.model_validate(RAW | {"keys": ["degrees"]}),
        )
