"""A dataset as it lies on disk, and that nothing of the future gets into it.

The flights here are small and made up; labels and events come from one table, as in practice, so
that a row's own outcome is among what must not be seen.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from lakeloom.core.errors import FeatureError
from lakeloom.datasets.build import build
from lakeloom.datasets.columns import feature_names
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.features.spec import FeatureView
from lakeloom.features.views import materialise

START = datetime(2013, 3, 9, tzinfo=UTC)
OUTCOME = ["dep", "arr", "arr_delay", "gate"]
SCHEMA = (
    "id bigint, origin string, dest string, carrier string, tail string, gate int, sched timestamp,"
    " dep timestamp, arr timestamp, arr_delay double"
)
AVAILABLE = {
    "origin": "sched - interval 100 days",
    "dest": "sched - interval 100 days",
    "carrier": "sched - interval 100 days",
    "tail": "sched - interval 3 hours",
    "gate": "dep",
    "sched": "sched - interval 100 days",
}


def delays(keys, **change):
    return FeatureView.model_validate(
        {
            "from": "silver.flights",
            "keys": keys,
            "event_time": "arr",
            "available_at": "arr",
            "windows": ["1 hour", "6 hours", "2 days"],
            "ttl": "1 day",
            "age": True,
            "columns": {
                "arr_delay": ["last", "mean", "std", "min", "max", "sum"],
                "late": {"expr": "arr_delay >= 30", "of": ["share", "count"]},
            },
        }
        | change
    )


def spec(**change):
    return DatasetSpec.model_validate(
        {
            "labels": {
                "from": "silver.flights",
                "value": "arr_delay >= 30",
                "where": "arr_delay is not null",
                "keys": ["id"],
            },
            "as_of": "sched - interval 2 hours",
            "features": [
                "origin",
                "gate",
                "by_origin.*",
                "by_tail.*",
                {"view": "by_origin", "on": {"origin": "dest"}, "prefix": "there", "columns": ["late"]},
                {"view": "by_origin", "lag": "3 hours", "prefix": "before", "columns": ["arr_delay_mean_6h"]},
            ],
            "derive": {"trend": "by_origin__arr_delay_mean_6h - before__arr_delay_mean_6h", "hour": "hour(sched)"},
            "split": {"by": "sched", "train": "..2013-03-10", "valid": "..2013-03-11", "test": "..2013-03-12"},
        }
        | change
    )


VIEWS = {"by_origin": delays(["origin"]), "by_tail": delays(["origin", "tail"])}


@pytest.fixture(scope="module")
def flights():
    rng = np.random.default_rng(3)
    n = 160
    sched = [START + timedelta(minutes=int(one)) for one in np.sort(rng.integers(0, 5 * 1440, n))]
    late = np.round(rng.normal(15, 40, n), 1)
    frame = pd.DataFrame({"id": rng.permutation(n), "origin": rng.choice(["EWR", "JFK", "LGA"], n)})
    frame["dest"] = rng.choice(["EWR", "JFK", "BOS"], n)
    frame["carrier"] = rng.choice(["UA", "AA"], n)
    frame["tail"] = [None if one < 0.1 else f"N{int(one * 8)}" for one in rng.random(n)]
    frame["gate"] = rng.integers(1, 40, n).astype(np.int32)
    frame["sched"] = pd.Series(sched, dtype="datetime64[us, UTC]")
    frame["dep"] = frame.sched + pd.to_timedelta(np.maximum(late, 0), unit="m").as_unit("us")
    frame["arr"] = frame.dep + timedelta(hours=2)
    frame["arr_delay"] = late
    frame.loc[::11, ["dep", "arr", "arr_delay"]] = None
    return frame


def made(spark, flights, what=None, views=None):
    table = spark.createDataFrame(flights.astype(object).where(flights.notna(), None), SCHEMA)
    views = views or VIEWS
    events = {name: (view, materialise(table, view, name)) for name, view in views.items()}
    frame = build(table, what or spec(), events, AVAILABLE)
    rows = frame.orderBy("_row").toPandas()
    # Spark hands instants over as naive times in the session's zone, which is UTC.
    return frame, rows.assign(_as_of=rows._as_of.dt.tz_localize("UTC"))


@pytest.fixture(scope="module")
def dataset(spark, flights):
    return made(spark, flights)


def test_form_on_disk(flights, dataset):
    frame, rows = dataset
    types = dict(frame.dtypes)
    assert list(types)[:5] == ["id", "_row", "_as_of", "_split", "label"]
    assert tuple(types)[5:] == feature_names(spec(), VIEWS)
    assert [types[name] for name in ("_row", "_as_of", "_split", "label")] == [
        "bigint",
        "timestamp",
        "string",
        "double",
    ]
    assert set(list(types.values())[5:]) == {"double", "bigint", "string"}
    assert rows._row.tolist() == list(range(len(flights)))
    ordered = flights.sort_values(["sched", "id"])
    assert rows.id.tolist() == ordered.id.tolist()
    assert (rows.label.isna() == ordered.arr_delay.isna().to_numpy()).all()
    days = ordered.sched.dt.date.to_numpy()
    wanted = np.select(
        [ordered.arr_delay.isna(), days <= date(2013, 3, 10), days <= date(2013, 3, 11), days <= date(2013, 3, 12)],
        ["none", "train", "valid", "test"],
        "none",
    )
    assert rows._split.tolist() == wanted.tolist()
    assert set(rows._split) == {"none", "train", "valid", "test"}


def test_features_equal_a_plain_reading(flights, dataset):
    """Every row against filters written out in pandas, over the night when the clocks changed."""
    rows = dataset[1].set_index("id")
    known = flights[flights.arr.notna()]
    for flight in flights.itertuples():
        as_of = flight.sched - timedelta(hours=2)
        row = rows.loc[flight.id]
        for prefix, events, back in (
            ("by_origin", known[known.origin == flight.origin], 0),
            ("by_tail", known[(known.origin == flight.origin) & (known["tail"] == flight.tail)], 0),
            ("there", known[known.origin == flight.dest], 0),
            ("before", known[known.origin == flight.origin], 3),
        ):
            now = as_of - timedelta(hours=back)
            seen = events[(events.arr <= now) & (events.arr > now - timedelta(hours=6))].arr_delay
            wanted = {
                "arr_delay_mean_6h": seen.mean(),
                "arr_delay_sum_6h": seen.sum() if len(seen) else np.nan,
                "arr_delay_std_6h": seen.std(),
                "arr_delay_min_6h": seen.min(),
                "late_share_6h": (seen >= 30).mean(),
                "late_count_6h": len(seen),
            }
            for name, expected in wanted.items():
                if f"{prefix}__{name}" in rows.columns:
                    # approx takes no NaN of pandas for NaN of numpy.
                    assert float(row[f"{prefix}__{name}"]) == pytest.approx(float(expected), abs=1e-6, nan_ok=True)
        assert pd.isna(row.gate)
        assert row.hour == flight.sched.hour


def garble(flights, now, known_at="arr"):
    """Change all outcomes that were not known at `now`: other values, other times, some gone."""
    changed = flights.copy()
    future = ~(flights[known_at] <= now)
    changed.loc[future, "arr_delay"] = 1e4 + flights.id[future]
    changed.loc[future, "gate"] = 99
    later = pd.to_timedelta(flights.id * 7 + 1, unit="m")
    for column in ("dep", "arr"):
        changed.loc[future, column] = (now + later[future]).astype(flights[column].dtype)
    gone = future & (flights.id % 5 == 0)
    changed.loc[gone, ["dep", "arr", "arr_delay"]] = None
    return changed


def moved(before, after, now):
    """Return the features that differ on any row with an as-of time up to `now`, compared bit by bit."""
    old, new = (frame[frame._as_of <= now].sort_values("id") for frame in (before, after))
    assert len(old) == len(new) > 20
    features = [name for name in before.columns if not name.startswith("_") and name not in ("id", "label")]
    return {name for name in features if not old[name].reset_index(drop=True).equals(new[name].reset_index(drop=True))}


@pytest.mark.parametrize("hours", [30, 101])
def test_no_feature_moves_with_the_future(spark, flights, dataset, hours):
    now = pd.Timestamp(START + timedelta(hours=hours))
    after = made(spark, garble(flights, now))[1]
    assert not after.label.equals(dataset[1].label)
    assert moved(dataset[1], after, now) == set()


def test_no_feature_moves_with_its_own_outcome(spark, flights, dataset):
    """As of one row's time, to the microsecond: its own outcome is in the future."""
    one = dataset[1].iloc[90]
    after = made(spark, garble(flights, one._as_of))[1]
    assert moved(dataset[1], after, one._as_of) == set()


def test_the_leak_test_sees_a_leak(spark, flights):
    """A view that claims to have known arrivals three hours before they were is caught."""
    leaky = {
        name: view.model_copy(update={"event_time": "arr - interval 3 hours", "available_at": "arr - interval 3 hours"})
        for name, view in VIEWS.items()
    }
    now = pd.Timestamp(START + timedelta(hours=57.5))
    before = made(spark, flights, views=leaky)[1]
    after = made(spark, garble(flights, now), views=leaky)[1]
    assert "by_origin__arr_delay" in moved(before, after, now)


def test_equal_inputs_in_any_order_give_equal_rows(spark, flights, dataset):
    shuffled = made(spark, flights.sample(frac=1.0, random_state=1))[1]
    pd.testing.assert_frame_equal(shuffled, dataset[1], check_exact=True)


def test_random_split_and_sample_follow_the_keys(spark, flights):
    what = spec(features=["origin"], derive={}, split={"random": {"train": 0.75, "test": 0.25}, "seed": 7})
    rows = made(spark, flights, what)[1]
    assert set(rows._split) == {"none", "train", "test"}
    assert 0.6 < (rows._split == "train").sum() / rows.label.notna().sum() < 0.9
    half = DatasetSpec.model_validate(
        what.model_dump(by_alias=True, exclude_none=True) | {"sample": {"share": 0.5, "seed": 1}}
    )
    kept = made(spark, flights, half)[1]
    assert 40 < len(kept) < 120
    assert kept._row.tolist() == list(range(len(kept)))
    whole = rows.set_index("id")._split
    assert (whole.loc[kept.id].to_numpy() == kept._split.to_numpy()).all()


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"features": ["arr_delay"]}, "LL-FEATURE-001", "does not say when it is known"),
        (
            {"features": [{"view": "by_origin", "on": {"origin": "dep_airport"}}]},
            "LL-FEATURE-002",
            "is not in silver.flights",
        ),
        ({"features": ["sched"]}, "LL-FEATURE-002", "a feature is a number"),
        ({"derive": {"cheat": "label"}}, "LL-FEATURE-002", "does not analyse"),
        ({"derive": {"cheat": "arr_delay"}}, "LL-FEATURE-002", "does not analyse"),
        ({"as_of": "sched -"}, "LL-FEATURE-002", "does not analyse"),
        ({"as_of": "cast(sched as date)"}, "LL-FEATURE-002", "must be an instant"),
        ({"as_of": "arr - interval 4 hours"}, "LL-FEATURE-003", "15 rows have no as-of time"),
        ({"split": {"by": "origin", "train": "..2013-03-10"}}, "LL-FEATURE-002", "by a date or a timestamp"),
    ],
)
def test_mistakes_are_told(spark, flights, change, code, says):
    base = {"features": ["origin"], "derive": {}}
    with pytest.raises(FeatureError) as caught:
        made(spark, flights, spec(**(base | change)))
    assert caught.value.code == code
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "features", "code", "says"),
    [
        (["carrier"], ["origin"], "LL-FEATURE-004", "160 rows share their keys"),
        (["id", "tail"], ["origin"], "LL-FEATURE-004", "have a NULL in their keys"),
        (["id", "gate"], ["gate"], "LL-FEATURE-001", "was not known as of their time"),
    ],
)
def test_keys_tell_rows_apart(spark, flights, keys, features, code, says):
    labels = {"from": "silver.flights", "value": "arr_delay", "keys": keys}
    with pytest.raises(FeatureError) as caught:
        made(spark, flights, spec(labels=labels, features=features, derive={}))
    assert caught.value.code == code
    assert says in str(caught.value)


def test_a_key_may_be_a_feature_and_days_may_be_local(spark, flights):
    labels = {"from": "silver.flights", "value": "arr_delay", "keys": ["carrier", "id"]}
    split = {"by": "cast(sched - interval 5 hours as date)", "train": "..2013-03-09"}
    frame, rows = made(spark, flights, spec(labels=labels, features=["carrier", "origin"], derive={}, split=split))
    assert frame.columns == ["carrier", "id", "_row", "_as_of", "_split", "label", "origin"]
    local = (flights.set_index("id").sched - timedelta(hours=5)).dt.date.loc[rows.id].to_numpy()
    assert ((rows._split == "train").to_numpy() == ((local <= date(2013, 3, 9)) & rows.label.notna().to_numpy())).all()
