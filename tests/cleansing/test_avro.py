"""Avro data against Apache Avro's own library, which Spark has on its class path; broken bytes are never read."""

import base64
import json
import random
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from lakeloom.cleansing.datum import MALFORMED, compiled, decoded
from lakeloom.cleansing.encoding import UNFIT, encoder
from lakeloom.cleansing.spec import VerbSpec
from lakeloom.core.errors import CleansingError

SCHEMA = {
    "type": "record", "name": "order", "namespace": "shop", "fields": [
        {"name": "id", "type": "long"},
        {"name": "n", "type": ["null", "int"]},
        {"name": "x y", "type": "double"},
        {"name": "f", "type": "float"},
        {"name": "ok", "type": "boolean"},
        {"name": "t", "type": ["string", "null"]},
        {"name": "raw", "type": "bytes"},
        {"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["A", "B", "C"]}},
        {"name": "again", "type": ["null", "kind"]},
        {"name": "md5", "type": {"type": "fixed", "name": "md5", "size": 3}},
        {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "item", "fields": [{"name": "sku", "type": "string"}, {"name": "n", "type": "int"}]}}},
        {"name": "tags", "type": {"type": "map", "values": ["null", "string"]}},
    ],
}  # fmt: skip
# Avro's library refuses a field's name with a space; ours must quote it.
WRITTEN = json.loads(json.dumps(SCHEMA).replace("x y", "xy"))


def text(chance):
    return "".join(chance.choices("abé😀\u0000 '\"", k=chance.randrange(6)))


def drawn(chance):
    """Return a record as Avro's JSON encoding writes it."""
    return {
        "id": chance.choice([0, -1, 1, 63, 64, -65, 2**31, -(2**63), 2**63 - 1, chance.randrange(10**12)]),
        "n": chance.choice([None, {"int": chance.choice([0, -(2**31), 2**31 - 1, 300])}]),
        "xy": chance.choice([0.0, -1.5, 1e308, 5e-324, chance.random()]), "f": chance.choice([0.0, 0.5, -2.25]), "ok": chance.random() < 0.5,
        "t": chance.choice([None, {"string": text(chance)}]), "raw": "".join(chance.choices("\x00\x7f\xff\x80a", k=chance.randrange(5))),
        "kind": chance.choice("ABC"), "again": chance.choice([None, {"shop.kind": "B"}]), "md5": "".join(chance.choices("\x00\xffz", k=3)),
        "items": [{"sku": text(chance), "n": chance.randrange(-99, 99)} for _ in range(chance.randrange(4))],
        "tags": {text(chance): chance.choice([None, {"string": text(chance)}]) for _ in range(chance.randrange(3))},
    }  # fmt: skip


def wanted(row):
    """Return what the record is in Python."""
    plain = {
        key: next(iter(value.values())) if isinstance(value, dict) and key != "tags" else value
        for key, value in row.items()
    }
    plain["raw"], plain["md5"] = plain["raw"].encode("latin-1"), plain["md5"].encode("latin-1")
    plain["items"] = [(item["sku"], item["n"]) for item in plain["items"]]
    plain["tags"] = {key: value and value["string"] for key, value in plain["tags"].items()}
    return tuple(plain.values())


def encoded(spark, schema, values):
    """Encode values by Apache Avro's own library."""
    avro, java = spark._jvm.org.apache.avro, spark._jvm.java
    parsed = avro.Schema.Parser().parse(json.dumps(schema))
    reader, writer = avro.generic.GenericDatumReader(parsed), avro.generic.GenericDatumWriter(parsed)
    found = []
    for value in values:
        out = java.io.ByteArrayOutputStream()
        encoder = avro.io.EncoderFactory.get().binaryEncoder(out, None)
        writer.write(reader.read(None, avro.io.DecoderFactory.get().jsonDecoder(parsed, json.dumps(value))), encoder)
        encoder.flush()
        found.append(bytes(out.toByteArray()))
    return found


@pytest.fixture(scope="module")
def data(spark):
    chance = random.Random(12)
    rows = [drawn(chance) for _ in range(150)]
    return rows, encoded(spark, WRITTEN, rows)


def test_what_avros_own_library_wrote_is_read_back(data):
    of, read = compiled(SCHEMA)
    assert [decoded(each, read) for each in data[1]] == [wanted(row) for row in data[0]]
    assert of.startswith(
        "struct<`id`:bigint,`n`:int,`x y`:double,`f`:float,`ok`:boolean,`t`:string,`raw`:binary,`kind`:string,`again`:string,"
    )
    assert of.endswith("`items`:array<struct<`sku`:string,`n`:int>>,`tags`:map<string,string>>")


def test_broken_bytes_are_refused_and_never_break_the_reader(data):
    _, read = compiled(SCHEMA)
    chance = random.Random(13)
    for each in data[1][:60]:
        # Every datum that is cut short, or goes on, is none.
        for broken in (*[each[:size] for size in range(len(each))], each + b"\x00"):
            with pytest.raises(MALFORMED):
                decoded(broken, read)
        for _ in range(100):
            at = chance.randrange(len(each))
            with suppress(MALFORMED):
                decoded(each[:at] + bytes([chance.randrange(256)]) + each[at + 1 :], read)


LOGICAL = [
    ({"type": "int", "logicalType": "date"}, "date", -719162, date(1, 1, 1)),
    ({"type": "int", "logicalType": "date"}, "date", 20458, date(2026, 1, 5)),
    ({"type": "long", "logicalType": "timestamp-millis"}, "timestamp", -1, datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ({"type": "long", "logicalType": "timestamp-micros"}, "timestamp", 1767225600000001, datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)),
    ({"type": "long", "logicalType": "local-timestamp-micros"}, "timestamp_ntz", 1767225600000001, datetime(2026, 1, 1, microsecond=1)),
    ({"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}, "decimal(5,2)", "\xff\x85", Decimal("-1.23")),
    ({"type": "fixed", "name": "d", "size": 16, "logicalType": "decimal", "precision": 38}, "decimal(38,0)", "\x00" * 15 + "\x07", Decimal(7)),
    ({"type": "string", "logicalType": "uuid"}, "string", "8f6f", "8f6f"),
    ({"type": "long", "logicalType": "time-micros"}, "bigint", 5, 5),
]  # fmt: skip


def test_logical_types_are_sparks_in_every_session(spark, cleansed):
    fields = [{"name": f"f{index}", "type": schema} for index, (schema, *_) in enumerate(LOGICAL)]
    schema = {"type": "record", "name": "r", "fields": fields}
    (row,) = encoded(spark, schema, [{f"f{index}": value for index, (_, _, value, _) in enumerate(LOGICAL)}])
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        out = cleansed([(1, row)], "id int, b binary", [{"from_avro": {"column": "b", "schema": schema}}])
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    got = [
        value.astimezone(UTC) if isinstance(value, datetime) and kind == "timestamp" else value
        for value, (_, kind, *_) in zip(out.rows[0]["b"], LOGICAL, strict=True)
    ]
    assert got == [value for *_, value in LOGICAL] and [compiled(schema)[0] for schema, *_ in LOGICAL] == [
        kind for _, kind, *_ in LOGICAL
    ]
    _, read = compiled(LOGICAL[5][0])
    with pytest.raises(MALFORMED):
        decoded(b"\x06\x7f\xff\xff", read)  # eight digits where five are


def test_on_spark_the_broken_go_to_quarantine_with_their_bytes(data, cleansed):
    rows = [*data[1][:40], None, b"", b"\xff\xff", data[1][0] + b"x"]
    registered = [each and b"\x00\x00\x00\x00\x07" + each for each in rows]
    verbs = [
        {"from_avro": {"column": "plain", "schema": SCHEMA, "into": "made"}},
        {"from_avro": {"column": "framed", "schema": json.dumps(SCHEMA), "header": "confluent", "otherwise": "null"}},
    ]
    out = cleansed(
        [(index, one, other) for index, (one, other) in enumerate(zip(rows, registered, strict=True))],
        "id int, plain binary, framed binary",
        verbs,
    )
    for index, row in enumerate(data[0][:40]):
        made = out.rows[index]["made"]
        assert (
            *[tuple(map(tuple, each)) if name == "items" else each for name, each in made.asDict().items()],
        ) == tuple(
            tuple(each) if name == "items" else each for name, each in zip(made.asDict(), wanted(row), strict=True)
        )
        assert out.rows[index]["framed"] == made
    assert (
        [out.rows[index]["made"] for index in range(40, 44)]
        == [out.rows[index]["framed"] for index in range(40, 44)]
        == [None] * 4
    )
    assert out.faults == {index: ["from_avro:plain"] for index in (41, 42, 43)}
    assert out.unread[42] == [("plain", base64.b64encode(b"\xff\xff").decode())]
    assert out.changed == {"1_from_avro": 40, "2_from_avro": 43} and "_avro_read" not in out.rows[0]


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("lnog", "'lnog' is no type"),
        ({"type": "record", "name": "r", "fields": []}, "no fields"),
        (["int", "string"], "a union is of null and one type"),
        ({"type": "record", "name": "r", "fields": [{"name": "next", "type": ["null", "r"]}]}, "'r' holds itself"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 39}, "at most 38 digits"),
        ('{"type": "int"', "the Avro schema is wrong"),
        ({"type": "array"}, "'items'"),
    ],
)
def test_schemas_that_are_refused(schema, says):
    with pytest.raises(ValidationError, match=says):
        VerbSpec.model_validate({"from_avro": {"column": "b", "schema": schema}})


def test_a_text_is_not_binary(cleansed):
    with pytest.raises(CleansingError, match="'b' is string, not binary"):
        cleansed([], "b string", [{"from_avro": {"column": "b", "schema": "int"}}])


def test_what_we_write_is_to_the_byte_what_avros_own_library_writes(data):
    of, write = encoder(SCHEMA)
    _, read = compiled(SCHEMA)
    # As it was read: the entries of a map have an order of their own in Java.
    assert [write(decoded(each, read)) for each in data[1]] == data[1] and of == compiled(SCHEMA)[0]


@pytest.mark.parametrize(("schema", "value"), [(schema, value) for schema, _, _, value in LOGICAL])
def test_logical_types_come_back_as_they_were_written(schema, value):
    assert decoded(encoder(schema)[1](value), compiled(schema)[1]) == value


NO_BYTES = [
    ("int", 2**31), ("int", True), ("long", 2**63), ("long", 1.0), ("boolean", 1), ("string", 5), ("string", None),
    (["null", "int"], "1"), ({"type": "enum", "name": "e", "symbols": ["A"]}, "B"), ({"type": "fixed", "name": "f", "size": 2}, b"abc"),
    ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}, Decimal("1.25")),
    ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}, Decimal("100.0")),
    ({"type": "long", "logicalType": "timestamp-millis"}, datetime(2026, 1, 1, microsecond=1500)),
    ({"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}]}, (1, 2)), ("float", 1e300),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value"), NO_BYTES)
def test_what_the_schema_has_no_bytes_for_is_refused(schema, value):
    with pytest.raises(UNFIT):
        encoder(schema)[1](value)


def test_a_row_becomes_avro_and_comes_back_on_spark(spark, cleansed):
    schema = {"type": "record", "name": "r", "fields": [
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}, {"name": "n", "type": "long"},
        {"name": "note", "type": ["null", "string"]},
    ]}  # fmt: skip
    # In Amsterdam the clock shows 02:30 twice that night.
    frame = spark.sql(
        "select id, n, note, timestamp_micros(at) as at from values (1, 7, 'é', 1761438600000001), (2, -1, null, 1761442200000000), (3, null, 'x', 0) as t(id, n, note, at)"
    )
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "Europe/Amsterdam")
    try:
        out = cleansed(
            frame,
            None,
            [
                {
                    "to_avro": {
                        "columns": ["n", "note", "at"],
                        "schema": schema,
                        "header": "confluent",
                        "id": 258,
                        "into": "b",
                    }
                },
                {"from_avro": {"column": "b", "schema": schema, "header": "confluent", "into": "back"}},
            ],
        )
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    assert [row["back"] and tuple(row["back"]) for row in out.rows] == [
        (out.rows[0]["at"], 7, "é"),
        (out.rows[1]["at"], -1, None),
        None,
    ]
    assert out.rows[0]["b"][:5] == b"\x00\x00\x00\x01\x02" and out.faults == {3: ["to_avro:b"]}
    assert out.changed == {"1_to_avro": 2, "2_from_avro": 2}


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("int", "'into' is missing"),
        ({"into": "b", "header": "confluent"}, "go together"),
        ({"into": "b", "id": 4}, "go together"),
    ],
)
def test_a_verb_that_does_not_fit_is_refused(schema, says):
    more = schema if isinstance(schema, dict) else {}
    with pytest.raises(ValidationError, match=says):
        VerbSpec.model_validate({"to_avro": {"columns": ["a", "b"], "schema": "int"} | more})


@pytest.mark.parametrize(
    ("columns", "schema", "says"),
    [
        ("a", "int", "bigint is no int"),
        (["a", "b"], {"type": "record", "name": "r", "fields": [{"name": "a", "type": "long"}]}, "only one of the two has b"),
        ("c", {"type": "array", "items": "string"}, "int is no string"),
    ],
)  # fmt: skip
def test_a_schema_that_does_not_fit_the_columns_is_refused_before_anything_is_read(cleansed, columns, schema, says):
    with pytest.raises(CleansingError, match=says):
        cleansed(
            [], "a bigint, b string, c array<int>", [{"to_avro": {"columns": columns, "schema": schema, "into": "x"}}]
        )
