"""Protobuf: descriptor sets, types, framings, what is newer than its descriptor, and what can't be decoded."""

import base64
import gzip
import json
from datetime import datetime
from decimal import Decimal

import pytest
from google.protobuf import descriptor_pb2, timestamp_pb2, wrappers_pb2
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.core.errors import ConfigError, SourceError
from lakeloom.sources.formats.protobuf import ProtobufScanner
from lakeloom.sources.formats.protobuf_schema import message_class
from lakeloom.sources.reading import Reading
from tests.sources.test_formats import landed, put

F = descriptor_pb2.FieldDescriptorProto


def described(*more, imports=True):
    """Return the descriptor set of ``shop.Order``, as protoc would write it; `more` are fields of a newer version."""
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3")
    file.dependency.extend(["google/protobuf/timestamp.proto", "google/protobuf/wrappers.proto"])
    kind = file.enum_type.add(name="Kind")
    kind.value.add(name="NONE", number=0)
    kind.value.add(name="GIFT", number=1)
    part = file.message_type.add(name="Part")
    part.field.add(name="sku", number=1, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)
    part.field.add(name="inner", number=2, type=F.TYPE_MESSAGE, type_name=".shop.Part", label=F.LABEL_OPTIONAL)
    order = file.message_type.add(name="Order")
    entry = order.nested_type.add(name="CountsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=F.TYPE_INT32, label=F.LABEL_OPTIONAL)
    order.oneof_decl.add(name="_weight")
    for number, name, type_, label, more_words in (
        (1, "id", F.TYPE_INT64, F.LABEL_OPTIONAL, {}), (2, "big", F.TYPE_UINT64, F.LABEL_OPTIONAL, {}),
        (3, "kind", F.TYPE_ENUM, F.LABEL_OPTIONAL, {"type_name": ".shop.Kind"}),
        (4, "parts", F.TYPE_MESSAGE, F.LABEL_REPEATED, {"type_name": ".shop.Part"}),
        (5, "counts", F.TYPE_MESSAGE, F.LABEL_REPEATED, {"type_name": ".shop.Order.CountsEntry"}),
        (6, "at", F.TYPE_MESSAGE, F.LABEL_OPTIONAL, {"type_name": ".google.protobuf.Timestamp"}),
        (7, "note", F.TYPE_MESSAGE, F.LABEL_OPTIONAL, {"type_name": ".google.protobuf.StringValue"}),
        (8, "weight", F.TYPE_DOUBLE, F.LABEL_OPTIONAL, {"proto3_optional": True, "oneof_index": 0}),
        (9, "raw", F.TYPE_BYTES, F.LABEL_OPTIONAL, {}),
        *more,
    ):  # fmt: skip
        order.field.add(number=number, name=name, type=type_, label=label, **more_words)
    found = descriptor_pb2.FileDescriptorSet(file=[file])
    if imports:
        for each in (timestamp_pb2, wrappers_pb2):
            each.DESCRIPTOR.CopyToProto(found.file.add())
    return found.SerializeToString()


NEWER = (20, "coupon", F.TYPE_STRING, F.LABEL_OPTIONAL, {})
ORDER = message_class(described(), "shop.Order")
ORDER_V2 = message_class(described(NEWER), "shop.Order")


def framed(*messages):
    out = b""
    for message in messages:
        data = message if isinstance(message, bytes) else message.SerializeToString()
        size = len(data)
        while size > 0x7F:
            out += bytes([size & 0x7F | 0x80])
            size >>= 7
        out += bytes([size]) + data
    return out


def orders(*numbers):
    return [ORDER(id=number) for number in numbers]


@pytest.fixture
def base(tmp_path):
    (tmp_path / "order.pb").write_bytes(described())
    return tmp_path


WORDS = {"format": "protobuf", "descriptor": "order.pb", "message": "shop.Order"}


def test_messages_land_with_the_types_of_their_descriptor(spark, base):
    full = ORDER(id=-7, big=2**64 - 1, kind=1, weight=0.0, raw=b"\x00\xff", counts={"a": 1})
    full.parts.add(sku="x").inner.sku = "deep"
    full.at.FromJsonString("2024-05-01T12:00:00.000001Z")
    full.note.value = ""
    put(base, "a.pb", framed(full, ORDER()))
    put(base, "b.pb.gz", gzip.compress(framed(*orders(1, 2))))
    good, broken = landed(spark, base, **WORDS)
    assert broken == []
    first = {key: value for key, value in good[0].items() if not key.startswith("_")}
    assert first == {
        "id": -7, "big": Decimal(2**64 - 1), "kind": "GIFT", "parts": [("x", '{"sku": "deep"}')], "counts": {"a": 1},
        "at": datetime(2024, 5, 1, 12, 0, 0, 1), "note": "", "weight": 0.0, "raw": bytearray(b"\x00\xff"),
    }  # fmt: skip
    empty = {key: value for key, value in good[1].items() if not key.startswith("_")}
    assert empty == {
        "id": 0, "big": Decimal(0), "kind": "NONE", "parts": [], "counts": {}, "at": None, "note": None, "weight": None,
        "raw": bytearray(),
    }  # fmt: skip
    assert [(row["_file_no"], row["_record"]) for row in good] == [
        (0, 0), (0, len(framed(full))), (1, 0), (1, len(framed(*orders(1)))),
    ]  # fmt: skip


def test_what_can_not_be_decoded_or_is_newer_is_kept_whole_with_its_place(spark, base):
    newer, spoilt, odd = ORDER_V2(id=2, coupon="half").SerializeToString(), b"\x0a\xff", ORDER(id=5, kind=7)
    put(base, "a.pb", framed(*orders(1), newer, spoilt, odd, *orders(3)))
    good, broken = landed(spark, base, **WORDS)
    assert [row["id"] for row in good] == [1, 3]
    second = len(framed(*orders(1)))
    assert [(row["_record"], base64.b64decode(row["raw"]), row["reasons"]) for row in broken] == [
        (second, newer, ["its descriptor does not know field 20"]),
        (second + len(framed(newer)), spoilt, ["not decodable as shop.Order"]),
        (second + len(framed(newer, spoilt)), odd.SerializeToString(), ["its descriptor does not know kind: value 7"]),
    ]
    good, broken = landed(spark, base, **WORDS, unknown="ignore")
    assert [(row["id"], row["kind"]) for row in good] == [(1, "NONE"), (2, "NONE"), (5, "7"), (3, "NONE")]
    assert len(broken) == 1
    with pytest.raises(SourceError) as caught:
        landed(spark, base, **WORDS, unknown="fail")
    assert (caught.value.code, caught.value.message) == (
        "LL-SOURCE-011", f"in/a.pb: the message at byte {second} holds field 20",
    )  # fmt: skip
    # The newer descriptor reads both versions.
    (base / "order.pb").write_bytes(described(NEWER))
    good, broken = landed(spark, base, **WORDS)
    assert [(row["id"], row["coupon"]) for row in good] == [(1, ""), (2, "half"), (3, "")]


def test_a_message_a_file(spark, base):
    put(base, "a.bin", ORDER(id=1).SerializeToString())
    put(base, "b.bin", b"\x0a\xff")
    good, broken = landed(spark, base, **WORDS, options={"framing": "file"})
    assert [(row["id"], row["_record"]) for row in good] == [(1, 0)]
    assert [(row["_file"], row["reasons"]) for row in broken] == [("in/b.bin", ["not decodable as shop.Order"])]


def problem(content, chunk=1 << 20, **more):
    scanner = ProtobufScanner(Reading("protobuf", schema=described(), message="shop.Order", **more))
    for start in range(0, len(content), chunk):
        scanner.feed(content[start : start + chunk])
    return scanner.close("")[1]


@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 20])
def test_a_length_that_leads_nowhere_is_told_with_its_place(chunk):
    sound = framed(*orders(1, 2), ORDER(id=3, raw=b"x" * 300))
    assert problem(sound, chunk) is None
    third = len(framed(*orders(1, 2)))
    assert problem(sound[:-1], chunk) == f"the message at byte {third} is cut off"
    assert problem(sound + b"\x80", chunk) == f"the message at byte {len(sound)} is cut off"
    assert problem(sound + b"\xff" * 9, chunk) == f"at byte {len(sound)} stands no length of a message"
    assert problem(sound + b"\xff\xff\xff\xff\x01", chunk) == f"at byte {len(sound)} stands no length of a message"


@given(st.lists(st.binary(max_size=400)), st.integers(1, 50))
def test_lengths_are_followed_over_any_chunks(messages, chunk):
    assert problem(framed(*messages), chunk) is None


@pytest.mark.parametrize(
    ("content", "message", "told"),
    [
        (b"no set", "shop.Order", "no descriptor set"), (b"", "shop.Order", "no descriptor set"),
        (described(), "Order", "it has no message Order; it has shop.Order, shop.Part"),
    ],
)  # fmt: skip
def test_a_descriptor_that_is_none_is_told_before_anything_is_read(tmp_path, content, message, told):
    from lakeloom.sources.files_config import FilesConfig

    (tmp_path / "order.pb").write_bytes(content)
    made = FilesConfig(kind="files", path="in/*", format="protobuf", descriptor="order.pb", message=message)
    with pytest.raises(ConfigError) as caught:
        made.reading_at(tmp_path)
    assert caught.value.code == "LL-CONF-004" and told in caught.value.message


def test_well_known_files_need_not_be_in_the_set():
    found = message_class(described(imports=False), "shop.Order")
    assert json.loads(json.dumps([field.name for field in found.DESCRIPTOR.fields]))[5] == "at"
