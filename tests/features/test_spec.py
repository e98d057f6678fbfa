"""What a feature view may say, and the columns that it gives."""

import pytest
from pydantic import ValidationError

from lakeloom.core import durations
from lakeloom.core.errors import ConfigError
from lakeloom.features.spec import FeatureView

DELAYS = {
    "from": "silver.flights",
    "keys": ["origin"],
    "event_time": "departed_at",
    "available_at": "departed_at",
    "ttl": "6 hours",
    "windows": ["1 hour", "24 hours", "7 days"],
    "age": True,
    "columns": {"dep_delay": ["last", "mean"], "late": {"expr": "dep_delay >= 30", "of": "share"}},
}


def test_outputs_are_named_by_column_aggregate_and_window():
    view = FeatureView.model_validate(DELAYS)
    assert [one.suffix for one in view.outputs()] == [
        "dep_delay",
        "dep_delay_mean_1h",
        "dep_delay_mean_24h",
        "dep_delay_mean_7d",
        "late_share_1h",
        "late_share_24h",
        "late_share_7d",
        "age_minutes",
    ]
    assert [one.suffix for one in view.select(("late", "dep_delay_mean_7d"))] == [
        "dep_delay_mean_7d",
        "late_share_1h",
        "late_share_24h",
        "late_share_7d",
    ]
    with pytest.raises(KeyError):
        view.select(("late", "nothing"))


def test_it_comes_back_from_what_it_dumps():
    view = FeatureView.model_validate(DELAYS)
    assert FeatureView.model_validate(view.model_dump(by_alias=True)) == view
    assert view.model_dump(mode="json", by_alias=True)["windows"] == ["1 hour", "24 hours", "7 days"]
    assert FeatureView.model_json_schema()["required"] == ["from", "keys", "event_time", "available_at", "columns"]


@pytest.mark.parametrize("missing", [{}, {"available_at": ""}, {"available_at": None}])
def test_availability_is_mandatory_with_its_own_code(missing):
    raw = {key: value for key, value in DELAYS.items() if key != "available_at"} | missing
    with pytest.raises(ValidationError) as caught:
        FeatureView.model_validate(raw)
    assert [error["type"] for error in caught.value.errors()] == ["LL-FEATURE-001"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"windows": []}, "an aggregate needs windows"),
        ({"columns": {"dep_delay": "last"}}, "every column is 'last'"),
        ({"windows": ["1 day", "24 hours"]}, "86400 stands there twice"),
        ({"windows": ["1 month"]}, "not a duration"),
        ({"ttl": "soon"}, "not a duration"),
        ({"columns": {"origin": "last"}, "windows": []}, "can't be a column of it"),
        ({"columns": {"a": ["last", "median"]}}, "Input should be"),
        ({"columns": {"_a": ["mean"]}}, "is not a name"),
        ({"columns": {"age_minutes": ["last", "mean"]}}, "stands there twice"),
        ({"keys": ["origin", "origin"]}, "stands there twice"),
        ({"from": "flights"}, "not a table's name"),
        ({"evnt_time": "x"}, "Extra inputs"),
    ],
)
def test_mistakes_are_told(change, says):
    with pytest.raises(ValidationError, match=says):
        FeatureView.model_validate(DELAYS | change)


@pytest.mark.parametrize(
    ("text", "seconds", "compact"),
    [("1 hour", 3600, "1h"), ("3 days", 259_200, "3d"), ("90 minutes", 5400, "90m"), ("24 hours", 86_400, "24h"),
     ("2 weeks", 1_209_600, "2w"), ("30 seconds", 30, "30s")],
)  # fmt: skip
def test_durations(text, seconds, compact):
    found = durations.parse(text)
    assert (found.seconds, found.compact, str(found)) == (seconds, compact, text)


@pytest.mark.parametrize(
    "text", ["", "hour", "0 hours", "-1 hours", "1.5 hours", "1h", "2 months", "1 year", "1  hour"]
)
def test_durations_refused(text):
    with pytest.raises(ConfigError) as caught:
        durations.parse(text)
    assert caught.value.code == "LL-CONF-004"
