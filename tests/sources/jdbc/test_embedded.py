from pathlib import Path

import pytest

from lakeloom.sources.jdbc.embedded import anchored, is_embedded, read_alone

HOME = Path("/home/shop")
DRIVER = {"driver": "org.apache.derby.iapi.jdbc.AutoloadedDriver"}


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


@pytest.mark.parametrize(
    ("url", "embedded"),
    [
        ("jdbc:derby:/data/fleet", True),
        ("jdbc:derby:memory:fleet", True),
        ("jdbc:sqlite:/data/fleet.db", True),
        ("jdbc:derby://host:1527/fleet", False),
        ("jdbc:postgresql://host/fleet", False),
    ],
)
def test_an_embedded_database_is_told_from_a_served_one(url, embedded):
    assert is_embedded(url) is embedded


def test_the_driver_alone_reads_the_same_rows_as_sparks_tasks(spark, tmp_path):
    url = f"jdbc:derby:{tmp_path}/fleet;create=true"
    rows = spark.sql(
        "select * from values"
        " (1, 'N1', cast(12.50 as decimal(8,2)), date'2013-01-31', timestamp'2013-03-10 02:30:00.125', true, 1.5D),"
        " (2, 'O''Hare', null, null, null, false, null), (3, null, -1.00, date'1970-01-01', null, null, -0.0D)"
        " as t(id, tail, cost, day, at, flies, load)"
    )
    rows.write.jdbc(url, "PLANES", properties=DRIVER)
    there = spark.read.jdbc(url, "PLANES", properties=DRIVER)
    parts = ['"id" <= 1 OR "id" IS NULL', '"id" > 1']
    found = read_alone(spark, url, "PLANES", parts, DRIVER)
    assert found.schema == there.schema
    assert sorted(found.collect()) == sorted(there.collect()) and found.count() == 3
    counted = read_alone(spark, url, '(SELECT COUNT(*) AS n, MAX("id") AS t FROM PLANES) x', ["1 = 1"], DRIVER)
    assert [tuple(row) for row in counted.collect()] == [(3, 3)]
