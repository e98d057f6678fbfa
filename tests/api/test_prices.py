from pathlib import Path

import pytest

from lakeloom.api.prices import read
from lakeloom.core.findings import FindingsError

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "conf" / "prices").glob("*.yml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_are_sound_and_say_that_they_are_examples(file):
    found = read(file)
    assert found.name == file.stem and "example" in found.note
    assert "EXAMPLE RATES" in file.read_text().splitlines()[0]


def test_there_are_examples_to_compare():
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize(
    ("text", "code", "line", "path", "fix"),
    [
        ("name: a\ncurrency: EUR\nrates:\n  slot_hours: 1\n", "LL-CONF-019", 4, "rates.slot_hours", "use 'slot_hour'"),
        ("name: a\ncurrency: euro\nrates: {}\n", "LL-CONF-019", 2, "currency", "write it like EUR"),
        (
            "name: a\ncurrency: EUR\nrates:\n  task_hour: -1\n",
            "LL-CONF-019",
            4,
            "rates.task_hour",
            "give a number from 0 on",
        ),
        (
            "name: a\ncurrency: EUR\nrates:\n  task_hour: .inf\n",
            "LL-CONF-019",
            4,
            "rates.task_hour",
            "give a number from 0 on",
        ),
        ("name: a\ncurrency: EUR\n", "LL-CONF-019", 0, "rates", "add rates:"),
        ("name: a\nname: b\n", "LL-CONF-002", 2, "", "remove one of the two"),
    ],
)
def test_each_mistake_is_told_at_its_line(tmp_path, text, code, line, path, fix):
    file = tmp_path / "prices.yml"
    file.write_text(text)
    with pytest.raises(FindingsError) as caught:
        read(file)
    (found,) = caught.value.findings
    assert (found.code, found.line, found.path, found.fix) == (code, line, path, fix)
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there_is_coded(tmp_path):
    with pytest.raises(FindingsError) as caught:
        read(tmp_path / "nowhere.yml")
    assert caught.value.code == "LL-CONF-001"
