"""The robust z-score and the stability index, as properties; no Spark."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.quality.history import robust_z, stability_index

FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)
SHARES = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda found: [each / sum(found) for each in found])


@given(FIGURES, st.floats(0.001, 100))
def test_the_median_itself_is_nothing_and_what_is_twice_as_far_has_twice_the_score(before, least):
    middle = median(before)
    assert robust_z(middle, before, least) == 0
    once, twice = robust_z(middle + 10, before, least), robust_z(middle + 20, before, least)
    assert twice == pytest.approx(2 * once, rel=1e-6)
    assert once <= 10 / least * (1 + 1e-9)


def test_one_odd_execution_among_those_before_moves_nothing_and_the_floor_holds():
    assert robust_z(110, [100] * 9 + [10**9], 5) == pytest.approx(2)
    assert robust_z(100, [100] * 9, 0) == 0
    assert robust_z(101, [100] * 9, 0) == float("inf")


@given(SHARES, SHARES)
def test_the_index_is_never_negative_and_zero_for_the_same(now, before):
    assert stability_index(now, [now, now]) == pytest.approx(0, abs=1e-12)
    assert stability_index(now, [before]) >= -1e-12
    assert stability_index(now, [before]) == pytest.approx(stability_index(before, [now]))
