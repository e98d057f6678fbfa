from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.splits import END, OCTOBER, SEPTEMBER, by_chance, by_time, chances, part


@pytest.fixture(scope="module")
def rows():
    days = [date(2013, 1, 1) + timedelta(days=place % 365) for place in range(8000)]
    return pa.table(
        {
            "flight_date": pa.array(days, pa.date32()),
            "carrier": ["UA", "DL"] * 4000,
            "flight": list(range(8000)),
            "origin": ["JFK"] * 8000,
        }
    )


def test_nine_months_train_and_three_test(rows):
    split = by_time(rows, OCTOBER, END)
    days = np.asarray(rows.column("flight_date").to_numpy()).astype("datetime64[D]")
    assert days[split.train].max() == np.datetime64("2013-09-30")
    assert days[split.test].min() == np.datetime64("2013-10-01")
    assert len(split.train) + len(split.test) == rows.num_rows


def test_september_chooses_settings_and_no_test_row_does(rows):
    inner, outer = by_time(rows, SEPTEMBER, OCTOBER), by_time(rows, OCTOBER, END)
    assert set(inner.train) | set(inner.test) == set(outer.train)
    assert not set(inner.train) & set(inner.test)


def test_a_random_split_has_no_overlap_and_one_in_four_tests(rows):
    split = by_chance(rows, "one")
    assert not set(split.train) & set(split.test)
    assert len(split.train) + len(split.test) == rows.num_rows
    assert len(split.test) / rows.num_rows == pytest.approx(0.25, abs=0.02)


def test_the_inner_split_stays_inside_the_training_part(rows):
    outer = by_chance(rows, "one")
    inner = by_chance(rows, "inner", outer.train)
    assert set(inner.train) | set(inner.test) == set(outer.train)
    assert not set(inner.train) & set(inner.test)
    # A hash that were the outer one's again would send every row to one side.
    assert len(inner.test) / len(outer.train) == pytest.approx(0.25, abs=0.02)


def test_a_flights_side_depends_on_its_keys_and_the_salt_alone(rows):
    shuffled = np.random.default_rng(0).permutation(rows.num_rows)
    assert np.array_equal(chances(rows.take(shuffled), "one"), chances(rows, "one")[shuffled])
    assert not np.array_equal(chances(rows, "one"), chances(rows, "two"))


def test_a_sample_is_ascending_and_seeded():
    whole = np.arange(1000) * 3
    chosen = part(whole, 0.4, seed=1)
    assert len(chosen) == 400
    assert np.all(np.diff(chosen) > 0)
    assert set(chosen) <= set(whole)
    assert np.array_equal(chosen, part(whole, 0.4, seed=1))
    assert np.array_equal(part(whole, 1.0, seed=1), whole)
