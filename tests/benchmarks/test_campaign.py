"""What a campaign has found, as the page tells it."""

from collections import Counter

from benchmarks.campaign.kills import differences
from benchmarks.campaign.sources import result


def test_faults_stand_by_channel_and_kind_and_a_lost_row_misses_the_target():
    told = {
        "faults": 120, "lost": 0, "doubled": 0, "wrong": [],
        "by_kind": {"run": {"killed": 3}, "s3": {"dropped": 2, "slow": 1}},
    }  # fmt: skip
    page = result(told)
    assert page.tables[0].columns == ("channel", "dropped", "killed", "slow")
    assert page.tables[0].rows == (("run", "", 3, ""), ("s3", 2, "", 1))
    assert all(target.met(page.figures) for target in page.targets)
    for worse in ({"lost": 1}, {"doubled": 1}, {"wrong": ["tables"]}, {"faults": 99}):
        page = result(told | worse)
        assert sum(not target.met(page.figures) for target in page.targets) == 1


def test_rows_that_lack_and_rows_too_many_are_counted():
    expected = {"gold.x": Counter(["a", "b", "b"]), "gold.y": Counter(["c"])}
    assert differences(expected, expected) == (0, 0)
    assert differences(expected, {"gold.x": Counter(["a", "b", "d"])}) == (2, 1)
