"""Days that are delivered anew: what was replaced never comes back, in a build from scratch or after a repair."""

import pytest

from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, fix
from lakeloom.flow.replaying import replay
from lakeloom.store import refs
from tests.flow.stream import Stream

COLUMNS = {"day": "string", "v": "string", "at": "timestamp", "told": "int"}
TABLES = """\
tables:
  silver.days: &table
    from: {bronze.changes: new}
    sql: select cast(day as date) as day, v, at, told, _position from bronze.changes
    write: {mode: replace, by: [day], partition_by: [day]}
    columns: {day: date, v: string, at: timestamp, told: int}
    rules: [{column: v, expect: in_set, values: [a, b, c, d, e]}]
  silver.told:
    <<: *table
    sql: select cast(day as date) as day, v, at, told from bronze.changes
    write: {mode: replace, by: [day], sequence_by: told}
"""
BOTH = ("silver.days", "silver.told")


def row(day, value, told, hour=6):
    return {"day": f"2026-01-0{day}", "v": value, "at": f"2026-01-0{day} {hour:02d}:00:00", "told": told}


def placeless(inputs):
    return inputs["bronze.changes"].selectExpr("cast(day as date) as day", "v", "at", "told")


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return lambda columns, tables: Stream(tmp_path, columns, tables)


@pytest.fixture
def days(stream):
    """Give three deliveries: days 1 and 2, day 2 anew (its sixth hour and its eighteenth), and an old one of day 1."""
    made = stream(COLUMNS, TABLES)
    made.drop(row(1, "a", 5), row(2, "a", 5), row(2, "b", 5))
    made.done()
    made.drop(row(2, "c", 6), row(2, "d", 6, 18))
    made.done()
    return made


def held(made, table):
    return [(day.day, v) for day, v in made.table(table, "day", "v")]


def test_a_build_from_scratch_gives_what_the_deliveries_gave_one_by_one(days):
    assert held(days, "silver.days") == held(days, "silver.told") == [(1, "a"), (2, "c"), (2, "d")]
    days.done(*BOTH, full_refresh=True)
    assert held(days, "silver.days") == held(days, "silver.told") == [(1, "a"), (2, "c"), (2, "d")]


def test_a_delivery_that_comes_late_replaces_by_landing_and_not_by_its_own_place(days):
    days.drop(row(1, "e", 4))
    days.done()
    assert held(days, "silver.days") == [(1, "e"), (2, "c"), (2, "d")]
    assert held(days, "silver.told") == [(1, "a"), (2, "c"), (2, "d")]
    days.done(*BOTH, full_refresh=True)
    assert held(days, "silver.days") == [(1, "e"), (2, "c"), (2, "d")]
    assert held(days, "silver.told") == [(1, "a"), (2, "c"), (2, "d")]


def test_a_row_put_right_in_its_old_place_does_not_stand_for_its_whole_day(days, tmp_path):
    days.drop(row(3, "a", 7), row(3, "b", 7) | {"told": "kestrel"}, row(2, "z", 7))
    days.done()
    assert held(days, "silver.days") == [(1, "a"), (2, "c"), (2, "d"), (3, "a")]
    place = tmp_path / "right.jsonl"
    place.write_text('{"day": "2026-01-03", "v": "b", "at": "2026-01-03 06:00:00", "told": 7}\n')
    fix(days.project(), "bronze.changes", Choice(), Change(file=place))
    assert replay(days.project(), "bronze.changes", Choice()).exit_code == 0
    reasons = {name: step.reason for name, step in days.done().items()}
    assert "put right" in reasons["silver.days"]
    whole = [(1, "a"), (2, "c"), (2, "d"), (3, "a"), (3, "b")]
    assert held(days, "silver.days") == held(days, "silver.told") == whole
    # So does one that is put right in quarantine.
    fix(days.project(), "silver.told", Choice(), Change(sets=("v = 'e'",)))
    assert replay(days.project(), "silver.told", Choice()).exit_code == 0
    assert held(days, "silver.told") == [(1, "a"), (2, "e"), (3, "a"), (3, "b")]
    assert refs.good(days.lake)["silver.told"] == days.lake.version("silver.told")


def test_without_an_order_of_deliveries_check_refuses_and_so_does_a_run_whose_columns_only_it_knows(stream):
    sql = "sql: select cast(day as date) as day, v, at, told, _position from bronze.changes"
    made = stream(COLUMNS, TABLES.replace(sql, sql.replace(", _position", "")))
    found = [(each.code, each.message) for each in made.findings()]
    assert found == [("LL-TABLE-010", "nothing says which of two deliveries of day is the newer")]
    made.declare(TABLES.partition("  silver.told")[0].replace(sql, "function: tests.flow.test_replacing:placeless"))
    made.drop(row(1, "a", 5))
    step = next(each for each in made.run().steps if each.name == "silver.days")
    assert (step.status, step.error["code"]) == ("failed", "LL-TABLE-010")
