"""What of a new shape breaks readers, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.store.evolve import widens
from lakeloom.tables.breaking import Break, Shape, breaks, narrowed

BEFORE = Shape(
    {"id": "bigint", "amount": "double", "note": "string", "_position": "bigint"},
    keys=("id",),
    never_null=("id", "amount"),
)


def found(after):
    return [f"{each.column} {each.what}" for each in breaks("silver.x", BEFORE, after)]


def after(columns=None, **more):
    told = {"keys": ("id",), "never_null": ("id", "amount")} | more
    return Shape(columns or {"id": "bigint", "amount": "double", "note": "string"}, **told)


def test_the_same_shape_breaks_nothing():
    assert found(after()) == []


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (after({"id": "bigint", "amount": "double"}), ["note is dropped"]),
        (
            after({"id": "bigint", "amount": "double"}, whole=False, dropped=["Note", "gone before"]),
            ["note is dropped"],
        ),
        (after({"id": "int", "amount": "double", "note": "string"}), ["id narrows from bigint to int"]),
        (after({"id": "bigint", "amount": "double", "note": "bigint"}), ["note changes from string to bigint"]),
        (
            after({"id": "bigint", "amount": "double", "text": "string"}, renamed={"text": "note"}),
            ["note is renamed to text"],
        ),
        (after(keys=("id", "note")), [" has other keys: id → id, note"]),
        (after(keys=()), [" has other keys: id → none"]),
        (after(never_null=("id",)), ["amount may be NULL now"]),
        (after(keys=("note",), never_null=("amount", "note")), [" has other keys: id → note"]),
    ],
)
def test_what_breaks(shape, told):
    assert found(shape) == told


@pytest.mark.parametrize(
    "shape",
    [
        after({"id": "bigint", "amount": "double", "note": "string", "more": "int"}),
        after({"ID": "bigint", "Amount": "double", "note": ""}),
        after({"id": "decimal(20,0)", "amount": "double", "note": "string"}),
        after(never_null=("id", "amount", "note")),
        after({"id": "bigint"}, whole=False, never_null=None),
        after(keys=None),
    ],
)
def test_what_does_not(shape):
    assert found(shape) == []


def test_fields_inside_a_column():
    old = "struct<a:int,b:struct<c:string,d:array<struct<e:int>>>>"
    assert list(narrowed(old, old.replace("a:int", "a:bigint,x:int"))) == []
    assert list(narrowed(old, old.replace("c:string,", ""))) == [(".b.c", "is dropped")]
    assert list(narrowed(old, old.replace("e:int", "e:smallint"))) == [(".b.d.e", "narrows from int to smallint")]
    assert list(narrowed("map<string,decimal(10,2)>", "map<string,decimal(8,2)>")) == [
        ("", "narrows from decimal(10,2) to decimal(8,2)")
    ]
    assert list(narrowed("struct<userId:string>", "struct<userid:varchar(10)>")) == []
    assert str(Break("silver.x", "note", "is dropped")) == "silver.x.note is dropped"
    assert str(Break("silver.x", "", "has other keys")) == "silver.x has other keys"


KINDS = st.sampled_from(
    ["tinyint", "smallint", "int", "bigint", "float", "double", "string", "date", "decimal(10,2)", "decimal(12,2)"]
)


@given(st.dictionaries(st.sampled_from("abcd"), KINDS), st.dictionaries(st.sampled_from("abcd"), KINDS))
def test_a_shape_breaks_another_where_a_column_does_not_hold_what_was_there(old, new):
    broken = {each.column for each in breaks("silver.x", Shape(old), Shape(new))}
    assert broken == {
        name for name, kind in old.items() if name not in new or not (kind == new[name] or widens(kind, new[name]))
    }
