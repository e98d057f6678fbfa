"""The PNG plots for the registry."""

from __future__ import annotations

from pathlib import Path

from lakeloom.pages.plots import save_plots
from tests.pages import sample


def test_every_plot_is_written_as_png(tmp_path: Path) -> None:
    found = save_plots(sample.evaluation(), tmp_path / "plots")
    assert [path.name for path in found] == [
        "roc.png", "precision_recall.png", "calibration.png", "importance.png", "tuning.png"
    ]  # fmt: skip
    for path in found:
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert path.stat().st_size > 5_000


def test_equal_facts_give_equal_files(tmp_path: Path) -> None:
    first, second = (save_plots(sample.evaluation(), tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_what_has_no_data_is_not_drawn(tmp_path: Path) -> None:
    assert save_plots({}, tmp_path) == []
    facts = {"importance": [{"feature": "$a_{b$", "drop": 0.1, "std": None}], "tuning": [{"trial": 0, "loss": None}]}
    assert [path.name for path in save_plots(facts, tmp_path)] == ["importance.png"]
