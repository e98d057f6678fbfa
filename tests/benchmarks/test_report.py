import pytest

from benchmarks import BENCHES
from benchmarks.report import number, page, terminal
from benchmarks.result import RESULTS, store, stored
from tests.benchmarks.test_result import ABOUT, result


@pytest.fixture
def pages(tmp_path):
    store(result(), ABOUT, "2026-01-01", tmp_path)
    return stored(["speed"], tmp_path)


def test_the_page_names_command_day_machine_and_what_was_missed(pages):
    text = page(pages)
    assert "`make bench NAME=speed` · 2026-01-01 · 2 cores of P, 24 GiB" in text
    assert "| [How quick it is](#how-quick-it-is) | wall s | 2.00 s | < 4 s | yes |" in text
    assert "| [How quick it is](#how-quick-it-is) | score | 0.5000 | ≥ 0.6 | **no** |" in text
    assert "**Seconds**\n\n| what | seconds |\n| --- | ---: |\n| all | 2.00 |" in text


def test_the_terminal_shows_the_same_tables_aligned(pages):
    text = terminal(pages[0])
    assert "wall s  2.00 s    < 4 s   yes" in text
    assert "Seconds\nwhat  seconds\nall   2.00" in text


@pytest.mark.parametrize(
    ("value", "shown"), [(0.48961, "0.4896"), (2.0, "2.00"), (47.467, "47.5"), (260.35, "260"), (336776, "336776")]
)
def test_numbers_keep_the_digits_that_matter(value, shown):
    assert number(value) == shown


def test_the_committed_page_is_made_of_the_committed_results():
    written = RESULTS.parents[1] / "docs" / "results.md"
    assert written.read_text() == page(stored(BENCHES))
