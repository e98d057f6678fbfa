"""Sources that disagree, against a model in plain Python: who is believed, and what the others said."""

import random

import pytest
from pydantic import ValidationError

from lakeloom.core.errors import TableError
from lakeloom.tables.resolve import ResolveSpec, counted, resolve

SOURCES = {"silver.crm": {"name": "crm", "newer_by": "at"}, "silver.shop": {"name": "shop", "newer_by": "at"},
           "silver.club": {"name": "club", "newer_by": "at"}}  # fmt: skip
COLUMNS = {
    "email": {"by": "priority", "order": ["shop"]},
    "city": "newest",
    "name": "complete",
    "phone": {"expression": "coalesce(club.phone, crm.phone, 'none')"},
}
NAMES = ["crm", "shop", "club"]
KINDS = {"crm": "int", "shop": "int", "club": "int"}


def spec(**more):
    return ResolveSpec.model_validate({"sources": SOURCES, "columns": COLUMNS, "losers": "silver.losers"} | more)


def rows_of(chance, keys):
    """Return source → its rows; a key may stand there twice, and then the newer row counts."""
    found = {name: [] for name in NAMES}
    for key in range(keys):
        for name in NAMES:
            for at in chance.sample(range(9), chance.choice([0, 1, 1, 2])):
                values = [chance.choice([None, f"{name}{value}", "same"]) for value in range(4)]
                found[name].append((key, at, *values))
    return found


def winner_of(column, said, ats, filled):
    """Return the source that the model believes; `said` holds those that say something, in the order of priority."""
    if column == "email":
        return next((name for name in ["shop", "crm", "club"] if name in said), None)
    rank = ats if column == "city" else filled
    return max(said, key=lambda name: (rank[name], -NAMES.index(name)), default=None)


def test_every_column_is_decided_as_the_model_does_and_what_lost_is_kept(spark):
    data = rows_of(random.Random(3), 200)
    schema = "id int, at int, email string, city string, name string, phone string"
    inputs = {f"silver.{name}": spark.createDataFrame(rows, schema) for name, rows in data.items()}
    found = resolve(inputs, spec(), ["id"], ["id", "email", "city", "name", "phone"])
    got = {row["id"]: row.asDict() for row in found.rows.collect()}
    lost = {
        (r["id"], r["column"], r["loser"]): (r["winner"], r["winning"], r["losing"]) for r in found.losers.collect()
    }
    newest = {name: {} for name in NAMES}
    for name, rows in data.items():
        for row in sorted(rows, key=lambda row: row[1]):
            newest[name][row[0]] = row
    wanted_lost = {}
    for key in {row[0] for rows in data.values() for row in rows}:
        here = {name: newest[name][key] for name in NAMES if key in newest[name]}
        ats = {name: row[1] for name, row in here.items()}
        filled = {name: sum(value is not None for value in row[2:]) for name, row in here.items()}
        for place, column in enumerate(["email", "city", "name", "phone"], 2):
            said = {name: row[place] for name, row in here.items() if row[place] is not None}
            if column == "phone":
                value = said.get("club") or said.get("crm") or "none"
                winner = next((name for name in NAMES if said.get(name) == value), None)
            else:
                winner = winner_of(column, said, ats, filled)
                value = said.get(winner)
            assert got[key][column] == value, (key, column)
            wanted_lost |= {
                (key, column, name): (winner, value, other) for name, other in said.items() if other != value
            }
    assert lost == wanted_lost and lost
    assert sum(each["rows"] for each in counted(found.losers)) == len(lost)


def test_a_source_may_lack_columns_and_tell_newer_rows_by_another_type(spark):
    inputs = {
        "silver.crm": spark.sql("select 1 as id, timestamp'2026-01-02 10:00:00' as at, 'Oslo' as city"),
        "silver.shop": spark.sql(
            "select 1 as id, timestamp'2026-01-02 09:59:59.5' as at, 'Rome' as city, 'x' as email"
        ),
    }
    some = {name: SOURCES[name] for name in inputs}
    found = resolve(
        inputs, ResolveSpec.model_validate({"sources": some, "otherwise": "newest"}), ["id"], ["city", "email"]
    )
    assert [tuple(row) for row in found.rows.collect()] == [(1, "Oslo", "x")]


@pytest.mark.parametrize("older, newer", [
    ("9.5D", "10.0D"), ("-10.25", "-9.5"), ("9", "9.5"), ("9.99999999999999999", "10"), ("-1L", "0.5F"),
    ("-9223372036854775808L", "-9223372036854775807L"), ("double('NaN')", "-5"), ("1e30D", "1"),
])  # fmt: skip
def test_newer_is_by_number_whatever_its_type(spark, older, newer):
    inputs = {
        "silver.crm": spark.sql(f"select 1 as id, {older} as at, 'Oslo' as city"),
        "silver.shop": spark.sql(f"select 1 as id, {newer} as at, 'Rome' as city"),
    }
    some = {name: SOURCES[name] for name in inputs}
    declared = ResolveSpec.model_validate({"sources": some, "otherwise": "newest"})
    assert [row.city for row in resolve(inputs, declared, ["id"], ["city"]).rows.collect()] == ["Rome"]


@pytest.mark.parametrize("first, second, kind, said", [
    ("19", "cast(19.50 as decimal(12,2))", "decimal(12,2)", "19.50"),
    ("7", "5000000000", "bigint", "5000000000"),
    ("cast(1.5 as decimal(3,1))", "100", "decimal(11,1)", "100.0"),
    ("7", "'a dozen'", "string", "a dozen"),
    ("date'2026-01-01'", "timestamp'2026-01-01 10:00:00'", "timestamp", "2026-01-01 10:00:00"),
])  # fmt: skip
def test_sources_of_several_types_meet_in_one_that_holds_what_each_says(spark, first, second, kind, said):
    inputs = {
        "silver.crm": spark.sql(f"select 1 as id, 1 as at, {first} as a"),
        "silver.shop": spark.sql(f"select 1 as id, 2 as at, {second} as a"),
    }
    some = {name: SOURCES[name] for name in inputs}
    for order in (some, dict(reversed(some.items()))):
        declared = ResolveSpec.model_validate({"sources": order, "otherwise": "newest"})
        rows = resolve(inputs, declared, ["id"], ["a"]).rows
        assert rows.dtypes == [("id", "int"), ("a", kind)]
        assert [row.a for row in rows.selectExpr("cast(a as string) as a").collect()] == [said]


def test_what_was_not_taken_keeps_all_its_digits(spark):
    inputs = {
        "silver.crm": spark.sql("select 1 as id, 1 as at, 12345678901234567890.10BD as a"),
        "silver.shop": spark.sql("select 1 as id, 2 as at, 2.50BD as a"),
    }
    declared = ResolveSpec.model_validate({"sources": {name: SOURCES[name] for name in inputs}})
    (lost,) = resolve(inputs, declared, ["id"], ["a"]).losers.collect()
    assert (lost.winning, lost.losing) == ("12345678901234567890.10", "2.50")


def test_sources_whose_types_never_meet_are_refused(spark):
    inputs = {
        "silver.crm": spark.sql("select 1 as id, 1 as at, array(1) as a"),
        "silver.shop": spark.sql("select 1 as id, 2 as at, 7 as a"),
    }
    declared = ResolveSpec.model_validate({"sources": {name: SOURCES[name] for name in inputs}})
    with pytest.raises(TableError, match=r"a is array<int> in silver\.crm and int in silver\.shop"):
        resolve(inputs, declared, ["id"], ["a"])


def test_what_is_missing_is_named(spark):
    inputs = {"silver.crm": spark.sql("select 1 as id"), "silver.shop": spark.sql("select 1 as id, 2 as at")}
    some = {name: SOURCES[name] for name in inputs}
    with pytest.raises(TableError, match=r"silver\.crm has no at"):
        resolve(inputs, ResolveSpec.model_validate({"sources": some}), ["id"], ["city"])
    plain = {name: {"name": name[7:]} for name in inputs}
    with pytest.raises(TableError, match="no source has city"):
        resolve(inputs, ResolveSpec.model_validate({"sources": plain}), ["id"], ["city"])


@pytest.mark.parametrize("wrong", [
    {"columns": {"a": {"by": "priority", "order": ["nobody"]}}},
    {"columns": {"a": {"by": "newest", "expression": "crm.a"}}},
    {"columns": {"a": {"expression": "rand()"}}},
    {"sources": {"silver.a": {"name": "a"}}, "otherwise": "newest"},
    {"sources": {"silver.a": {"name": "a"}, "silver.b": {"name": "a"}}},
])  # fmt: skip
def test_a_resolution_that_can_not_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        spec(**({"columns": {}} | wrong))
