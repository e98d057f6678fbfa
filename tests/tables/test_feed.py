"""Streams of changes in others' forms: what they say is taken, and what can't be goes to quarantine with its reason."""

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError

from lakeloom.core.errors import TableError
from lakeloom.tables.contract import conform
from lakeloom.tables.feed import ChangesSpec, outlived, unwrapped
from lakeloom.tables.spec import ColumnSpec, TableSpec

COLUMNS = {
    "id": ColumnSpec(type="bigint"),
    "name": ColumnSpec(type="string"),
    "amount": ColumnSpec(type="decimal(10,2)"),
}
EVENTS = [
    {
        "before": None,
        "after": {"id": 1, "name": "Ada", "amount": "10.50"},
        "op": "c",
        "ts_ms": 1,
        "source": {"lsn": 11},
    },
    {
        "before": {"id": 1},
        "after": {"id": 1, "name": "Ada", "amount": "12.5"},
        "op": "u",
        "ts_ms": 2,
        "source": {"lsn": 12},
    },
    {"before": {"id": 1, "name": "Ada"}, "after": None, "op": "d", "ts_ms": 3, "source": {"lsn": 13}},
    {
        "before": None,
        "after": {"id": "two", "name": "Bo", "amount": "1.005"},
        "op": "r",
        "ts_ms": 4,
        "source": {"lsn": 14},
    },
    {"before": None, "after": None, "op": "u", "ts_ms": 5, "source": {"lsn": 15}},
    {"before": None, "after": None, "op": "t", "ts_ms": 6, "source": {"lsn": 16}},
    {"before": None, "after": {"id": 3, "name": None, "amount": None}, "op": "u", "ts_ms": None, "source": {}},
    {"before": None, "after": None, "op": None, "ts_ms": None, "source": None},
]
WANTED = [
    (1, "Ada", "10.50", 11, False, []),
    (1, "Ada", "12.50", 12, False, []),
    (1, "Ada", None, 13, True, []),
    (None, "Bo", None, 14, False, ["contract:id", "contract:amount"]),
    (None, None, None, 15, False, ["changes:row"]),
    (None, None, None, 16, False, ["changes:operation"]),
    (3, None, None, None, False, ["changes:sequence"]),
]


def rows(frame):
    def plain(value):
        return str(value) if value is not None else None

    return [
        (row["id"], row["name"], plain(row["amount"]), row["_sequence"], row["_deleted"], row["_faults"])
        for row in frame.orderBy("_n").collect()
    ]


def text(value):
    return None if value is None else json.dumps(value)


@pytest.mark.parametrize("form", ["json columns", "payload", "structs"])
def test_debezium_in_each_form_gives_the_same_rows(spark, form):
    spec = ChangesSpec(format="debezium", sequence="source.lsn")
    if form == "payload":
        data = [(n, text({"schema": {}, "payload": event})) for n, event in enumerate(EVENTS)]
        frame = spark.createDataFrame(data, "_n int, value string")
        frame = frame.selectExpr("_n", "get_json_object(value, '$.payload') as payload")
    else:
        data = [
            (n, text(e["before"]), text(e["after"]), e["op"], e["ts_ms"], text(e["source"]))
            for n, e in enumerate(EVENTS)
        ]
        frame = spark.createDataFrame(
            data, "_n int, before string, after string, op string, ts_ms bigint, source string"
        )
    if form == "structs":
        kind = "struct<id:string,name:string,amount:string>"
        frame = frame.selectExpr("_n", f"from_json(before, '{kind}') before", f"from_json(after, '{kind}') after",
                                 "op", "ts_ms", "from_json(source, 'struct<lsn:bigint>') source")  # fmt: skip
    assert rows(unwrapped(frame, spec, COLUMNS)) == WANTED


def test_by_default_the_order_is_the_time_of_the_connector(spark):
    event = EVENTS[1]
    frame = spark.createDataFrame([(text(event),)], "payload string")
    (row,) = unwrapped(frame, ChangesSpec.model_validate("debezium"), COLUMNS).collect()
    assert row["_sequence"] == event["ts_ms"]


def test_a_generic_stream_says_what_was_done_in_a_column_of_its_own(spark):
    data = [(1, "I", 5), (2, "X", 6), (3, None, 7), (4, "rm", 8), (5, "U", None)]
    spec = ChangesSpec(format="generic", operation="what", delete=("rm",), sequence="at")
    found = unwrapped(spark.createDataFrame(data, "id int, what string, at bigint"), spec, {})
    assert "what" not in found.columns
    assert [(r["id"], r["_deleted"], r["_sequence"], r["_faults"]) for r in found.orderBy("id").collect()] == [
        (1, False, 5, []), (2, False, 6, ["changes:operation"]), (3, False, 7, ["changes:operation"]), (4, True, 8, []),
        (5, False, None, ["changes:sequence"]),
    ]  # fmt: skip


def test_deltas_own_feed_has_no_images_of_before(spark):
    data = [(1, "insert", 3), (1, "update_preimage", 4), (2, "update_postimage", 4), (2, "delete", 5)]
    frame = spark.createDataFrame(data, "id int, _change_type string, _commit_version bigint")
    found = unwrapped(frame, ChangesSpec(format="delta"), {})
    assert sorted(tuple(row) for row in found.select("id", "_deleted", "_sequence").collect()) == [
        (1, False, 3), (2, False, 4), (2, True, 5),
    ]  # fmt: skip
    assert not [name for name in found.columns if name.startswith("_c")]


def test_what_one_commit_deletes_and_writes_stands_whatever_the_places_of_its_rows(spark):
    data = [(1, True, 3, 9), (1, False, 3, 8), (2, True, 3, 1), (None, True, 3, 9), (None, False, 3, 1), (3, True, 4, 1),
            (3, False, 3, 9)]  # fmt: skip
    frame = spark.createDataFrame(data, "id int, _deleted boolean, _sequence bigint, _position int")
    assert sorted((tuple(row) for row in outlived(frame, ["id"]).collect()), key=str) == [
        (1, False, 3, 8), (2, True, 3, 1), (3, False, 3, 9), (3, True, 4, 1), (None, False, 3, 1),
    ]  # fmt: skip


def test_an_unknown_form_is_refused():
    with pytest.raises(ValidationError):
        ChangesSpec.model_validate("maxwell")


FORMS = ("json columns", "payload", "structs")
TAKEN = {"id": "bigint", "place": "struct<street:string,no:int>", "items": "array<struct<n:int>>"}
KINDS = {
    "place": "struct<no:string,zip:string,street:string>",
    "items": "array<struct<m:string,n:string>>",
}


def image(key, **more):
    return {"id": key, "place": {"zip": "z", "street": "s", "no": "1"}, "items": [{"n": "1", "m": "m"}]} | more


def conformed(spark, form, images, evolve="none", columns=TAKEN):
    """Return the rows of some updates, in a form, as the table's contract takes them."""
    names = dict.fromkeys(name for each in images for name in each)
    kind = "struct<" + ",".join(f"{name}:{KINDS.get(name, 'string')}" for name in names) + ">"
    data = [(n, None, text(each), "u", n) for n, each in enumerate(images)]
    frame = spark.createDataFrame(data, "_n int, before string, after string, op string, ts_ms bigint")
    if form == "payload":
        events = [(n, text({"after": each, "op": "u", "ts_ms": n})) for n, each in enumerate(images)]
        frame = spark.createDataFrame(events, "_n int, payload string")
    elif form == "structs":
        read = [f"from_json({name}, '{kind}') as {name}" for name in ("before", "after")]
        frame = frame.selectExpr("_n", *read, "op", "ts_ms")
    words = {"from": {"bronze.t": "new"}, "changes": "debezium", "columns": columns, "evolve": evolve}
    spec = TableSpec.model_validate(words)
    rows = unwrapped(frame, spec.changes, spec.columns, evolve=spec.evolve, table="silver.t")
    return conform(rows, "silver.t", spec).orderBy("_n")


def plain(frame):
    own = ("_n", "_sequence", "_deleted")
    return [
        {name: value for name, value in row.asDict(recursive=True).items() if name not in own}
        for row in frame.collect()
    ]


@pytest.mark.parametrize("form", FORMS)
def test_fields_that_the_contract_does_not_name_are_refused_under_none(spark, form):
    for images, columns, told in (
        ([image("1"), {"id": "2", "city": "Rome"}], TAKEN, "place.zip, items.element.m"),
        ([{"id": "1"}, {"id": "2", "age": "7", "city": "Rome"}], {"id": "bigint"}, "age, city"),
        ([{"id": "1", "_id": "x"}], {"id": "bigint", "city": "string"}, "_id"),
    ):
        with pytest.raises(TableError) as caught:
            conformed(spark, form, images, columns=columns)
        assert (caught.value.code, caught.value.message) == ("LL-TABLE-004", f"silver.t: {told} not declared")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("evolve", ["add", "widen"])
def test_they_are_added_where_the_table_may_grow(spark, form, evolve):
    found = conformed(spark, form, [image("1", city="Rome"), image("2", _id="x")], evolve)
    assert plain(found) == [
        {"id": key, "place": {"street": "s", "no": 1, "zip": "z"}, "items": [{"n": 1, "m": "m"}], "city": city, "_id": own,
         "_faults": []}
        for key, city, own in ((1, "Rome", None), (2, None, "x"))
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_they_are_rescued_and_so_is_what_does_not_fit(spark, form):
    images = [image("1", city="Rome", _id="x"), image("two", place={"street": "s", "no": "many"}, items=None)]
    found = conformed(spark, form, images, "rescue")
    rows = plain(found)
    kept = [json.loads(row.pop("_rescued")) for row in rows]
    assert rows == [
        {"id": 1, "place": {"street": "s", "no": 1}, "items": [{"n": 1}], "_faults": []},
        {"id": None, "place": {"street": "s", "no": None}, "items": None, "_faults": []},
    ]
    assert kept == [
        {"city": "Rome", "_id": "x", "place.zip": "z", "items.element.m": ["m"]}, {"id": "two", "place.no": "many"},
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_without_rescue_what_does_not_fit_inside_a_column_goes_to_quarantine(spark, form):
    found = conformed(spark, form, [{"id": "1", "place": {"street": "s", "no": "many"}}], "add")
    (row,) = plain(found)
    assert (row["place"]["no"], row["_faults"]) == (None, ["contract:place.no"])


def test_a_generic_stream_is_held_to_its_contract_as_any_rows_are(spark):
    def found(evolve):
        frame = spark.sql("select 1 as id, 'Rome' as city, 'U' as op, named_struct('n', 1, 'm', 2) as place")
        words = {"from": {"bronze.t": "new"}, "changes": "generic", "evolve": evolve}
        spec = TableSpec.model_validate(words | {"columns": {"id": "bigint", "place": "struct<n:int>"}})
        rows = unwrapped(frame, spec.changes, spec.columns, evolve=spec.evolve, table="silver.t")
        (row,) = plain(conform(rows, "silver.t", spec))
        return row

    with pytest.raises(TableError, match=r"silver\.t: place\.m, city not declared"):
        found("none")
    assert found("add") == {"id": 1, "place": {"n": 1, "m": 2}, "city": "Rome", "_faults": []}
    assert found("rescue") == {
        "id": 1, "place": {"n": 1}, "_rescued": '{"place.m":2,"city":"Rome"}', "_faults": [],
    }  # fmt: skip


def test_types_of_images_are_widened_as_of_any_rows(spark):
    frame = spark.sql(
        "select 'u' as op, 1L as ts_ms, named_struct('id', 5000000000L, 'place', named_struct('no', 6000000000L)) as after,"
        " cast(null as struct<id:bigint,place:struct<no:bigint>>) as before"
    )
    columns = {"id": ColumnSpec(type="int"), "place": ColumnSpec(type="struct<no:int>")}
    found = unwrapped(frame, ChangesSpec(format="debezium"), columns, evolve="widen")
    assert dict(found.dtypes) | {"id": "bigint", "place": "struct<no:bigint>"} == dict(found.dtypes)
    row = found.first()
    assert (row["id"], row["place"]["no"], row["_faults"]) == (5000000000, 6000000000, [])
    (row,) = unwrapped(frame, ChangesSpec(format="debezium"), columns, evolve="add").collect()
    assert (row["id"], row["_faults"]) == (None, ["contract:id", "contract:place.no"])


@pytest.mark.parametrize("form", FORMS)
def test_without_a_contract_all_fields_are_taken(spark, form):
    (row,) = plain(conformed(spark, form, [{"id": "1", "city": "Rome", "_id": "x"}], columns={}))
    assert {name: row[name] for name in ("id", "city", "_id")} == {"id": "1", "city": "Rome", "_id": "x"}


@pytest.mark.parametrize("form", FORMS)
def test_a_field_is_known_in_any_case_and_none_takes_a_name_of_the_platform(spark, form):
    (row,) = plain(conformed(spark, form, [{"id": "1"}], columns={"ID": "bigint"}))
    assert row == {"ID": 1, "_faults": []}
    with pytest.raises(TableError, match=r"silver\.t: _Sequence is a name of the platform's own"):
        conformed(spark, form, [{"id": "1", "_Sequence": "7"}], "add", {"id": "bigint"})


def test_a_text_that_is_no_document_goes_to_quarantine_and_one_in_a_text_is_read(spark):
    columns = {"place": "struct<no:int>", "tags": "array<string>", "by": "map<string,struct<n:int>>"}
    right = {"place": {"no": 1}, "tags": ["a", 2, None, {"x": 1}], "by": {"k": {"n": 1}, "l": {"n": None}}}
    images = [right, {"place": "Rome", "tags": {"x": 1}, "by": "{"}, {"place": '{"no": 2}'}, {"place": None}]
    found = plain(conformed(spark, "json columns", images, columns=columns))
    assert found == [
        {
            "place": {"no": 1},
            "tags": ["a", "2", None, '{"x":1}'],
            "by": {"k": {"n": 1}, "l": {"n": None}},
            "_faults": [],
        },
        {"place": None, "tags": None, "by": None, "_faults": ["contract:place", "contract:tags", "contract:by"]},
        {"place": {"no": 2}, "tags": None, "by": None, "_faults": []},
        {"place": None, "tags": None, "by": None, "_faults": []},
    ]
    rescued = plain(conformed(spark, "json columns", images, "rescue", columns))
    assert json.loads(rescued[1]["_rescued"]) == {"place": "Rome", "tags": '{"x":1}', "by": "{"}


def test_what_is_nested_in_some_documents_alone_is_refused_by_its_path(spark):
    images = [{"place": {"at": {"lat": 1}}}, {"place": {"at": "here"}}]
    with pytest.raises(TableError, match=r"place\.at is string, the contract says struct<lat:int>"):
        conformed(spark, "json columns", images, columns={"place": "struct<at:struct<lat:int>>"})


@pytest.mark.parametrize("form", ["json columns", "payload"])
def test_a_decimal_in_json_keeps_its_digits(spark, form):
    """By way of a double it would have 17 of them."""
    columns = {
        "amount": "decimal(38,9)",
        "by": "struct<rate:decimal(30,20),parts:array<decimal(25,5)>>",
        "note": "string",
    }
    image = '{"amount": 12345678901234567890.123456789, "by": {"rate": 0.12345678901234567891, "parts": [1, 12345678901234567890.12345]}, "note": "1.50"}'
    data = [(1, None, image, "u", 1)]
    frame = spark.createDataFrame(data, "_n int, before string, after string, op string, ts_ms bigint")
    if form == "payload":
        event = f'{{"after": {image}, "op": "u", "ts_ms": 1}}'
        frame = spark.createDataFrame([(1, event)], "_n int, payload string")
    spec = TableSpec.model_validate({"from": {"bronze.t": "new"}, "changes": "debezium", "columns": columns})
    (row,) = plain(conform(unwrapped(frame, spec.changes, spec.columns, table="silver.t"), "silver.t", spec))
    assert row["amount"] == Decimal("12345678901234567890.123456789")
    assert row["by"] == {
        "rate": Decimal("0.12345678901234567891"),
        "parts": [Decimal(1), Decimal("12345678901234567890.12345")],
    }
    assert row["note"] == "1.50"
