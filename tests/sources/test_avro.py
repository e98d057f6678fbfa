"""Avro: types and logical types, reader schemas, schemas that fork, blocks that are damaged, numbers over pieces."""

import io
import json
import zlib
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.core.errors import ConfigError
from lakeloom.sources.files import Files
from lakeloom.sources.files_config import FilesConfig
from lakeloom.sources.formats.avro_container import DamagedError, blocks, header_of
from lakeloom.sources.formats.avro_resolution import forks
from lakeloom.sources.formats.avro_schema import parsed
from lakeloom.sources.inspection import Reading, inspect
from tests.sources.test_formats import landed, put


def record(*fields, name="row"):
    return {"type": "record", "name": name, "fields": [dict(name=key, type=kind, **more) for key, kind, more in fields]}


def field(name, kind, **more):
    return name, kind, more


PLAIN = record(field("id", "long"), field("word", ["null", "string"]))


def avro(schema, rows, **more):
    sink = io.BytesIO()
    fastavro.writer(sink, schema, rows, **more)
    return sink.getvalue()


def words(*numbers):
    return [{"id": number, "word": f"w{number}"} for number in numbers]


def repacked(plain, codec, pack):
    """Return a container of the codec null as one of another: fastavro writes these with one more package each."""
    header = header_of(io.BytesIO(plain))
    raw = plain[: header.end].replace(b"\x08null", zigzag(len(codec)) + codec.encode())
    for block in blocks(io.BytesIO(plain), header, 0, len(plain)):
        packed = pack(block.data)
        raw += zigzag(block.count) + zigzag(len(packed)) + packed + header.sync
    return raw


def snappy(data):
    return pa.compress(data, codec="snappy", asbytes=True) + zlib.crc32(data).to_bytes(4, "big")


def zigzag(number):
    value, made = (number << 1) ^ (number >> 63), b""
    while value > 0x7F:
        made += bytes([value & 0x7F | 0x80])
        value >>= 7
    return made + bytes([value])


CODECS = {
    "null": lambda rows: avro(PLAIN, rows, sync_interval=64), "deflate": lambda rows: avro(PLAIN, rows, codec="deflate"),
    "bzip2": lambda rows: avro(PLAIN, rows, codec="bzip2"), "xz": lambda rows: avro(PLAIN, rows, codec="xz"),
    "snappy": lambda rows: repacked(avro(PLAIN, rows, sync_interval=64), "snappy", snappy),
    "zstandard": lambda rows: repacked(
        avro(PLAIN, rows, sync_interval=64), "zstandard", lambda data: pa.compress(data, codec="zstd", asbytes=True)
    ),
}  # fmt: skip


def look(folder, content, **more):
    (folder / "a.avro").write_bytes(content)
    return inspect("a.avro", str(folder / "a.avro"), Reading("avro", **more))


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_is_walked_and_a_flipped_or_missing_byte_is_found_with_its_place(tmp_path, codec):
    made = CODECS[codec](words(*range(500)))
    header = header_of(io.BytesIO(made))
    found = list(blocks(io.BytesIO(made), header, 0, len(made)))
    assert (header.codec, sum(block.count for block in found)) == (codec, 500)
    assert look(tmp_path, made).header == ("id\tint64", "word\tstring")
    last = found[-1].offset
    assert look(tmp_path, made[:-10]).problem == f"the block at byte {last} is damaged: no sync marker is behind it"
    assert look(tmp_path, made[: last + 8]).problem == f"the block at byte {last} is damaged: it is cut off"
    if codec in ("bzip2", "snappy", "xz"):  # the others keep no checksum of what they pack
        spoilt = bytearray(made)
        spoilt[last + 12] ^= 0xFF
        assert f"the block at byte {last} is damaged" in look(tmp_path, bytes(spoilt)).problem


def test_each_block_belongs_to_one_piece_however_a_file_is_cut():
    made = CODECS["null"](words(*range(2000)))
    header = header_of(io.BytesIO(made))
    whole = [block.offset for block in blocks(io.BytesIO(made), header, 0, len(made))]
    assert len(whole) > 100
    for size in (1, 17, 300, 5000, len(made)):
        starts = range(0, len(made), size)
        cut = [
            block.offset for start in starts for block in blocks(io.BytesIO(made), header, start, min(start + size, len(made)))
        ]  # fmt: skip
        assert cut == whole, size


@given(st.binary(max_size=300), st.integers(0, 600))
def test_bytes_at_random_are_damaged_and_nothing_else(noise, at):
    made = bytearray(CODECS["deflate"](words(*range(50))))
    made[at : at + len(noise)] = noise
    file = io.BytesIO(bytes(made))
    try:
        header = header_of(file)
        list(blocks(file, header, 0, len(made)))
    except DamagedError:
        pass


def test_a_block_that_says_it_is_huge_takes_no_memory(tmp_path):
    header = avro(PLAIN, [])
    sync = header_of(io.BytesIO(header)).sync
    huge = header + zigzag(10) + zigzag(1 << 60) + b"x"
    assert "its length is none" in look(tmp_path, huge).problem
    bomb = header.replace(b"\x08null", b"\x0edeflate")
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = stream.compress(bytes(300 << 20)) + stream.flush()
    bomb += zigzag(10) + zigzag(len(packed)) + packed + sync
    assert "more than 256 MiB" in look(tmp_path, bomb).problem


@pytest.mark.parametrize(
    ("writer", "reader", "told"),
    [
        (PLAIN, PLAIN, None),
        (record(field("id", "int")), record(field("id", "long")), None),
        (record(field("id", "int")), record(field("id", "double")), None),
        (record(field("id", "string")), record(field("id", "long")), "id: string, and the declared one is long"),
        (record(field("id", "long")), record(field("id", "int")), "id: long, and the declared one is int"),
        (record(field("id", ["null", "string"])), record(field("id", ["null", "long"])), "id: string, and"),
        (record(field("id", "long")), record(field("id", ["null", "long"])), None),
        (record(field("a", "int")), record(field("b", "int")), "b: not there, and the declared one has no default"),
        (record(field("a", "int")), record(field("b", "int", default=1)), None),
        (record(field("a", "int")), record(field("b", "int", aliases=["a"])), None),
        (record(field("a", {"type": "array", "items": "int"})), record(field("a", {"type": "array", "items": "string"})), "a[]: int"),
        (record(field("a", record(field("b", "int"), name="x"))), record(field("a", record(field("b", "boolean"), name="x"))), "a.b: int"),
        (record(field("a", {"type": "fixed", "name": "f", "size": 4})), record(field("a", {"type": "fixed", "name": "f", "size": 5})), "a: fixed of 4"),
        (record(field("a", "int", ), name="other"), record(field("a", "int")), None),
    ],
)  # fmt: skip
def test_a_schema_that_forks_is_told_at_its_field(writer, reader, told):
    found = forks(parsed(writer), parsed(reader))
    assert found is None if told is None else found.startswith(told)


MEANT = record(
    field("price", {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 4}),
    field("wide", {"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 2}),
    field("day", {"type": "int", "logicalType": "date"}),
    field("at", {"type": "long", "logicalType": "timestamp-millis"}),
    field("local", {"type": "long", "logicalType": "local-timestamp-micros"}),
    field("clock", {"type": "int", "logicalType": "time-millis"}),
    field("key", {"type": "string", "logicalType": "uuid"}),
    field("kind", {"type": "enum", "name": "kind", "symbols": ["A", "B"]}),
    field("tags", {"type": "map", "values": ["null", {"type": "int", "logicalType": "date"}]}),
    field("list", {"type": "array", "items": record(field("n", ["null", "int"]), name="part")}),
    field("either", ["null", "string", "long"]),
    field("number", ["null", "int", "double"]),
    field("bytes", {"type": "fixed", "name": "two", "size": 2}),
)


def test_logical_types_nested_ones_and_unions_land_as_what_they_mean(spark, tmp_path):
    row = {
        "price": Decimal("1234567890123456789012345678901234.5678"), "wide": Decimal("9" * 58 + ".25"), "day": date(2024, 2, 29),
        "at": datetime(2024, 1, 1, 12, 0, 0, 5000, tzinfo=UTC), "local": datetime(2024, 1, 1, 1), "clock": time(23, 59, 59, 1000),
        "key": UUID(int=7), "kind": "B", "tags": {"a": date(1970, 1, 2), "b": None}, "list": [{"n": 1}, {"n": None}],
        "either": 5, "number": 3, "bytes": b"\x00\xff",
    }  # fmt: skip
    put(tmp_path, "a.avro", avro(MEANT, [row, row | {"either": "x", "number": 2.5}]))
    good, broken = landed(spark, tmp_path, format="avro")
    assert broken == []
    first = {key: value for key, value in good[0].items() if not key.startswith("_")}
    assert first == {
        "price": Decimal("1234567890123456789012345678901234.5678"), "wide": "9" * 58 + ".25", "day": date(2024, 2, 29),
        "at": datetime(2024, 1, 1, 12, 0, 0, 5000), "local": datetime(2024, 1, 1, 1), "clock": "23:59:59.001000",
        "key": str(UUID(int=7)), "kind": "B", "tags": {"a": date(1970, 1, 2), "b": None}, "list": [(1,), (None,)],
        "either": "5", "number": 3.0, "bytes": bytearray(b"\x00\xff"),
    }  # fmt: skip
    assert (good[1]["either"], good[1]["number"]) == ('"x"', 2.5)


def test_values_that_no_type_holds_break_their_record_alone(spark, tmp_path):
    kinds = record(
        field("id", "long"), field("day", {"type": "int", "logicalType": "date"}),
        field("price", {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}),
    )  # fmt: skip
    raw = record(field("id", "long"), field("day", "int"), field("price", "bytes"))
    plain = avro(raw, [
        {"id": 1, "day": 19000, "price": b"\x01"}, {"id": 2, "day": -719529, "price": b"\x01"},
        {"id": 3, "day": 2932897, "price": b"\x01"}, {"id": 4, "day": 0, "price": b"\x7f\xff\xff"}, {"id": 5, "day": 1, "price": b"\xff"},
    ])  # fmt: skip
    header = header_of(io.BytesIO(plain))
    empty = avro(kinds, [], sync_marker=header.sync)
    put(tmp_path, "a.avro", empty + plain[header.end :])
    good, broken = landed(spark, tmp_path, format="avro")
    assert [(row["id"], row["price"]) for row in good] == [(1, Decimal("0.01")), (5, Decimal("-0.01"))]
    assert [(json.loads(row["raw"])["id"], row["reasons"]) for row in broken] == [
        (2, ["day: not date"]), (3, ["day: not date"]), (4, ["price: not decimal128(4, 2)"]),
    ]  # fmt: skip


def test_a_declared_schema_reads_older_and_newer_files_and_refuses_one_that_forks(spark, tmp_path):
    (tmp_path / "row.avsc").write_text(
        json.dumps(record(field("id", "double"), field("word", "string", default="none", aliases=["name"])))
    )
    put(tmp_path, "a.avro", avro(record(field("id", "int")), [{"id": 1}]))
    put(tmp_path, "b.avro", avro(record(field("name", "string"), field("id", "long"), field("new", "int"), name="v2"), [{"id": 2, "name": "x", "new": 1}]))  # fmt: skip
    forked = avro(record(field("id", "string")), [{"id": "three"}])
    put(tmp_path, "c.avro", forked)
    good, broken = landed(spark, tmp_path, format="avro", schema="row.avsc")
    assert [(row["id"], row["word"]) for row in good] == [(1.0, "none"), (2.0, "x")]
    (kept,) = broken
    assert kept["reasons"] == ["its schema forks from the declared one at id: string, and the declared one is double"]
    assert bytes(kept["bytes"]) == forked
    (tmp_path / "row.avsc").write_text("{")
    for file, code in (("row.avsc", "LL-CONF-004"), ("none.avsc", "LL-CONF-009")):
        with pytest.raises(ConfigError) as caught:
            landed(spark, tmp_path, format="avro", schema=file)
        assert caught.value.code == code


def test_a_record_that_can_not_be_decoded_sends_its_file_to_quarantine_with_the_place(spark, tmp_path):
    put(tmp_path, "a.avro", avro(PLAIN, words(1, 2)))
    spoilt = bytearray(avro(PLAIN, words(*range(100))))
    header = header_of(io.BytesIO(bytes(spoilt)))
    (block,) = blocks(io.BytesIO(bytes(spoilt)), header, 0, len(spoilt))
    at = spoilt.index(b"w50") - 2  # which branch of the union: there is no ninth
    spoilt[at] = 18
    put(tmp_path, "b.avro", bytes(spoilt))
    made = FilesConfig(kind="files", path="in/*", format="avro")
    batch = Files.poll(made, [], None, lambda: spark, tmp_path)
    assert [each["problem"] for each in batch["files"]] == [None, None]
    session = spark.newSession()
    with pytest.raises(Exception, match="can't be decoded"):
        Files.read(session, made, batch, None, tmp_path).good.count()
    probed = Files.probe(session, made, batch, tmp_path)
    found = Files.read(session, made, probed, None, tmp_path)
    assert [row.id for row in found.good.collect()] == [1, 2]
    (kept,) = found.broken.collect()
    assert kept.reasons == [f"record 50 of the block at byte {block.offset} can't be decoded"]
    assert bytes(kept.bytes) == bytes(spoilt)


def test_numbers_are_unique_and_the_same_however_the_file_is_cut(spark, tmp_path):
    put(tmp_path, "a.avro", avro(PLAIN, words(*range(20_000)), codec="deflate", sync_interval=4000))
    made = FilesConfig(kind="files", path="in/*", format="avro")
    batch = Files.poll(made, [], None, lambda: spark, tmp_path)
    found = []
    for size in (7000, 1 << 27):
        good = Files.read(spark.newSession(), made, batch | {"split_bytes": size}, None, tmp_path).good
        found.append([(row._record, row.id) for row in good.orderBy("_record").collect()])
    assert found[0] == found[1]
    assert [number for _, number in found[0]] == list(range(20_000))
    assert len({place for place, _ in found[0]}) == 20_000


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"Obj\x02more", "it is not Avro"), (b"Obj\x01", "it is truncated"), (avro(PLAIN, [])[:-4], "it is not Avro, or is truncated"),
        (avro("string", ["a"]), "its schema is no record"), (avro(record(), [{}]), "its schema has no field"),
        (avro(record(field("next", ["null", "row"])), [{"next": None}]), "its schema refers to itself"),
        (avro(PLAIN, []).replace(b"\x08null", b"\x08lz77"), "its codec is none of null, deflate, snappy, bzip2, xz, zstandard"),
        (avro(PLAIN, []).replace(b'"long"', b'"lang"'), "its schema is not one of Avro"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told(tmp_path, content, problem):
    assert look(tmp_path, content).problem == problem
