"""Parts of a read: each row in exactly one, whatever its values; how many and by what, where the source says nothing."""

import re
import sqlite3
from datetime import date, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakeloom.sources.jdbc import JdbcConfig, partitions, windows
from lakeloom.sources.jdbc.connection import at_home
from lakeloom.sources.jdbc.partitions import divided
from lakeloom.sources.jdbc.statistics import spread
from lakeloom.sources.jdbc.types import table
from tests.sources.jdbc.bronze import Bronze

NUMBERS = st.integers(-(10**6), 10**6)
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31))
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\x00'\\"), max_size=8)
VALUES = {
    "bigint": (NUMBERS, str), "numeric(12,3)": (st.decimals(-999999, 999999, places=3), str),
    "double precision": (st.floats(-1e6, 1e6), repr), "date": (DAYS, lambda value: f"'{value}'"),
    "timestamp(6)": (TIMES, lambda value: f"'{value.isoformat(sep=' ')}'"),
    "varchar(20)": (TEXTS, lambda value: f"'{value}'"),
}  # fmt: skip
_names = count()


def holds(predicate, value):
    with sqlite3.connect(":memory:") as database:
        return bool(database.execute(f"SELECT {predicate} FROM (SELECT ? AS c)", (value,)).fetchone()[0])


@given(st.lists(st.integers(-50, 50), max_size=8, unique=True).map(sorted), st.none() | st.integers(-60, 60))
def test_each_value_is_between_two_edges_of_a_histogram(edges, value):
    found = windows.between("c", [str(edge) for edge in edges], "number")
    assert len(found) == len(edges) + 1
    assert sum(holds(each, value) for each in found) == 1


@given(st.integers(1, 9), st.none() | st.integers(-60, 60))
def test_each_value_is_in_one_group(number, value):
    found = windows.buckets("c", f"(c & 2147483647) % {number}", number)
    assert sum(holds(each, value) for each in found) == 1


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(0, 2 * 10**6), st.integers(0, 9))
def test_each_block_of_a_table_is_in_one_range_also_one_that_is_new(total, number, block, row):
    found = windows.blocks(total, number)

    def takes(predicate):
        tests = re.findall(r"ctid (<|>=) '\((\d+),0\)'::tid", predicate)
        assert tests or predicate == windows.EVERY_ROW
        return all(((block, row) < (int(edge), 0)) == (sign == "<") for sign, edge in tests)

    assert 1 <= len(found) <= number
    assert sum(map(takes, found)) == 1


@given(st.lists(st.integers(), max_size=120, unique=True).map(sorted), st.integers(1, 20))
def test_of_a_histogram_rising_bounds_are_taken_and_never_its_ends(bounds, number):
    found = spread([str(bound) for bound in bounds], number)
    assert len(found) <= number - 1
    assert [int(each) for each in found] == sorted({int(each) for each in found})
    assert not {str(bounds[0]), str(bounds[-1])} & set(found) if bounds else not found


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize("of", VALUES)
def test_against_a_server_each_row_is_in_exactly_one_part(spark, databases, kind, of):
    database = databases(kind)
    strategy, written = VALUES[of]
    of = of.replace("double precision", "double") if kind == "mariadb" else of

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.none() | strategy, min_size=1, max_size=12), st.integers(2, 6), st.booleans())
    def judged(values, number, analysed):
        name = f"parts_{next(_names)}"
        rows = ", ".join(f"({at}, {'NULL' if value is None else written(value)})" for at, value in enumerate(values))
        database.run(
            f"CREATE TABLE {name} (id int, c {of} NULL)", f"INSERT INTO {name} VALUES {rows}",
            *([f"ANALYZE {name}"] if analysed and kind == "postgresql" else []),
        )  # fmt: skip
        config = JdbcConfig.model_validate(
            database.config | {"table": name, "partitions": {"column": "c", "number": number}}
        )
        config = at_home(config, Path())
        types = dict(table(spark, config, ["1 = 1"], preferTimestampNTZ="true").dtypes)
        parts = divided(spark, config, types, "1 = 1", len(values))["partitions"]
        hits = " + ".join(f"(CASE WHEN {part} THEN 1 ELSE 0 END)" for part in parts)
        assert database.rows(f"SELECT id FROM {name} WHERE {hits} <> 1") == []
        assert len(parts) <= number
        database.run(f"DROP TABLE {name}")

    judged()


@pytest.fixture
def few(monkeypatch):
    """Let a part have ten rows."""
    monkeypatch.setattr(partitions, "PART_ROWS", 10)


def test_a_table_of_postgresql_is_divided_by_its_blocks_under_one_state(spark, databases, few):
    database = databases("postgresql")
    database.run(
        "CREATE TABLE chosen (id bigint PRIMARY KEY, note text)",
        "INSERT INTO chosen SELECT g - 500, repeat('x', 100) FROM generate_series(1, 1000) g",
    )
    bronze = Bronze(spark, database, table="chosen")
    assert len(bronze.land()) == 1000 and bronze.ids() == list(range(-499, 501))
    (batch,) = bronze.batches
    assert len(batch["partitions"]) == 4 and all("ctid" in each for each in batch["partitions"])
    assert (batch["snapshot"], batch["unique"]) == (True, True)
    assert bronze.land() is None
    assert len(Bronze(spark, database, table="chosen", connections=3).poll()["partitions"]) == 2
    alone = Bronze(spark, database, table="chosen", connections=1).poll()
    assert (alone["partitions"], alone.get("snapshot")) == (["1 = 1"], None)
    assert len(Bronze(spark, database, table="chosen", partitions={"number": 7}).poll()["partitions"]) == 7


def test_a_view_is_divided_by_its_keys_values_and_a_later_window_by_its_own(spark, databases, few):
    database = databases("postgresql")
    database.run(
        "CREATE TABLE behind (id bigint, at timestamp)",
        "INSERT INTO behind SELECT g, timestamp '2026-01-01' + g * interval '1 minute' FROM generate_series(1, 100) g",
        "CREATE VIEW before_it AS SELECT * FROM behind",
    )
    bronze = Bronze(spark, database, table="before_it", keys=["id"], incremental={"by": "at"})
    assert len(bronze.land()) == 100
    assert ['"id"' in each for each in bronze.batches[0]["partitions"]] == [True] * 4
    database.run(
        "INSERT INTO behind SELECT 100 + g, timestamp '2026-01-02' + g * interval '1 minute'"
        " FROM generate_series(1, 25) g"
    )
    assert sorted(row["id"] for row in bronze.land()) == list(range(101, 126))
    assert len(bronze.batches[1]["partitions"]) == 3


def test_mariadb_is_divided_where_a_watermark_leaves_out_what_changes(spark, databases, few):
    database = databases("mariadb")
    rows = ", ".join(f"('k{number}', '2026-01-01 00:00:{number:02d}')" for number in range(50))
    database.run(
        "CREATE TABLE keyed (id varchar(10) PRIMARY KEY, at datetime)", f"INSERT INTO keyed VALUES {rows}",
    )  # fmt: skip
    compared = Bronze(spark, database, table="keyed").poll()
    assert compared["partitions"] == ["1 = 1"] and compared["unique"]
    bronze = Bronze(spark, database, table="keyed", incremental={"by": "at"})
    assert len(bronze.land()) == 50 and len(set(bronze.ids())) == 50
    parts = bronze.batches[0]["partitions"]
    assert len(parts) == 4 and all("CRC32(`id`)" in each for each in parts)


@pytest.mark.parametrize("value", ["'NaN'", "'infinity'"])
def test_edges_that_are_no_numbers_leave_one_part(spark, databases, few, value):
    database, name = databases("postgresql"), f"odd_{next(_names)}"
    database.run(
        f"CREATE TABLE {name} (id bigint, c double precision)",
        f"INSERT INTO {name} SELECT g, g FROM generate_series(1, 40) g", f"INSERT INTO {name} VALUES (99, {value})",
    )  # fmt: skip
    bronze = Bronze(spark, database, table=name, partitions={"column": "c", "number": 3})
    assert len(bronze.land()) == 41
    assert bronze.batches[0]["partitions"] == ["1 = 1"]
