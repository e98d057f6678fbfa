"""What upkeep gains: the arithmetic of the ratios, and that both tables answer alike."""

import pytest

from benchmarks.upkeep import AFTER, BEFORE, lay_out, result, rounds_of


def test_ratios_are_medians_of_those_within_a_round():
    found = {"spark_one_before": [2.0, 4.0, 9.0], "spark_one_after": [1.0, 1.0, 3.0]}
    page = result(found, {BEFORE: 40, AFTER: 1}, 5.0, 100)
    assert page.figures["spark_one_faster"] == page.ratios["spark_one_faster"] == 3.0
    assert (page.figures["files_before"], page.figures["files_after"], page.figures["upkeep_s"]) == (40, 1, 5)
    assert len(page.tables[0].rows) == 3


@pytest.mark.long
def test_all_ways_are_gone_and_agree(spark, lake):
    lay_out(spark, lake, 8, 800)
    found = rounds_of(spark, lake, 1, 800)
    assert {len(seconds) for seconds in found.values()} == {1} and len(found) == 8
    assert lake.size(BEFORE).files == 8 and lake.size(AFTER).files == 1
