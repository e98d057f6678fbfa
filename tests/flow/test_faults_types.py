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
  silver.any: &any
    from: {{bronze.changes: new}}
    sql: select id, cast(seq as int) as seq, parse_json(doc) as doc, _position from bronze.changes
    keys: [id]
    write: {{mode: merge, sequence_by: seq}}
    columns: {{id: string, seq: int, doc: variant}}
    rules: [{{sql: "variant_get(doc, '$.amount', 'string') is not null", name: has an amount}}]
"""
OVER_TIME = """\
  silver.versions:
    <<: *table
    write: {mode: scd2, sequence_by: seq}
  silver.any_over_time:
    <<: *any
    write: {mode: scd2, sequence_by: seq}
"""
CHANGED = [{"k": "b", "v": 2.0}]
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


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return Stream(tmp_path, {"id": "string", "seq": "string", "doc": "string"}, TABLES)


def changes(stream):
    """Run with three rows, of which one is broken; then with a repetition, a change deep inside and one of an element."""
    stream.drop({"id": "1", "seq": "1", "doc": doc(1)}, {"id": "2", "seq": "1", "doc": doc(77, amount=None)},
                {"id": "3", "seq": "1", "doc": doc(3)})  # fmt: skip
    done = stream.done()
    assert {step.quarantined for name, step in done.items() if name.startswith("silver.")} == {1}
    stream.drop({"id": "1", "seq": "2", "doc": doc(1, tags={"y": None, "x": 1})}, {"id": "1", "seq": "3", "doc": doc(5)},
                {"id": "3", "seq": "2", "doc": doc(3, items=CHANGED)})  # fmt: skip
    stream.done()


def mend(stream, table, change):
    assert fix(stream.project(), table, Choice(), Change(sets=(change,))).passing == 1
    assert replay(stream.project(), table, Choice()).written == 1


def test_nested_decimal_wall_clock_binary_map_and_variant(stream, tmp_path):
    changes(stream)
    mend(stream, "silver.newest", "doc = replace(doc, '77', '7')")
    rows = [{**row, "tags": sorted(row["tags"])} for row in values(stream, "silver.newest")]
    assert rows == [
        {"id": "1", **value(5)}, {"id": "2", **value(7, amount=None)}, {"id": "3", **value(3, items=CHANGED)},
    ]  # fmt: skip
    lake = lakeloom.open(tmp_path / "conf")
    assert {name: lake.table("silver.newest").columns[name] for name in COLUMNS} == COLUMNS
    assert lake.sql("select amount from silver.newest where id = '1'").to_pylist() == [{"amount": Decimal(LARGE)}]
    deep = lake.sql("select deep['a']['b']['c']['d']['e'] as e from silver.newest order by id").to_pylist()
    assert [row["e"] for row in deep] == [5, 7, 3]
    # Of a variant deltalake would give the encoded bytes: `sql` and `show` turn to Spark, and Arrow alone is refused.
    assert lake.table("silver.any").columns["doc"] == "variant"
    assert lake.table("silver.any").size.rows == 2 and lake.table("silver.any").history()
    text = "select id, variant_get(doc, '$.deep.a.b.c.d.e', 'int') as e from silver.any order by id"
    assert lake.sql(text).to_pylist() == [{"id": "1", "e": 5}, {"id": "3", "e": 3}]
    shown = {row["id"]: json.loads(row["doc"]) for row in lake.table("silver.any").head(9).to_pylist()}
    assert shown == {"1": json.loads(doc(5)), "3": json.loads(doc(3, items=CHANGED))}
    with pytest.raises(lakeloom.LakeloomError) as caught:
        lake.table("silver.any").arrow()
    assert caught.value.code == "LL-STORE-009"
    assert {"silver.any", "quarantine.silver__any"} <= {each.name for each in lake.tables()}


@pytest.mark.long
def test_such_types_over_time(stream, tmp_path):
    stream.declare(TABLES + OVER_TIME)
    changes(stream)
    places = ("valid_from", "valid_to")
    wanted = [("1", 1, 3), ("1", 3, None), ("3", 1, 2), ("3", 2, None)]
    assert [
        (row["id"], *(row[name] for name in places)) for row in values(stream, "silver.versions", *places)
    ] == wanted
    lake = lakeloom.open(tmp_path / "conf")
    over = "select id, valid_from, valid_to from silver.any_over_time order by id, valid_from"
    assert [tuple(row.values()) for row in lake.sql(over).to_pylist()] == wanted
    mend(stream, "silver.versions", "doc = replace(doc, '77', '7')")
    mend(stream, "silver.any_over_time", """doc = replace(doc, 'amount": null', 'amount": "1"')""")
    (row,) = [row for row in values(stream, "silver.versions", *places) if row["id"] == "2"]
    assert {**row, "tags": sorted(row["tags"])} == {
        "id": "2",
        "valid_from": 1,
        "valid_to": None,
        **value(7, amount=None),
    }
    assert len(lakeloom.open(tmp_path / "conf").sql(over)) == 5
