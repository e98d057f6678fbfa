"""A whole table compared by its keys: rows that are new, changed, gone and back again, each once."""

import pytest

from lakeloom.core.errors import LakeloomError
from tests.sources.jdbc.bronze import Bronze


def done(rows):
    return sorted((row["id"], row["name"], row["op"]) for row in rows)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_what_is_new_changed_gone_and_back_is_told_once(spark, databases, kind):
    database = databases(kind)
    database.run(
        "CREATE TABLE people (id bigint, region varchar(5) NULL, name varchar(20), age int)",
        "INSERT INTO people VALUES (1, 'x', 'ann', 30), (1, NULL, 'bo', 31), (2, 'x', 'cy', NULL)",
    )
    bronze = Bronze(spark, database, table="people", keys=["id", "region"], deletes="op")
    assert done(bronze.land()) == [(1, "ann", "insert"), (1, "bo", "insert"), (2, "cy", "insert")]
    assert bronze.land() is None
    database.run(
        "DELETE FROM people WHERE region IS NULL", "UPDATE people SET age = 7 WHERE id = 2",
        "INSERT INTO people VALUES (3, 'y', 'di', 1)",
    )  # fmt: skip
    assert done(bronze.land()) == [(1, "bo", "delete"), (2, "cy", "update"), (3, "di", "insert")]
    assert bronze.land() is None
    database.run("INSERT INTO people VALUES (1, NULL, 'bo', 31)")  # as it was before it went
    assert done(bronze.land()) == [(1, "bo", "insert")]
    database.run("DELETE FROM people")
    assert [word for *_, word in done(bronze.land())] == ["delete"] * 4
    assert bronze.land() is None
    records = [(row["_position"]["epoch"], row["_position"]["record"]) for row in bronze.frame.collect()]
    assert len(set(records)) == len(records)


def test_columns_that_come_and_go_are_no_deletions(spark, databases):
    database = databases("postgresql")
    database.run("CREATE TABLE grown (id int PRIMARY KEY, a text)", "INSERT INTO grown VALUES (1, 'x'), (2, 'y')")
    first = Bronze(spark, database, table="grown", keys=["id"], deletes="op")
    first.land()
    database.run("ALTER TABLE grown ADD COLUMN b int", "DELETE FROM grown WHERE id = 2")
    told = sorted((row["id"], row["op"], row["b"]) for row in first.land(grown=True))
    assert told == [(1, "update", None), (2, "delete", None)]


@pytest.mark.parametrize(
    ("more", "code"),
    [({"keys": ["a"]}, "LL-SOURCE-003"), ({"deletes": "A"}, "LL-SOURCE-003"), ({"deletes": "a b"}, "LL-CONF-014")],
)
def test_keys_of_several_rows_and_words_that_do_not_serve_are_refused(spark, databases, more, code):
    database = databases("postgresql")
    database.run(
        "DROP TABLE IF EXISTS doubled", "CREATE TABLE doubled (id int, a text)",
        "INSERT INTO doubled VALUES (1, 'x'), (2, 'x')",
    )  # fmt: skip
    with pytest.raises(LakeloomError) as caught:
        Bronze(spark, database, **({"table": "doubled", "keys": ["id"], "deletes": "op"} | more)).land()
    assert caught.value.code == code
    assert "'x'" not in str(caught.value)
