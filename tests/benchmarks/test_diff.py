"""Comparing versions: both sides of the bench count the same, and its page is made of their turns."""

from benchmarks.diff import CHANGED, lay_out, ours, result, whole


def test_both_sides_count_the_same(tmp_path):
    versions = lay_out(tmp_path, 1_000)
    for files, (before, after) in versions.items():
        found = ours(str(tmp_path), before, after)
        assert found == whole(str(tmp_path), before, after) == {"added": 0, "removed": 0, "changed": files}


def test_the_page_tells_how_much_faster_and_how_it_grows():
    turn = {"added": 0, "removed": 0, "changed": 10, "mib": 100.0}
    found = {
        files: {"ours": [turn | {"seconds": 0.1 * files}], "whole": [turn | {"seconds": 5.0}]} for files in CHANGED
    }
    page = result(found, 1_000)
    assert page.ratios["vs_whole_1_files"] == 50.0
    assert page.figures["last_over_first"] == 50.0
    assert len(page.tables[0].rows) == len(CHANGED)
