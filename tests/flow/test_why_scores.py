"""Why a score is there: the model, what it was trained on, and the features with their times, down to the file."""

import pytest

import lakeloom
from lakeloom.core.errors import LakeloomError

TRIP = {"id": "13", "day": "2026-01-02"}


@pytest.fixture(scope="module")
def found(trained):
    return lakeloom.open(trained[0].home / "conf").why("gold.trip_scores@0", TRIP)


def test_a_score_is_told_by_its_model_and_what_that_was_trained_on(found):
    (score,) = found.rows
    assert (score.level, score.reproduced, score.key["id"]) == ("rows", True, 13)
    assert (score.model["name"], score.model["version"], score.model["dataset"]) == (
        "trip_late", 1, {"datasets.late_trips": 0},
    )  # fmt: skip
    assert score.model["reads"] == {"features.lines": 0, "silver.trips": 0}


def test_below_it_stand_the_features_with_their_times(found):
    (given,) = found.rows[0].sources
    assert (given.table, given.reproduced) == ("datasets.late_trips", True)
    as_of = given.values["_as_of"]
    events = [row for row in given.sources if row.table == "features.lines"]
    # Five trips of the line on the day before: events that share key and time stay five rows.
    assert len(events) == given.values["lines__late_count_3d"] == 5
    assert all(row.reproduced and row.values["_available_at"] <= as_of for row in events)
    assert sum(row.values["late"] for row in events) / 5 == pytest.approx(given.values["lines__late_mean_3d"])


def test_every_event_leads_to_its_own_record_of_the_file(found):
    events = [row for row in found.rows[0].sources[0].sources if row.table == "features.lines"]
    records = []
    for event in events:
        (trip,) = event.sources
        (landed,) = trip.sources
        assert trip.reproduced and float(landed.values["late"]) == event.values["late"]
        records.append(landed.place["position"]["record"])
    assert len(set(records)) == 5
    assert {each["file"] for each in found.bronze} == {"in/trips.csv"} and len(found.bronze) == 6


def test_a_score_that_is_not_there_is_coded(trained):
    with pytest.raises(LakeloomError) as caught:
        lakeloom.open(trained[0].home / "conf").why("gold.trip_scores", {"id": "99999", "day": "2026-01-02"})
    assert caught.value.code == "LL-LINEAGE-001"
