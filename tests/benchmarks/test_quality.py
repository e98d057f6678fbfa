"""What rules cost: the arithmetic of the ratios, and that both sides count the same broken rows."""

import pytest

from benchmarks.quality import RULES, _Bench, result, rules


def test_ratios_are_medians_of_those_within_a_round():
    found = {
        "plain": [1.0, 2.0, 10.0],
        "judged": [1.2, 2.6, 11.0],
        "counted": [1.7, 3.2, 15.0],
        "quarantined": [1.5, 3.0, 20.0],
        "judging": [0.5, 1.0, 1.0],
        "great_expectations": [2.0, 3.0, 5.0],
    }
    page = result(found, 100)
    assert (page.figures["cost"], page.figures["cost_with_quarantine"]) == (1.2, 1.5)
    assert page.figures["cost_counted_first"] == page.ratios["cost_counted_first"] == 1.6
    assert page.figures["vs_great_expectations"] == page.ratios["vs_great_expectations"] == 4.0
    assert page.figures["rows"] == 100 and len(page.tables[0].rows) == 3
    assert all(target.met(page.figures) for target in page.targets)


def test_there_are_twenty_rules_all_of_which_great_expectations_has():
    assert len(RULES) == 20
    assert all(rule.scope == "row" and rule.expectation.official for rule in rules())


@pytest.mark.long
def test_all_ways_are_gone_and_agree(spark, tmp_path):
    bench = _Bench(spark, tmp_path, 4_000)
    found = bench.rounds(1)
    assert {len(seconds) for seconds in found.values()} == {1}
    assert set(bench.broken) == {"judged", "counted", "quarantined", "great_expectations"}
    assert len({tuple(each) for each in bench.broken.values()}) == 1 and sum(bench.broken["judged"]) > 0
