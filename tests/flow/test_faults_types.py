"""Types beyond numbers and text, through merge, history and quarantine, and as they are read with and without a JVM."""

import json
from datetime import datetime
from decimal import Decimal

import pytest

import lakeloom
from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, fix
from lakeloom.flow.replaying import replay
from tests.flow.stream import Stream

DEEP = "struct<a:struct<b:struct<c:struct<d:struct<e:int>>>>>"
COLUMNS = {
    "deep": DEEP, "amount": "decimal(38,18)", "wall": "timestamp_ntz", "bytes": "binary", "tags": "map<string,int>",
    "items": "array<struct<k:string,v:double>>",
}  # fmt: skip
MADE = f"""\
      id, cast(seq as int) as seq, from_json(doc, 'deep {DEEP}').deep as deep,
      cast(get_json_object(doc, '$.amount') as decimal(38,18)) as amount,
      cast(get_json_object(doc, '$.wall') as timestamp_ntz) as wall, unbase64(get_json_object(doc, '$.bytes')) as bytes,
      from_json(get_json_object(doc, '$.tags'), 'map<string,int>') as tags,
      from_json(get_json_object(doc, '$.items'), 'array<struct<k:string,v:double>>') as items"""
CONTRACT = json.dumps({"id": "string", "seq": "int"} | COLUMNS)
TABLES = f"""\
tables:
  silver.newest: &table
    from: {{bronze.changes: new}}
    sql: |
      select {MADE}, _position from bronze.changes
    keys: [id]
    write: {{mode: merge, sequence_by: seq}}
    columns: {CONTRACT}
    rules:
      - {{sql: "deep.a.b.c.d.e is null or deep.a.b.c.d.e < 10", name: deep}}
      - {{column: tags, expect: not_null}}
  silver.versions:
    <<: *table
    write: {{mode: scd2, sequence_by: seq}}
  silver.any: &any
    from: {{bronze.changes: new}}
    sql: select id, cast(seq as int) as seq, parse_json(doc) as doc, _position from bronze.changes
    keys: [id]
    write: {{mode: merge, sequence_by: seq}}
    columns: {{id: string, seq: int, doc: variant}}
    rules: [{{sql: "variant_get(doc, '$.amount', 'string') is not null", name: has an amount}}]
  silver.any_over_time:
    <<: *any
    write: {{mode: scd2, sequence_by: seq}}
"""
LARGE = "12345678901234567890.123456789012345678"


def doc(e, **more):
    made = {"deep": {"a": {"b": {"c": {"d": {"e": e}}}}}, "amount": LARGE, "wall": "2026-03-29T02:30:00.123456",
            "bytes": "/wA=", "tags": {"x": 1, "y": None}, "items": [{"k": "a", "v": 1.5}, {"k": None, "v": None}]}  # fmt: skip
    return json.dumps(made | more)


def value(e, **more):
    deep = {"a": {"b": {"c": {"d": {"e": e}}}}}
    made = {"deep": deep, "amount": Decimal(LARGE), "wall": datetime(2026, 3, 29, 2, 30, 0, 123456), "bytes": b"\xff\0",
            "tags": [("x", 1), ("y", None)], "items": [{"k": "a", "v": 1.5}, {"k": None, "v": None}]}  # fmt: skip
    return made | more


def values(stream, table, *more):
    rows = stream.lake.arrow(table).to_pylist()
    return sorted(({name: row[name] for name in ("id", *more, *COLUMNS)} for row in rows), key=lambda row: (row["id"], str(row.get("valid_from"))))  # fmt: skip


def test_nested_decimal_wall_clock_binary_map_and_variant(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Stream(tmp_path, {"id": "string", "seq": "string", "doc": "string"}, TABLES)
    stream.drop({"id": "1", "seq": "1", "doc": doc(1)}, {"id": "2", "seq": "1", "doc": doc(77, amount=None)},
                {"id": "3", "seq": "1", "doc": doc(3)})  # fmt: skip
    done = stream.done()
    assert [done[f"silver.{name}"].quarantined for name in ("newest", "versions", "any", "any_over_time")] == [1] * 4
    # A repetition, in another order of a map's entries; a change deep inside; a change of one element.
    stream.drop({"id": "1", "seq": "2", "doc": doc(1, tags={"y": None, "x": 1})}, {"id": "1", "seq": "3", "doc": doc(5)},
                {"id": "3", "seq": "2", "doc": doc(3, items=[{"k": "b", "v": 2.0}])})  # fmt: skip
    stream.done()
    b = [{"k": "b", "v": 2.0}]
    assert [{**row, "tags": sorted(row["tags"])} for row in values(stream, "silver.newest")] == [
        {"id": "1", **value(5)}, {"id": "3", **value(3, items=b)},
    ]  # fmt: skip
    spans = [(row["id"], row["valid_from"], row["valid_to"]) for row in values(stream, "silver.versions", "valid_from", "valid_to")]  # fmt: skip
    assert spans == [("1", 1, 3), ("1", 3, None), ("3", 1, 2), ("3", 2, None)]
    for table in ("silver.newest", "silver.versions"):
        assert fix(stream.project(), table, Choice(), Change(sets=("doc = replace(doc, '77', '7')",))).passing == 1
        assert replay(stream.project(), table, Choice()).written == 1
    assert {"id": "2", **value(7, amount=None)} in values(stream, "silver.newest")
    changed = 'amount": "1'
    told = fix(stream.project(), "silver.any", Choice(), Change(sets=(f"doc = replace(doc, 'amount\": null', '{changed}\"')",)))  # fmt: skip
    assert told.passing == 1 and replay(stream.project(), "silver.any", Choice()).written == 1
    lake = lakeloom.open(tmp_path / "conf")
    kinds = lake.table("silver.versions").columns
    assert {name: kinds[name] for name in COLUMNS} == COLUMNS
    assert lake.table("silver.any").columns["doc"] == "variant"
    assert lake.sql("select amount from silver.newest where id = '1'").to_pylist() == [{"amount": Decimal(LARGE)}]
    deep = lake.sql("select deep['a']['b']['c']['d']['e'] as e from silver.newest order by id").to_pylist()
    assert [row["e"] for row in deep] == [5, 7, 3]
    # deltalake can't read variants: `sql` and `show` turn to Spark, and what asks for Arrow is told so.
    text = "select id, variant_get(doc, '$.deep.a.b.c.d.e', 'int') as e from silver.any order by id"
    assert lake.sql(text, engine="spark").to_pylist() == [
        {"id": "1", "e": 5},
        {"id": "2", "e": 77},
        {"id": "3", "e": 3},
    ]
    assert {row["id"] for row in lake.table("silver.any").head(9).to_pylist()} == {"1", "2", "3"}
    over = "select id, valid_from, valid_to from silver.any_over_time order by id, valid_from"
    assert [tuple(row.values()) for row in lake.sql(over).to_pylist()] == [
        ("1", 1, 3), ("1", 3, None), ("3", 1, 2), ("3", 2, None),
    ]  # fmt: skip
    with pytest.raises(lakeloom.LakeloomError) as caught:
        lake.table("silver.any").arrow()
    assert caught.value.code == "LL-STORE-009"
    assert lake.table("silver.any").size.rows == 3 and lake.table("silver.any").history()
    names = {each.name for each in lake.tables()}
    assert {"silver.any", "quarantine.silver__any", "aside.silver__any_over_time"} <= names
