"""A dataset's columns by the config alone."""

import pytest
from pydantic import ValidationError

from lakeloom.core.errors import FeatureError
from lakeloom.datasets.columns import feature_names, known_columns
from lakeloom.datasets.spec import DatasetSpec, FeatureUse
from lakeloom.features.spec import FeatureView

TIMES = {"event_time": "t", "available_at": "t"}
VIEWS = {
    "weather": FeatureView.model_validate(
        {"from": "silver.weather", "keys": ["origin"], "columns": {"temp": "last", "visib": "last"}, **TIMES}
    ),
    "late": FeatureView.model_validate(
        {
            "from": "silver.flights",
            "keys": ["origin"],
            "windows": ["1 hour"],
            "columns": {"d": ["mean", "count"]},
            **TIMES,
        }
    ),
}


def spec(features, **more):
    return DatasetSpec.model_validate(
        {
            "labels": {"from": "silver.flights", "value": "y", "keys": ["id"]},
            "as_of": "t",
            "features": features,
            "split": {"random": {"train": 1.0}},
        }
        | more
    )


def test_shorthand_is_spelled_out():
    read = spec(
        ["carrier", "weather.*", "late.d_mean_1h", {"view": "weather", "on": {"origin": "dest"}, "prefix": "there"}]
    )
    assert read.features[:3] == (
        FeatureUse(column="carrier"),
        FeatureUse(view="weather"),
        FeatureUse(view="late", columns=("d_mean_1h",)),
    )
    assert read.views == ("weather", "late")
    assert feature_names(read, VIEWS) == (
        "carrier",
        "weather__temp",
        "weather__visib",
        "late__d_mean_1h",
        "there__temp",
        "there__visib",
    )
    assert known_columns(read, VIEWS) == {
        "carrier": "a feature",
        "origin": "a key of view 'weather'",
        "dest": "a key of view 'weather'",
    }


@pytest.mark.parametrize(
    ("features", "derive", "says"),
    [
        (["wether.*"], {}, "use 'weather'"),
        (["weather.tmp"], {}, "use 'temp'"),
        (["weather.*", "weather.temp"], {}, "weather__temp: named twice"),
        (["carrier"], {"carrier": "1"}, "carrier: named twice"),
        (["carrier"], {"id": "1"}, "the name of a key"),
        (["label"], {}, "or of the label"),
        ([{"view": "weather", "on": {"orgin": "dest"}}], {}, "no key of view"),
    ],
)
def test_wrong_names(features, derive, says):
    with pytest.raises(FeatureError, match=r"(?s).*") as caught:
        feature_names(spec(features, derive=derive), VIEWS)
    assert caught.value.code == "LL-FEATURE-002"
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "use", [{}, {"column": "a", "view": "b"}, {"column": "a", "prefix": "b"}, {"view": "b", "lags": 1}]
)
def test_a_use_is_a_column_or_a_view(use):
    with pytest.raises(ValidationError):
        spec([use])
