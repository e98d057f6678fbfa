"""Quoting of names in the databases' own ways; a name can't break out of its quotes."""

import pytest

from lakeloom.sources.dialects import quote_identifier


@pytest.mark.parametrize(
    ("url", "quoted"),
    [
        ("jdbc:postgresql://db/fleet", '"a""b`]"'),
        ("jdbc:derby:landing/fleet", '"a""b`]"'),
        ("jdbc:oracle:thin:@db:1521/fleet", '"a""b`]"'),
        ("jdbc:mysql://db/fleet", '`a"b``]`'),
        ("jdbc:mariadb://db/fleet", '`a"b``]`'),
        ("jdbc:sqlserver://db;database=fleet", '[a"b`]]]'),
    ],
)
def test_a_name_is_quoted_as_the_product_does(url, quoted):
    assert quote_identifier(url, 'a"b`]') == quoted
