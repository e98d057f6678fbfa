"""The kind ``jdbc`` against servers of PostgreSQL and MariaDB, and SQLite: types, watermarks, partitions, refusals."""

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.sources.jdbc import Jdbc, JdbcConfig
from tests import servers
from tests.sources.jdbc.bronze import CLOCK, Bronze

POSTGRESQL = {
    "bigint": ("9223372036854775807", 9223372036854775807),
    "numeric(38,10)": ("12345678901234567890.0123456789", Decimal("12345678901234567890.0123456789")),
    # Without a length, and longer than Spark's decimals: kept as text, digit for digit.
    "numeric": ("1.23456789012345678901234567890", "1.23456789012345678901234567890"),
    "numeric(50,2)": ("123456789012345678901234567890123456789012345678.25", "123456789012345678901234567890123456789012345678.25"),
    "double precision": ("0.1", 0.1), "boolean": ("true", True), "date": ("'2026-01-05'", date(2026, 1, 5)),
    "timestamp": ("'2026-01-05 10:00:00.123456'", datetime(2026, 1, 5, 10, 0, 0, 123456)),
    "timestamptz": ("'2026-01-05 10:00:00.123456+02'", datetime(2026, 1, 5, 8, 0, 0, 123456)),
    "time": ("'23:59:59.5'", "23:59:59.5"), "text": ("'ü''漢'", "ü'漢"), "varchar(10)": ("'x'", "x"),
    "char(5)": ("'ab'", "ab   "), "bytea": (r"'\x00ff'", bytearray(b"\x00\xff")),
    "uuid": ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "jsonb": ("""'{"a": [1, null]}'""", '{"a": [1, null]}'), "int[]": ("'{1,null,3}'", [1, None, 3]),
    "json": ("""'{"a": 1}'""", '{"a": 1}'), "text[]": ("""'{a,null,"b,c"}'""", ["a", None, "b,c"]),
    "numeric(10,2)[]": ("'{1.25,null}'", [Decimal("1.25"), None]), "int[][]": ("'{{1,2},{3,4}}'", [[1, 2], [3, 4]]),
    "numeric[]": ("'{1.123456789012345678901234567890}'", "{1.123456789012345678901234567890}"),
    "uuid[]": ("'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    "timestamptz[]": ("'{2026-01-05 10:00:00+02}'", [datetime(2026, 1, 5, 8)]), "timetz": ("'10:00:00+02'", "10:00:00+02"),
    "money": ("'12.50'", "$12.50"), "oid": ("4294967295", Decimal("4294967295")), "int4range": ("'[1,5)'", "[1,5)"),
    "xml": ("'<a/>'", "<a/>"), "bit varying(8)": ("B'101'", "101"), "smallint": ("-32768", -32768),
    "mood": ("'ok'", "ok"), "inet": ("'10.0.0.1'", "10.0.0.1"), "interval": ("'1 day 2 hours'", "1 day 02:00:00"),
}  # fmt: skip
MARIADB = {
    "tinyint unsigned": ("255", 255), "smallint unsigned": ("65535", 65535), "mediumint unsigned": ("16777215", 16777215),
    "int unsigned": ("4294967295", 4294967295), "decimal(10,2) unsigned": ("12.25", Decimal("12.25")),
    "bit(8)": ("b'10101010'", "b'10101010'"), "float": ("16777216", 16777216.0), "inet6": ("'::1'", "::1"),
    "bigint unsigned": ("18446744073709551615", Decimal("18446744073709551615")), "tinyint(1)": ("7", 7),
    "boolean": ("true", 1), "decimal(38,10)": ("12345678901234567890.0123456789", Decimal("12345678901234567890.0123456789")),
    "decimal(65,30)": ("12345678901234567890.123456789012345678901234567890", "12345678901234567890.123456789012345678901234567890"),
    "double": ("0.1", 0.1), "date": ("'2026-01-05'", date(2026, 1, 5)), "year": ("2026", 2026),
    "datetime(6)": ("'2026-01-05 10:00:00.123456'", datetime(2026, 1, 5, 10, 0, 0, 123456)),
    "timestamp(6)": ("'2026-01-05 10:00:00.123456'", datetime(2026, 1, 5, 10, 0, 0, 123456)),
    "time": ("'-838:59:59'", "-838:59:59"), "text": ("'ü''漢'", "ü'漢"), "varchar(10)": ("'x'", "x"),
    "char(5)": ("'ab'", "ab"), "blob": ("x'00ff'", bytearray(b"\x00\xff")), "json": ("""'{"a": 1}'""", '{"a": 1}'),
    "enum('sad','ok')": ("'ok'", "ok"), "set('a','b')": ("'a,b'", "a,b"), "bit(1)": ("b'1'", True),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "types"), [("postgresql", POSTGRESQL), ("mariadb", MARIADB)])
def test_values_of_every_type_come_as_they_are_or_as_text(spark, databases, kind, types):
    database = databases(kind)
    columns = ", ".join(f"c{at} {kind}" for at, kind in enumerate(types))
    if kind == "postgresql":
        database.run("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    database.run(
        f"CREATE TABLE every_type (id bigint, {columns})",
        f"INSERT INTO every_type VALUES (1, {', '.join(sql for sql, _ in types.values())})",
        f"INSERT INTO every_type VALUES (2{', NULL' * len(types)})",
    )
    bronze = Bronze(spark, database, table="every_type", keys=["id"])
    first, second = sorted(bronze.land(), key=lambda row: row["id"])
    wrong = {
        kind: (first[f"c{at}"], wanted)
        for at, (kind, (_, wanted)) in enumerate(types.items())
        if first[f"c{at}"] != wanted
    }
    assert wrong == {}
    assert {second[f"c{at}"] for at in range(len(types))} == {None}
    assert bronze.land() is None
    database.run("ALTER TABLE every_type DROP COLUMN c0", "UPDATE every_type SET id = 3 WHERE id = 2")
    assert [row["id"] for row in Bronze(spark, database, table="every_type", keys=["id"]).land() if "c0" not in row]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize(
    ("column", "marks", "overlap"),
    [
        ("timestamp(6)", ["'2026-01-05 10:00:00.000001'", "'2026-01-05 10:00:00.000001'", "NULL", "'2026-01-05 10:30:00'"], "1 hour"),
        ("date", ["'2026-01-05'", "'2026-01-05'", "NULL", "'2026-01-06'"], "1 day"),
        ("bigint", ["7", "7", "NULL", "8"], 3),
        ("varchar(20)", ["'a'", "'a'", "NULL", "'b''c'"], 0),
        ("numeric(20,6)", ["7.5", "7.5", "NULL", "7.500001"], 1),
    ],
)  # fmt: skip
def test_ties_nulls_and_late_rows_of_a_watermark_come_once(spark, databases, kind, column, marks, overlap):
    database = databases(kind)
    if kind == "postgresql" and column.startswith("timestamp"):
        column = "timestamptz(6)"
    database.run(
        "DROP TABLE IF EXISTS marked", f"CREATE TABLE marked (id int, v text, mark {column} NULL)",
        *(f"INSERT INTO marked VALUES ({number}, 'x', {mark})" for number, mark in enumerate(marks[:3])),
    )  # fmt: skip
    bronze = Bronze(
        spark, database, table="marked", keys=["id"], incremental={"by": "mark", "overlap": overlap},
        partitions={"column": "id", "number": 3},
    )  # fmt: skip
    assert sorted(row["id"] for row in bronze.land()) == [0, 1, 2]
    assert bronze.land() is None
    # Of the same mark as the last one, a new one without a mark, and a later one.
    database.run(
        f"INSERT INTO marked VALUES (3, 'tie', {marks[0]})", "INSERT INTO marked VALUES (4, 'none', NULL)",
        f"INSERT INTO marked VALUES (5, 'later', {marks[3]})",
    )  # fmt: skip
    landed = sorted(row["id"] for row in bronze.land())
    assert landed == ([3, 4, 5] if overlap else [4, 5])  # without an overlap a tie that comes late is not looked for
    database.run("UPDATE marked SET v = 'other' WHERE id = 4")
    assert [(row["id"], row["v"]) for row in bronze.land()] == [(4, "other")]
    assert bronze.land() is None


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize("column", ["id", "day", "at"])
def test_partitions_leave_no_gap_and_take_no_row_twice(spark, databases, kind, column):
    database = databases(kind)
    database.run(
        "DROP TABLE IF EXISTS parted", "CREATE TABLE parted (id int, day date, at timestamp NULL)",
        *(f"INSERT INTO parted VALUES ({number}, '2026-01-{1 + number % 28:02d}', '2026-01-05 10:00:{number % 60:02d}')"
          for number in range(50)),
        "INSERT INTO parted VALUES (NULL, NULL, NULL)",
    )  # fmt: skip
    bronze = Bronze(spark, database, table="parted", partitions={"column": column, "number": 7})
    assert len(bronze.land()) == 51 and len(bronze.batches[0]["partitions"]) == 7
    assert sorted(row["id"] for row in bronze.frame.collect() if row["id"] is not None) == list(range(50))


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_names_of_columns_are_quoted_and_never_read_as_values(spark, databases, kind):
    database, quote = databases(kind), '"' if kind == "postgresql" else "`"
    named = f"{quote}select{quote} text, {quote}Two Words{quote} text, {quote}ü%{quote} text"
    database.run("DROP TABLE IF EXISTS odd", f"CREATE TABLE odd ({named})", "INSERT INTO odd VALUES ('a', 'b', 'c')")
    (row,) = Bronze(spark, database, table="odd").land()
    assert [value for name, value in row.items() if not name.startswith("_")] == ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_what_a_server_refuses_is_coded_and_shows_neither_user_nor_password(spark, databases, kind):
    database = databases(kind)

    def error(**more):
        config = JdbcConfig.model_validate(database.config | {"table": "nothing"} | more)
        with pytest.raises(LakeloomError) as caught:
            Jdbc.poll(config, [], CLOCK, lambda: spark, Path())
        assert not any(word in str(caught.value) for word in ("loom-", "4711", "'loom'", "127.0.0.1"))
        return caught.value.code, caught.value.transient

    assert error(password="wrong-4711") == ("LL-SOURCE-002", False)
    assert error() == ("LL-SOURCE-004", False)
    assert error(url=re.sub(r":\d+/", ":9/", database.url)) == ("LL-SOURCE-001", True)


def test_a_type_that_spark_does_not_read_is_named_and_a_query_casts_it(spark, databases):
    database, value = databases("mariadb"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    database.run("CREATE TABLE named (id int, u uuid)", f"INSERT INTO named VALUES (1, '{value}')")
    with pytest.raises(LakeloomError) as caught:
        Bronze(spark, database, table="named").land()
    assert (caught.value.code, "uuid" in caught.value.message) == ("LL-SOURCE-004", True)
    (row,) = Bronze(spark, database, query="SELECT id, CAST(u AS CHAR) AS u FROM named").land()
    assert row["u"] == value


def test_sqlite_is_read_as_its_columns_are_declared(spark, tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "fleet.db") as made:
        made.execute(
            "CREATE TABLE planes (id INTEGER, name TEXT, seats INT, price DECIMAL(10,2), big BIGINT, ok BOOLEAN)"
        )
        made.execute(
            "INSERT INTO planes VALUES (1, 'ü', 7, 12.5, 9007199254740993, 1), (2, NULL, NULL, NULL, NULL, NULL)"
        )
    database = servers.Database(spark, f"jdbc:sqlite:{tmp_path / 'fleet.db'}", "org.sqlite.JDBC")
    bronze = Bronze(spark, database, table="planes", keys=["id"])
    first, second = sorted(bronze.land(), key=lambda row: row["id"])
    assert (first["name"], int(first["seats"]), first["big"]) == ("ü", 7, 9007199254740993)
    assert (second["name"], second["seats"]) == (None, None)
