"""What a table needs before it takes rows that have more, or wider, inside their columns; no Spark."""

import pytest

from lakeloom.core.errors import TableError
from lakeloom.store.evolve import changes


def struct(**fields):
    told = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in fields.items()]
    return {"type": "struct", "fields": told}


def array(of):
    return {"type": "array", "elementType": of, "containsNull": True}


def mapped(of, key="string"):
    return {"type": "map", "keyType": key, "valueType": of, "valueContainsNull": True}


OLD, NEW = struct(street="string", no="integer"), struct(zip=array("string"), No="long", street="string")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [(OLD, NEW, "`place`"), (array(OLD), array(NEW), "`place`.`element`"), (mapped(OLD), mapped(NEW), "`place`.`value`"),
     (mapped("string", OLD), mapped("string", NEW), "`place`.`key`"),
     (struct(a=array(mapped(OLD))), struct(a=array(mapped(NEW))), "`place`.`a`.`element`.`value`")],
)  # fmt: skip
def test_fields_inside_are_added_and_widened_at_their_path(old, new, place):
    there, given = {"place": old, "id": "long"}, {"PLACE": new}
    added = f"ADD COLUMN {place}.`zip` array<string>"
    assert changes(there, given, allowed="add") == [added]
    assert changes(there, given, allowed="widen") == [added, f"ALTER COLUMN {place}.`no` TYPE bigint"]
    assert changes({"place": new}, {"place": old}, allowed="add") == []  # what rows lack is no change
    path = place.replace("`", "")
    with pytest.raises(TableError, match=rf"silver.t: {path}.zip is not a field of the table") as caught:
        changes(there, given, allowed="none", where="silver.t")
    assert caught.value.code == "LL-TABLE-004"


def test_names_of_fields_may_hold_any_sign():
    given = {"a.b": struct(**{"x`:y": struct(**{"z,": "double"})}), "new": struct(**{"a:b": "string"})}
    assert changes({"a.b": struct(k="long")}, given, allowed="add") == [
        "ADD COLUMN `a.b`.`x``:y` struct<`z,`:double>", "ADD COLUMN `new` struct<`a:b`:string>",
    ]  # fmt: skip


def test_a_renamed_column_is_looked_into_under_its_new_name():
    found = changes({"old": OLD}, {"new": NEW}, allowed="add", renamed={"new": "old"})
    assert found == ["RENAME COLUMN `old` TO `new`", "ADD COLUMN `new`.`zip` array<string>"]
