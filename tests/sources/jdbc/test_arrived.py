"""A batch tells when the first of its new rows arrived, where the watermark is an instant."""

from datetime import UTC, datetime

import pytest

from tests.sources.jdbc.bronze import Bronze


@pytest.mark.parametrize(("kind", "column", "known"), [("postgresql", "timestamptz", True), ("postgresql", "timestamp", False), ("mariadb", "timestamp(6)", True)])  # fmt: skip
def test_the_first_new_row_counts(spark, databases, kind, column, known):
    database = databases(kind)
    database.run("DROP TABLE IF EXISTS stamped", f"CREATE TABLE stamped (id int, at {column} NULL)")
    utc = "+00" if column == "timestamptz" else ""
    bronze = Bronze(spark, database, table="stamped", keys=["id"], incremental={"by": "at", "overlap": "1 minute"})
    for number, minute in enumerate((0, 5, 3)):  # the third lies before what landed with the second
        database.run(f"INSERT INTO stamped VALUES ({number}, '2026-01-05 10:{minute:02d}:00.25{utc}')")
        if number != 1:
            bronze.land()
    first, second = (batch["first_new"] for batch in bronze.batches)
    assert first is None  # what lay there before nobody has waited for
    if known:
        assert datetime.fromisoformat(second) == datetime(2026, 1, 5, 10, 3, 0, 250000, UTC)
    else:
        assert second is None
