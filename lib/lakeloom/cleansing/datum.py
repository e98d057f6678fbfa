"""One Avro datum: bytes → Python values by a schema, after "Binary Encoding" of Avro's specification 1.12.

A schema is compiled once into nested functions ``(data, at) → (value, next at)``. Bytes that are no datum
of the schema, or that go on behind it, raise ValueError or one of its kin (`MALFORMED`). Refused in a
schema are unions of more than null and one type, and types within themselves: Spark has neither.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

Read = Callable[[bytes, int], tuple[Any, int]]
MALFORMED = (ValueError, IndexError, OverflowError, struct.error)
_EPOCH = datetime(1970, 1, 1)
_DAY_0 = _EPOCH.toordinal()
_EXACT = Context(prec=80)
_MOST_DIGITS = 38


def compiled(schema: Any) -> tuple[str, Read]:
    """Return the Spark type of a schema's data and the function that reads them; ValueError says what is wrong."""
    return _compile(schema, {}, ())


def decoded(data: bytes, read: Read, start: int = 0) -> Any:
    """Return the one datum that `data` holds from `start` on; raises `MALFORMED`."""
    value, end = read(data, start)
    if end != len(data):
        raise ValueError("bytes behind the datum")
    return value


def remember(schema: Mapping[str, Any], named: dict[str, Any]) -> None:
    """Note a named type under each of the names by which the rest of the schema may mean it."""
    name = str(schema.get("name", ""))
    named |= {name: schema, name.rpartition(".")[2]: schema}
    if schema.get("namespace"):
        named[f"{schema['namespace']}.{name}"] = schema


def _compile(schema: Any, named: dict[str, Any], inside: tuple[str, ...]) -> tuple[str, Read]:
    if isinstance(schema, list):
        return _union(schema, named, inside)
    if isinstance(schema, str):
        if schema in inside:
            raise ValueError(f"'{schema}' holds itself")
        if schema in named:
            return _compile(named[schema], named, inside)
        if schema not in _PLAIN:
            raise ValueError(f"'{schema}' is no type of Avro, nor one that the schema defines before")
        return _PLAIN[schema]
    if not isinstance(schema, Mapping) or "type" not in schema:
        raise ValueError("a type is a name, a list or a mapping with 'type'")
    kind = schema["type"]
    if kind in ("record", "enum", "fixed"):
        remember(schema, named)
        name = str(schema.get("name", ""))
        inside = (*inside, name, name.rpartition(".")[2], f"{schema.get('namespace', '')}.{name}")
    makers = {"record": _record, "enum": _enum, "fixed": _fixed, "array": _array, "map": _map}
    of, read = makers[kind](schema, named, inside) if kind in makers else _compile(kind, named, inside)
    return _logical(schema, of, read)


def _union(branches: list[Any], named: dict[str, Any], inside: tuple[str, ...]) -> tuple[str, Read]:
    real = [branch for branch in branches if branch != "null"]
    if len(real) != 1 or len(branches) > 2:
        raise ValueError("a union is of null and one type: Spark has no others")
    of, read = _compile(real[0], named, inside)
    some = branches.index(real[0])

    def union(data: bytes, at: int) -> tuple[Any, int]:
        branch, at = _long(data, at)
        if not 0 <= branch < len(branches):
            raise ValueError("no such branch")
        return read(data, at) if branch == some else (None, at)

    return of, union


def _record(schema: Mapping[str, Any], named: dict[str, Any], inside: tuple[str, ...]) -> tuple[str, Read]:
    fields = [(field["name"], *_compile(field["type"], named, inside)) for field in schema.get("fields", ())]
    if not fields:
        raise ValueError("a record has no fields: Spark has no such struct")
    reads = [read for _, _, read in fields]

    def record(data: bytes, at: int) -> tuple[Any, int]:
        values = []
        for read in reads:
            value, at = read(data, at)
            values.append(value)
        return tuple(values), at

    names = ["`" + name.replace("`", "``") + "`" for name, _, _ in fields]
    return f"struct<{','.join(f'{name}:{of}' for name, (_, of, _) in zip(names, fields, strict=True))}>", record


def _enum(schema: Mapping[str, Any], named: dict[str, Any], inside: tuple[str, ...]) -> tuple[str, Read]:
    symbols = list(schema["symbols"])

    def enum(data: bytes, at: int) -> tuple[Any, int]:
        index, at = _long(data, at)
        if index < 0:
            raise ValueError("no such symbol")
        return symbols[index], at

    return "string", enum


def _fixed(schema: Mapping[str, Any], named: dict[str, Any], inside: tuple[str, ...]) -> tuple[str, Read]:
    size = int(schema["size"])
    return "binary", lambda data, at: _taken(data, at, size)


def _array(schema: Mapping[str, Any], named: dict[str, Any], inside: tuple[str, ...]) -> tuple[str, Read]:
    of, read = _compile(schema["items"], named, inside)
    return f"array<{of}>", lambda data, at: _blocks(data, at, read)


def _map(schema: Mapping[str, Any], named: dict[str, Any], inside: tuple[str, ...]) -> tuple[str, Read]:
    of, read = _compile(schema["values"], named, inside)

    def entry(data: bytes, at: int) -> tuple[Any, int]:
        key, at = _string(data, at)
        value, at = read(data, at)
        return (key, value), at

    def entries(data: bytes, at: int) -> tuple[Any, int]:
        found, at = _blocks(data, at, entry)
        return dict(found), at

    return f"map<string,{of}>", entries


def _blocks(data: bytes, at: int, read: Read) -> tuple[list[Any], int]:
    found: list[Any] = []
    while True:
        count, at = _long(data, at)
        if count == 0:
            return found, at
        if count < 0:  # the block's size in bytes follows, for those who skip it
            count = -count
            _, at = _long(data, at)
        # Broken bytes may name any number; each item has a byte of its own at least.
        if count > len(data) - at:
            raise ValueError("more items than bytes")
        for _ in range(count):
            item, at = read(data, at)
            found.append(item)


def _logical(schema: Mapping[str, Any], of: str, read: Read) -> tuple[str, Read]:
    kind = schema.get("logicalType")
    if kind == "decimal" and of == "binary":
        precision, scale = int(schema["precision"]), int(schema.get("scale", 0))
        if not 0 <= scale <= precision <= _MOST_DIGITS:
            raise ValueError(f"decimals of Spark have at most {_MOST_DIGITS} digits")
        return f"decimal({precision},{scale})", _mapped(read, lambda value: _decimal(value, precision, scale))
    if kind == "date" and of == "int":
        return "date", _mapped(read, lambda value: date.fromordinal(_DAY_0 + value))
    for unit, micros in (("millis", 1000), ("micros", 1)):
        if kind == f"timestamp-{unit}" and of == "bigint":
            return "timestamp", _mapped(
                read, lambda value, n=micros: (_EPOCH + timedelta(microseconds=value * n)).replace(tzinfo=UTC)
            )
        if kind == f"local-timestamp-{unit}" and of == "bigint":
            return "timestamp_ntz", _mapped(read, lambda value, n=micros: _EPOCH + timedelta(microseconds=value * n))
    # Others are annotations that a reader may leave alone: uuid stays text, times of day stay numbers.
    return of, read


def _mapped(read: Read, make: Callable[..., Any]) -> Read:
    def mapped(data: bytes, at: int) -> tuple[Any, int]:
        value, at = read(data, at)
        return make(value), at

    return mapped


def _decimal(value: bytes, precision: int, scale: int) -> Decimal:
    unscaled = int.from_bytes(value, "big", signed=True)
    if abs(unscaled) >= 10**precision:
        raise ValueError("more digits than the precision")
    return Decimal(unscaled).scaleb(-scale, _EXACT)


def _long(data: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if found >> 64:
        raise ValueError("more than 64 bits")
    return (found >> 1) ^ -(found & 1), at


def _int(data: bytes, at: int) -> tuple[int, int]:
    found, at = _long(data, at)
    if not -(1 << 31) <= found < 1 << 31:
        raise ValueError("more than 32 bits")
    return found, at


def _boolean(data: bytes, at: int) -> tuple[bool, int]:
    if data[at] > 1:
        raise ValueError("neither false nor true")
    return data[at] == 1, at + 1


def _number(form: str) -> Read:
    size = struct.calcsize(form)
    return lambda data, at: (struct.unpack_from(form, data, at)[0], at + size)


def _taken(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if size < 0 or at + size > len(data):
        raise ValueError("fewer bytes than are named")
    return data[at : at + size], at + size


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _long(data, at)
    return _taken(data, at, size)


def _string(data: bytes, at: int) -> tuple[str, int]:
    value, at = _bytes(data, at)
    return value.decode("utf-8"), at


_PLAIN: dict[str, tuple[str, Read]] = {
    "boolean": ("boolean", _boolean),
    "int": ("int", _int),
    "long": ("bigint", _long),
    "float": ("float", _number("<f")),
    "double": ("double", _number("<d")),
    "bytes": ("binary", _bytes),
    "string": ("string", _string),
}
