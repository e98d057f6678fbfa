"""A dataset as a scientist takes it: at its version, by split, with what it was made of."""

import pytest

import lakeloom
from lakeloom.core.errors import LakeloomError


@pytest.fixture
def trips(trained):
    return lakeloom.open(trained[0].home / "conf")


def test_a_split_has_its_labelled_rows_in_order_and_the_features(trips):
    dataset = trips.dataset("late_trips")
    train = dataset.split("train")
    assert train.column_names == ["_row", "label", *dataset.features]
    assert train.column("_row").to_pylist() == sorted(train.column("_row").to_pylist())
    assert {name: dataset.split(name).num_rows for name in ("train", "valid", "test")} == {
        "train": 450, "valid": 138, "test": 294,
    }  # fmt: skip
    assert dataset.rows == {"train": 450, "valid": 138, "test": 294, "none": 18}
    assert dataset.pandas("valid")["label"].isin([0.0, 1.0]).all()


def test_it_says_what_it_was_made_of(trips):
    dataset = trips.dataset("late_trips", version=0)
    assert dataset.version == 0
    assert dataset.inputs == dict.fromkeys(dataset.inputs, 0)
    assert {"silver.trips"} <= set(dataset.inputs)


@pytest.mark.parametrize(
    ("name", "version", "code"),
    [("late_tripps", None, "LL-CONF-010"), ("late_trips", 99, "LL-STORE-002")],
)
def test_what_does_not_exist_is_coded(trips, name, version, code):
    with pytest.raises(LakeloomError) as caught:
        trips.dataset(name, version)
    assert caught.value.code == code


def test_a_split_that_does_not_exist_names_those_that_do(trips):
    with pytest.raises(LakeloomError, match="no split 'tset'") as caught:
        trips.dataset("late_trips").split("tset")
    assert "train, valid, test" in caught.value.fix
