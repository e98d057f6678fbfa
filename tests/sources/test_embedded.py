from pathlib import Path

import pytest

from lakeloom.sources.embedded import anchored

HOME = Path("/home/shop")


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("jdbc:derby:landing/fleet", "jdbc:derby:/home/shop/landing/fleet"),
        ("jdbc:derby:directory:fleet;user=x;password=y", "jdbc:derby:/home/shop/fleet;user=x;password=y"),
        ("jdbc:sqlite:fleet.db", "jdbc:sqlite:/home/shop/fleet.db"),
        ("jdbc:derby:/data/fleet", "jdbc:derby:/data/fleet"),
        ("jdbc:derby://host:1527/fleet", "jdbc:derby://host:1527/fleet"),
        ("jdbc:derby:memory:fleet", "jdbc:derby:memory:fleet"),
        ("jdbc:sqlite::memory:", "jdbc:sqlite::memory:"),
        ("jdbc:postgresql://host/fleet", "jdbc:postgresql://host/fleet"),
    ],
)
def test_only_a_relative_path_is_anchored(url, wanted):
    assert anchored(url, HOME) == wanted
