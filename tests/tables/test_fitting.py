"""What is inside a column is held to the contract as columns are: nothing is dropped, nothing takes another's place."""

import json

import pytest

from lakeloom.core.errors import TableError
from lakeloom.tables.contract import conform
from lakeloom.tables.spec import TableSpec

SMALL = {"place": "struct<street:string,no:int>"}
# The same struct as it comes: fields in another order, one more, and numbers that may not fit.
PLACE = "named_struct('no', {no}, 'zip', {zip}, 'street', 's')"


def spec(columns, **more):
    return TableSpec.model_validate({"from": {"bronze.t": "new"}, "sql": "select 1", "columns": columns} | more)


def made(spark, value, columns, **more):
    return conform(spark.sql(f"select {value}"), "silver.t", spec(columns, **more))


def one(spark, value, columns, **more):
    frame = made(spark, value, columns, **more)
    (row,) = frame.collect()
    return dict(frame.dtypes), row.asDict(recursive=True)


def refused(spark, value, columns, **more):
    with pytest.raises(TableError) as caught:
        made(spark, value, columns, **more)
    assert caught.value.code == "LL-TABLE-004"
    return caught.value.message


def test_a_field_that_is_not_declared_is_refused_by_its_path(spark):
    value = PLACE.format(no=1, zip="'z'")
    assert refused(spark, f"{value} as place, 1 as more", SMALL).endswith("place.zip, more not declared")
    assert "items.element.zip not declared" in refused(
        spark, f"array({value}) as items", {"items": "array<struct<street:string,no:int>>"}
    )
    assert "by_day.value.element.zip not declared" in refused(
        spark, f"map('x', array({value})) as by_day", {"by_day": "map<string,array<struct<street:string,no:int>>>"}
    )
    message = refused(spark, f"{PLACE.format(no='1L', zip=0)} as place", SMALL)
    assert "place.no is bigint, the contract says int" in message and "place.zip not declared" in message


def test_a_field_may_be_added_behind_those_of_the_contract(spark):
    types, row = one(spark, f"{PLACE.format(no=1, zip=7)} as place", SMALL, evolve="add")
    assert types["place"] == "struct<street:string,no:int,zip:int>"
    assert row["place"] == {"street": "s", "no": 1, "zip": 7}


def test_a_column_decides_for_what_is_inside_it(spark):
    columns = {"place": {"type": SMALL["place"], "evolve": "add"}, "other": SMALL["place"]}
    value = PLACE.format(no=1, zip=7)
    assert refused(spark, f"{value} as place, {value} as other", columns).endswith("t: other.zip not declared")


@pytest.mark.parametrize(
    ("value", "kind", "kept", "rescued"),
    [
        ("{place}", "{small}", {"street": "s", "no": 1}, {"zip": "z"}),
        ("array({place}, null)", "array<{small}>", [{"street": "s", "no": 1}, None], ["z", None]),
        ("map('x', {place}, 'y', null)", "map<string,{small}>", {"x": {"street": "s", "no": 1}, "y": None}, {"x": "z"}),
        ("named_struct('a', array({place}))", "struct<a:array<{small}>>", {"a": [{"street": "s", "no": 1}]}, ["z"]),
    ],
)  # fmt: skip
def test_a_field_is_rescued_under_its_path(spark, value, kind, kept, rescued):
    value, kind = value.format(place=PLACE.format(no=1, zip="'z'")), kind.format(small=SMALL["place"])
    types, row = one(spark, f"{value} as v", {"v": kind}, evolve="rescue")
    assert (types["v"], row["v"]) == (kind, kept)
    ((path, told),) = json.loads(row["_rescued"]).items()
    assert path.startswith("v.") and path.endswith("zip")
    assert told == (rescued["zip"] if path == "v.zip" else rescued)


def test_nothing_is_rescued_where_nothing_is_there(spark):
    for value in (PLACE.format(no=1, zip="cast(null as int)"), f"if(false, {PLACE.format(no=1, zip=1)}, null)"):
        for columns, wrapped in ((SMALL, value), ({"place": f"array<{SMALL['place']}>"}, f"array({value})")):
            assert one(spark, f"{wrapped} as place", columns, evolve="rescue")[1]["_rescued"] is None


def test_a_field_that_is_missing_is_null_and_a_null_stays_one(spark):
    columns = {"a": "struct<x:int,y:struct<z:string>>", "b": "array<struct<x:int,y:int>>"}
    value = "named_struct('x', 1) as a, array(named_struct('y', 2), null) as b"
    types, row = one(spark, value, columns)
    assert types == columns
    assert row == {"a": {"x": 1, "y": None}, "b": [{"x": None, "y": 2}, None]}
    assert one(spark, "if(false, named_struct('x', 1), null) as a, null as b", columns)[1] == {"a": None, "b": None}
    message = refused(spark, "named_struct('x', 1) as a", {"a": "struct<x:int,y:int not null>"})
    assert "a.y is missing" in message


def test_types_inside_are_widened_where_delta_can(spark):
    value = f"{PLACE.format(no='1L', zip=7)} as place, array(2L) as counts"
    columns = SMALL | {"counts": "array<int>"}
    types, row = one(spark, value, columns, evolve="widen")
    assert types == {"place": "struct<street:string,no:bigint,zip:int>", "counts": "array<bigint>"}
    assert row == {"place": {"street": "s", "no": 1, "zip": 7}, "counts": [2]}


@pytest.mark.parametrize("evolve", ["add", "rescue"])
def test_values_inside_are_looked_at_one_by_one(spark, evolve):
    columns = {"place": "struct<no:int>", "counts": "array<int>", "by_day": "map<string,decimal(3,1)>"}
    value = "named_struct('no', {}) as place, array('1', {}, null) as counts, map('x', {}, 'y', '2') as by_day"
    types, row = one(spark, value.format("'7'", "'8'", "'9.5'"), columns, evolve=evolve)
    assert {name: types[name] for name in columns} == columns
    assert (row["place"], row["counts"]) == ({"no": 7}, [1, 8, None])
    assert [str(each) for each in row["by_day"].values()] == ["9.5", "2.0"]
    types, row = one(spark, value.format("'seven'", f"'{2**40}'", "'9.55'"), columns, evolve=evolve)
    assert {name: types[name] for name in columns} == columns
    assert (row["place"], row["counts"]) == ({"no": None}, [1, None, None])
    if evolve == "add":
        assert row["_faults"] == ["contract:place.no", "contract:counts.element", "contract:by_day.value"]
    else:
        assert json.loads(row["_rescued"]) == {
            "place.no": "seven", "counts.element": [None, str(2**40), None], "by_day.value": {"x": "9.55"},
        }  # fmt: skip


def test_what_has_nothing_in_common_is_refused_always(spark):
    for evolve in ("none", "add", "widen", "rescue"):
        for value, told in (
            ("1 as place", "place is int, the contract says struct<street:string,no:int>"),
            ("named_struct('street', array(1)) as place", "place.street is array<int>, the contract says string"),
        ):
            assert told in refused(spark, value, SMALL, evolve=evolve)
        assert "by.key is string, the contract says int" in refused(
            spark, "map('1', 1) as by", {"by": "map<int,int>"}, evolve=evolve
        )


def test_fields_are_the_same_whatever_their_case(spark):
    types, row = one(spark, "named_struct('NO', 1, 'Street', 's') as place", SMALL)
    assert (types["place"], row["place"]) == (SMALL["place"], {"street": "s", "no": 1})


def test_a_renamed_column_is_rescued_under_the_name_that_it_came_with(spark):
    columns = {"place": {"type": "struct<street:string>", "renamed_from": "old"}}
    _, row = one(spark, "named_struct('street', 's', 'zip', 'z') as old", columns, evolve="rescue")
    assert (row["place"], row["_rescued"]) == ({"street": "s"}, '{"old.zip":"z"}')


def test_a_type_that_spark_does_not_know_is_named(spark):
    assert "a is declared as array<foo>" in refused(spark, "array(1) as a", {"a": "array<foo>"})
