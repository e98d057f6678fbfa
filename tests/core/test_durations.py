"""Durations in the config's words and in the command line's short form."""

import pytest

from lakeloom.core.durations import Duration, parse, parse_short
from lakeloom.core.errors import ConfigError


def test_words_are_read():
    assert parse("90 minutes") == Duration(90, "minute")
    assert parse("1 day").seconds == 86_400


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10m", Duration(10, "minute")),
        ("90s", Duration(90, "second")),
        (" 2h ", Duration(2, "hour")),
        ("1d", Duration(1, "day")),
        ("2w", Duration(2, "week")),
        ("3 days", Duration(3, "day")),
    ],
)
def test_the_short_form_is_read(text, found):
    assert parse_short(text) == found
    assert parse_short(found.compact) == found


@pytest.mark.parametrize("text", ["", "0m", "-1m", "10", "m", "10 m", "1y", "1.5h", "soon"])
def test_anything_else_is_refused_with_its_place(text):
    with pytest.raises(ConfigError, match="LL-CONF-004") as caught:
        parse_short(text, "--every")
    assert caught.value.where == "--every"
