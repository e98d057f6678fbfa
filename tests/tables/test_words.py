import pytest

from lakeloom.tables.words import share


@pytest.mark.parametrize(("text", "found"), [("1%", 0.01), (0.25, 0.25), ("100%", 1.0), (0, 0.0), (" 2.5% ", 0.025)])
def test_a_share_is_written_as_percent_or_fraction(text, found):
    assert share(text) == pytest.approx(found)


@pytest.mark.parametrize("text", ["101%", 1.5, "-1%", "a lot", "", "nan", "inf%", None])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ValueError, match="share"):
        share(text)
