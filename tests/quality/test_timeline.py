"""Rules over time: outcomes and their order, for any sequence of executions."""

import doctest

from hypothesis import given
from hypothesis import strategies as st

from lakeloom.quality import timeline
from lakeloom.quality.timeline import OUTCOMES, Execution, over_time

LEVELS = st.sampled_from(["warn", "quarantine", "fail"])


@st.composite
def results(draw):
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4))
    return [
        {"name": name, "column": None, "level": draw(LEVELS), "rows": 10, "broken": draw(st.integers(0, 10)),
         "passed": draw(st.booleans()), "stops": draw(st.booleans())}
        for name in names
    ]  # fmt: skip


@given(st.lists(results(), max_size=6))
def test_every_result_is_one_judgement_and_those_of_the_newest_come_first_in_its_order(runs):
    found = over_time("silver.t", [Execution(f"r{n}", "", n, each) for n, each in enumerate(runs, 1)])
    assert sum(len(each.judgements) for each in found) == sum(map(len, runs))
    assert all(sum(map(each.count, OUTCOMES)) == len(each.judgements) for each in found)
    assert all([j.epoch for j in each.judgements] == sorted(j.epoch for j in each.judgements) for each in found)
    newest = [each.last.epoch for each in found]
    assert newest == sorted(newest, reverse=True) and len({each.rule for each in found}) == len(found)
    if runs and runs[-1]:
        assert [each.rule for each in found[: len(runs[-1])]] == [result["name"] for result in runs[-1]]


def test_the_examples_hold():
    assert doctest.testmod(timeline).failed == 0
