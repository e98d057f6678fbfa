"""Quoting of names in the databases' own ways; a name can't break out of its quotes."""

import pytest

from lakeloom.sources.jdbc import windows
from lakeloom.sources.jdbc.dialects import adapted, literals, quote_identifier


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


GOLDEN = {
    "jdbc:sqlserver://db;database=fleet": {
        "number": "([at] > 41 AND [at] <= 50) OR [at] IS NULL",
        "date": "([at] > CAST('2026-01-04' AS date) AND [at] <= CAST('2026-01-06' AS date)) OR [at] IS NULL",
        "time": "([at] >= CAST('2026-01-05 10:00:00.000001' AS datetime2) AND [at] < CAST('2026-01-05 11:00:00.123457' AS datetime2)) OR [at] IS NULL",
        "zoned": "([at] >= CAST('2026-01-05 10:00:00.000001+00:00' AS datetimeoffset) AND [at] < CAST('2026-01-05 11:00:00.123457+00:00' AS datetimeoffset)) OR [at] IS NULL",
        "text": "([at] > 'a''b' AND [at] <= 'c') OR [at] IS NULL",
    },
    "jdbc:oracle:thin:@db:1521/fleet": {
        "number": '("at" > 41 AND "at" <= 50) OR "at" IS NULL',
        "date": """("at" > DATE '2026-01-04' AND "at" <= DATE '2026-01-06') OR "at" IS NULL""",
        "time": """("at" >= TIMESTAMP '2026-01-05 10:00:00.000001' AND "at" < TIMESTAMP '2026-01-05 11:00:00.123457') OR "at" IS NULL""",
        "zoned": """("at" >= TIMESTAMP '2026-01-05 10:00:00.000001 +00:00' AND "at" < TIMESTAMP '2026-01-05 11:00:00.123457 +00:00') OR "at" IS NULL""",
        "text": """("at" > 'a''b' AND "at" <= 'c') OR "at" IS NULL""",
    },
    "jdbc:postgresql://db/fleet": {
        "time": """("at" >= '2026-01-05 10:00:00.000001' AND "at" < '2026-01-05 11:00:00.123457') OR "at" IS NULL""",
        "zoned": """("at" >= '2026-01-05 10:00:00.000001+00:00' AND "at" < '2026-01-05 11:00:00.123457+00:00') OR "at" IS NULL""",
    },
    "jdbc:mysql://db/fleet": {
        "zoned": "(`at` >= '2026-01-05 10:00:00.000001' AND `at` < '2026-01-05 11:00:00.123457') OR `at` IS NULL",
    },
}  # fmt: skip
BOUNDS = {
    "number": ("41", "50"), "date": ("2026-01-04", "2026-01-06"), "text": ("a'b", "c"),
    "time": ("2026-01-05T10:00:00.000001", "2026-01-05T11:00:00.123456"),
    "zoned": ("2026-01-05T10:00:00.000001", "2026-01-05 11:00:00.123456"),
}  # fmt: skip


@pytest.mark.parametrize(("url", "of"), [(url, of) for url, texts in GOLDEN.items() for of in texts])
def test_a_window_is_written_as_the_product_reads_it(url, of):
    """SQL Server and Oracle have no server here: what they are told is held to their manuals' words."""
    first, upper = BOUNDS[of]
    assert windows.window(quote_identifier(url, "at"), first, upper, of, literals(url)) == GOLDEN[url][of]


def test_partitions_of_times_are_written_as_the_product_reads_them():
    url = "jdbc:oracle:thin:@db:1521/fleet"
    assert windows.ranges('"at"', "2026-01-01", "2026-01-03", 2, "date", literals(url)) == [
        """"at" < DATE '2026-01-02' OR "at" IS NULL""", """"at" >= DATE '2026-01-02'""",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "asked", "driver"),
    [
        ("jdbc:postgresql://db/fleet", "jdbc:postgresql://db/fleet", "org.postgresql.Driver"),
        ("jdbc:db2://db/fleet", "jdbc:db2://db/fleet", None),
        ("jdbc:mysql://db/fleet?yearIsDateType=true", "yearIsDateType=true&tinyInt1isBit=false", None),
        ("jdbc:mariadb://db/fleet", "jdbc:mysql://db/fleet?tinyInt1isBit=false", "org.mariadb.jdbc.Driver"),
    ],
)
def test_a_driver_is_asked_for_values_as_they_are(url, asked, driver):
    found, named = adapted(url)
    assert (asked in found, named) == (True, driver)
    assert ("permitMysqlScheme" in found) is url.startswith("jdbc:mariadb:")
