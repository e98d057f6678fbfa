"""A table of PostgreSQL that is compared as a whole: no change of a value goes unseen, and only changes are seen."""

import pytest

from lakeloom.sources.jdbc import fingerprint as module
from lakeloom.sources.jdbc.fingerprint import fingerprint
from tests.sources.jdbc.bronze import Bronze

# Type → values that differ in bronze, though PostgreSQL calls some of them equal.
CHANGES = {
    "boolean": ("true", "false", "NULL"),
    "smallint": ("0", "-1", "NULL"),
    "int": ("0", "-1", "NULL"),
    "bigint": ("0", "1", "NULL", "-1", "4294967295", "4294967297"),
    "double precision": ("0", "'-0'", "'NaN'", "NULL"),
    "real": ("0", "'-0'", "1", "NULL"),
    "numeric": ("1", "1.0", "1.00"),
    "numeric(12,2)": ("1", "1.01", "-1", "100", "0", "'NaN'", "NULL"),
    "text": ("''", "NULL", "'a'", "'A'"),
    'text COLLATE "blind"': ("'a'", "'A'"),
    "varchar(9)": ("'a'", "'a '"),
    "bpchar": ("'a'", "'a '"),
    "date": ("'2026-01-01'", "'infinity'"),
    "timestamptz": ("'2026-01-01 00:00Z'", "'2026-01-01 00:00:00.000001Z'"),
    "timestamp": ("'2000-01-01'", "'2000-01-01 01:11:34.967297'", "'infinity'", "NULL"),
    "uuid": ("'00000000-0000-0000-0000-000000000001'", "'01000000-0000-0000-0000-000000000000'", "NULL"),
    "interval": ("'1 day'", "'24 hours'"),
    "time": ("'24:00'", "'00:00'"),
    "json": ("'{\"a\":1}'", "'{\"a\": 1}'"),
    "int[]": ("'{1,NULL}'", "'{NULL,1}'", "'[0:1]={1,NULL}'"),
    "bit(3)": ("B'001'", "B'010'"),
    "money": ("'1.00'", "'1.01'"),
    "fruit": ("'pear'", "'fig'"),
    "bytea": ("'\\x00'", "'\\x0000'"),
}


@pytest.fixture
def kinds(databases):
    """Give a database with two equal columns of each type, in a table of two rows of NULLs."""
    database = databases("postgresql")
    columns = [f"c{at} {kind}, d{at} {kind}" for at, kind in enumerate(CHANGES)]
    database.run(
        "DROP TABLE IF EXISTS kinds", "DROP TYPE IF EXISTS fruit", "DROP COLLATION IF EXISTS blind",
        "CREATE TYPE fruit AS ENUM ('pear', 'fig')",
        "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        f"CREATE TABLE kinds (id int, {', '.join(columns)})", "INSERT INTO kinds VALUES (1), (2)",
    )  # fmt: skip
    return database


@pytest.mark.parametrize("hashes_rows_from", [14, 99], ids=["by the values", "by the text"])
def test_each_change_of_a_value_changes_it(spark, kinds, monkeypatch, hashes_rows_from):
    monkeypatch.setattr(module, "_HASHES_ROWS", hashes_rows_from)
    config = Bronze(spark, kinds, table="kinds").config
    names = [f"{side}{at}" for at in range(len(CHANGES)) for side in "cd"]
    types = {"id": "int"} | {
        name: "decimal(12,2)" if kind == "numeric(12,2)" else "string"
        for name, kind in zip(names, [kind for kind in CHANGES for _ in range(2)], strict=True)
    }
    sql = fingerprint(spark, config, types, "1 = 1")

    with kinds.connected() as connection:
        asking = connection.createStatement()
        for at, values in enumerate(CHANGES.values()):
            found = {}
            for value in values:
                # Within a row and between rows, a value that moves is a change too.
                for row, side in ((1, "c"), (1, "d"), (2, "c")):
                    asking.execute(
                        f"UPDATE kinds SET c{at} = NULL, d{at} = NULL;"
                        f"UPDATE kinds SET {side}{at} = {value} WHERE id = {row}"
                    )
                    answer = asking.executeQuery(f"SELECT {sql} FROM kinds")
                    answer.next()
                    found[(value, row, side) if value != "NULL" else "none"] = answer.getString(1)
            asking.execute(f"UPDATE kinds SET c{at} = NULL, d{at} = NULL")
            assert len(set(found.values())) == len(found), found


# Type → SQL of values that differ by a bit, a sign or a place, by which a hash that folds takes some for one.
EDGES = {
    "bigint": "SELECT s * ((1::bigint << a) + b * (1::bigint << c)) FROM {signs}, {bits} a, {bits} c, unnest('{{-1,0,1}}'::int[]) b",
    "int": "SELECT s * ((1 << a % 31) + b) FROM {signs}, {bits} a, unnest('{{-1,0}}'::int[]) b",
    "numeric(38,8)": "SELECT s * n * power(10::numeric, a % 16 - 7) FROM {signs}, {bits} a, generate_series(1, 99) n",
    "timestamp": "SELECT '2000-01-01'::timestamp + s * ((1::bigint << a % 52) + b) * interval '1 microsecond'"
    " FROM {signs}, {bits} a, unnest('{{-1,0,1}}'::int[]) b",
    "timestamptz": "SELECT '2000-01-01Z'::timestamptz + s * ((1::bigint << a % 52) + b) * interval '1 microsecond'"
    " FROM {signs}, {bits} a, unnest('{{-1,0,1}}'::int[]) b",
    "date": "SELECT '2000-01-01'::date + s * n FROM {signs}, generate_series(0, 9999) n",
    "double precision": "SELECT s * power(2::float8, a) * n FROM {signs}, {bits} a, generate_series(1, 99) n",
    "real": "SELECT (s * power(2::float8, a) * n)::real FROM {signs}, {bits} a, generate_series(1, 99) n",
}  # fmt: skip
PARTS = {"signs": "unnest('{1,-1}'::int[]) s", "bits": "generate_series(0, 61)"}


@pytest.mark.parametrize("kind", EDGES)
def test_values_that_are_alike_in_all_but_little_are_told_apart(spark, databases, kind):
    database = databases("postgresql")
    database.run(
        "DROP TABLE IF EXISTS edges",
        f"CREATE TABLE edges AS SELECT DISTINCT v::{kind} AS v FROM ({EDGES[kind].format(**PARTS)}) x (v)",
    )
    config = Bronze(spark, database, table="edges").config
    sql = fingerprint(spark, config, {"v": "decimal(38,8)" if "numeric" in kind else "string"}, "1 = 1")
    ((rows, different),) = database.rows(
        f"SELECT count(*), count(DISTINCT print) FROM (SELECT {sql} AS print FROM edges GROUP BY v) prints"
    )
    assert int(rows) == int(different) > 100


def test_rows_that_lie_elsewhere_are_no_change_and_rows_that_come_and_go_are(spark, kinds):
    first, second = (f"c{list(CHANGES).index(kind)}" for kind in ("text", "varchar(9)"))
    bronze = Bronze(spark, kinds, table="kinds", columns=["id", first, second])
    kinds.run(f"UPDATE kinds SET {first} = 'left', {second} = 'right' WHERE id = 1")
    bronze.land()
    kinds.run("UPDATE kinds SET c0 = true", "VACUUM FULL kinds")
    assert bronze.poll() is None
    kinds.run("INSERT INTO kinds (id) VALUES (2)")
    assert bronze.poll() is not None
    kinds.run("DELETE FROM kinds WHERE ctid = (SELECT max(ctid) FROM kinds)")
    assert bronze.poll() is None
    kinds.run(f"UPDATE kinds SET {first} = {second}, {second} = {first}")
    assert bronze.poll() is not None


PARALLEL = ("parallel_setup_cost=0", "parallel_tuple_cost=0", "min_parallel_table_scan_size=0",
            "parallel_leader_participation=off")  # fmt: skip


def test_the_database_measures_with_more_than_one_process(spark, databases):
    """As it would not if the answer were fetched in portions: each row that the asking process reads is an error."""
    database = databases("postgresql")
    database.run(
        "DROP TABLE IF EXISTS many",
        "CREATE TABLE many AS SELECT id, md5(id::text) AS note FROM generate_series(1, 20000) id",
        "CREATE OR REPLACE FUNCTION by_a_worker() RETURNS boolean PARALLEL SAFE LANGUAGE plpgsql AS $$ BEGIN"
        " IF (SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid()) <> 'parallel worker'"
        " THEN RAISE EXCEPTION 'not by a worker'; END IF; RETURN true; END $$",
    )
    told = {"options": " ".join(f"-c {each}" for each in PARALLEL)}
    bronze = Bronze(spark, database, table="many", where="by_a_worker()", properties=told)
    assert bronze.poll()["rows"] == 20_000
