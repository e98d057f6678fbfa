"""Protobuf's messages: what columns they make, by the descriptor set that ``protoc --include_imports`` wrote.

Source: Protocol Buffers documentation, "Language Guide" and "ProtoJSON Format".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import SetupError
from lakeloom.core.extras import command

if TYPE_CHECKING:
    import pyarrow as pa

_TIMESTAMP = "google.protobuf.Timestamp"
_WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64")
)


@dataclass(frozen=True)
class Column:
    """A column: its field's name, its Arrow type, and what gives its value of a message."""

    name: str
    kind: pa.DataType
    of: Callable[[Any], Any]


def message_class(described: bytes, name: str) -> Any:
    """Return the class of a message.

    Raises
    ------
    ValueError
        Where the bytes are no descriptor set, lack what they import, or hold no such message.
    SetupError
        LL-SETUP-003 where Protobuf's runtime is not installed.
    """
    try:
        from google.protobuf import descriptor_pool, message_factory
        from google.protobuf.descriptor_pb2 import FileDescriptorSet
        from google.protobuf.message import DecodeError
    except ImportError:  # many packages bring it, so that its absence speaks of none of them
        fix = f"{command('formats')}, on the workers too where there are any"
        raise SetupError("LL-SETUP-003", "the package 'protobuf' is not installed", fix=fix) from None

    try:
        files = {each.name: each for each in FileDescriptorSet.FromString(described).file}
    except DecodeError:
        files = {}
    if not files:
        raise ValueError("it is no descriptor set; write it by protoc --include_imports --descriptor_set_out")
    pool = descriptor_pool.DescriptorPool()
    try:
        for each in _in_order(files):
            pool.Add(each)
    except (TypeError, KeyError, RecursionError):
        raise ValueError("it lacks what it imports; write it by protoc --include_imports") from None
    try:
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    except KeyError:
        known = sorted(
            ".".join(filter(None, (file.package, each.name)))
            for file in files.values()
            if file.package != "google.protobuf"
            for each in file.message_type
        )
        raise ValueError(f"it has no message {name}; it has {', '.join(known) or 'none'}") from None


def _in_order(files: dict[str, Any]) -> Iterator[Any]:
    """Yield files, each behind those that it imports; well-known ones that lack are the library's."""
    from google.protobuf import descriptor_pool
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    done: set[str] = set()

    def visit(name: str) -> Iterator[Any]:
        if name in done:
            return
        done.add(name)
        file = files.get(name)
        if file is None:
            from google.protobuf import (  # noqa: F401  they are in the library's pool once they were imported
                any_pb2,
                duration_pb2,
                struct_pb2,
                timestamp_pb2,
                wrappers_pb2,
            )

            file = FileDescriptorProto()
            descriptor_pool.Default().FindFileByName(name).CopyToProto(file)
        for imported in file.dependency:
            yield from visit(imported)
        yield file

    for name in files:
        yield from visit(name)


def columns(descriptor: Any) -> list[Column]:
    """Return the columns of a message; raises ValueError where it has no field."""
    found = [_column(field, (descriptor.full_name,)) for field in descriptor.fields]
    if not found:
        raise ValueError(f"message {descriptor.full_name} has no field")
    return found


def _column(field: Any, above: tuple[str, ...]) -> Column:
    import pyarrow as pa

    name = field.name
    if _is_map(field):
        key, value = (field.message_type.fields_by_name[part] for part in ("key", "value"))
        (key_kind, key_of), (kind, of) = _kind(key, above), _kind(value, above)

        def pairs(message: Any) -> list[tuple[Any, Any]]:
            return [(key_of(each), of(held)) for each, held in getattr(message, name).items()]

        return Column(name, pa.map_(key_kind, kind), pairs)
    kind, of = _kind(field, above)
    if field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED:
        return Column(name, pa.list_(kind), lambda message: [of(each) for each in getattr(message, name)])
    if field.has_presence:
        return Column(name, kind, lambda message: of(getattr(message, name)) if message.HasField(name) else None)
    return Column(name, kind, lambda message: of(getattr(message, name)))


def _is_map(field: Any) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _kind(field: Any, above: tuple[str, ...]) -> tuple[pa.DataType, Callable[[Any], Any]]:
    """Return the type of one value of a field, and what makes it of Protobuf's."""
    import pyarrow as pa

    if field.message_type is not None:
        return _message(field.message_type, above)
    if field.enum_type is not None:
        names = {number: value.name for number, value in field.enum_type.values_by_number.items()}
        return pa.string(), lambda value: names.get(value, str(value))
    plain = {
        field.CPPTYPE_INT32: pa.int32(), field.CPPTYPE_INT64: pa.int64(), field.CPPTYPE_UINT32: pa.int64(),
        field.CPPTYPE_DOUBLE: pa.float64(), field.CPPTYPE_FLOAT: pa.float32(), field.CPPTYPE_BOOL: pa.bool_(),
    }  # fmt: skip
    if field.cpp_type == field.CPPTYPE_UINT64:
        return pa.decimal128(20, 0), Decimal
    if field.cpp_type == field.CPPTYPE_STRING:
        return (pa.binary() if field.type == field.TYPE_BYTES else pa.string()), _itself
    return plain[field.cpp_type], _itself


def _itself(value: Any) -> Any:
    return value


def _message(descriptor: Any, above: tuple[str, ...]) -> tuple[pa.DataType, Callable[[Any], Any]]:
    import pyarrow as pa

    name = descriptor.full_name
    if name == _TIMESTAMP:  # Spark's times end at microseconds
        return pa.timestamp("us", tz="UTC"), lambda value: value.seconds * 1_000_000 + value.nanos // 1000
    if name in _WRAPPERS:
        kind, of = _kind(descriptor.fields_by_name["value"], above)
        return kind, lambda value: of(value.value)
    if name in above or not descriptor.fields or name == "google.protobuf.Struct":
        return pa.string(), _json  # what holds itself has no end as columns
    parts = [_column(field, (*above, name)) for field in descriptor.fields]
    kind = pa.struct([pa.field(part.name, part.kind) for part in parts])
    return kind, lambda value: {part.name: part.of(value) for part in parts}


def _json(value: Any) -> str:
    from google.protobuf.json_format import MessageToJson

    return str(MessageToJson(value, indent=None, preserving_proto_field_name=True))


def unknown(message: Any) -> str | None:
    """Return the first field, by its number and where it stands, that the descriptor does not know."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    found = UnknownFieldSet(message)
    if len(found):
        return f"field {found[0].field_number}"
    for field, value in message.ListFields():
        told = _unknown_in(field, value)
        if told:
            return f"{field.name}: {told}"
    return None


def _unknown_in(field: Any, value: Any) -> str | None:
    if _is_map(field):
        value = list(value.values())
        field = field.message_type.fields_by_name["value"]
    many = value if isinstance(value, list) or hasattr(value, "append") or hasattr(value, "add") else [value]
    if field.message_type is not None:
        return next((told for each in many if (told := unknown(each))), None)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number
        return next((f"value {each}" for each in many if each not in known), None)
    return None
