"""What lineage costs: the arithmetic of the page, and the project that the command is asked in."""

from benchmarks.lineage import COLUMNS, LEVELS, WIDTH, lay_out, result
from lakeloom.api.lakehouse import open_lakehouse


def test_ratios_are_medians_of_pairs_and_have_an_interval():
    page = result([(1.04, 1.0), (2.0, 2.0), (1.02, 1.0)], [0.02, 0.02, 0.02], [0.8, 0.9, 0.7], 0, 9_860)
    assert page.figures["ratio"] == 1.02
    assert page.figures["ratio_low"] == 1.0
    assert page.figures["ratio_high"] == 1.04
    assert page.figures["answer_s"] == 0.8
    assert all(target.met(page.figures) for target in page.targets)
    assert [row[-1] for row in page.tables[0].rows] == ["20", "20", "20"]


def test_the_large_project_is_sound_and_answers(tmp_path, monkeypatch):
    edges = lay_out(tmp_path)
    assert edges == COLUMNS * WIDTH * (1 + 2 * (LEVELS - 1))
    monkeypatch.setenv("LAKELOOM_HOME", str(tmp_path / ".lakeloom"))
    lake = open_lakehouse(str(tmp_path / "conf" / "large"))
    found = lake.lineage(f"gold.t{LEVELS - 1}_3.c5", down=False)
    assert "bronze.x.c5" in {node.id for node in found.nodes}
    assert sum(edge.how == "value" for edge in found.edges) > 400
