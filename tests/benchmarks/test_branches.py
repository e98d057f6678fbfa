"""The bench of branches: what it measures is a branch, and the page is made of its rounds."""

from benchmarks.branches import lay_out, result, rounds_of, size_of
from lakeloom.store.branches import branches


def test_a_branch_adds_no_data_and_a_copy_all_of_it(tmp_path):
    lay_out(tmp_path, 2, 3, 2_000)
    found = rounds_of(tmp_path, 1)
    assert found["branch_bytes"][0] < found["copy_bytes"][0] / 10 and branches(tmp_path) == []
    page = result(found, 2, size_of(tmp_path / "tables"))
    assert set(page.ratios) == {"vs_copy", "branch_s_of_target"} and page.figures["tables"] == 2
    assert len(page.tables[0].rows) == 3
