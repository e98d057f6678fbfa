"""One Avro datum: Python values → bytes by a schema, the other way round of `lakeloom.cleansing.datum`.

After "Binary Encoding" of Avro's specification 1.12. What the schema has no bytes for (NULL where it has no
null, a number that is too large, a decimal that would be rounded, an unknown symbol) raises ValueError or one
of its kin (`UNFIT`). Arrays and maps are written as one block, as Avro's own library does.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Context, Decimal, Inexact
from typing import Any

from lakeloom.cleansing.datum import compiled, remember

Write = Callable[[Any], bytes]
UNFIT = (ValueError, TypeError, KeyError, OverflowError, AttributeError, ArithmeticError, struct.error)
_EPOCH = datetime(1970, 1, 1)
_DAY_0 = _EPOCH.toordinal()
_EXACT = Context(prec=80, traps=[Inexact])
_SIZES = {"int": 31, "long": 63}
# Microseconds in what a time is counted by.
_UNITS = {"millis": 1000, "micros": 1}


def encoder(schema: Any) -> tuple[str, Write]:
    """Return the Spark type of a schema's data and the function that writes them; ValueError says what is wrong."""
    return compiled(schema)[0], _compile(schema, {})


def _compile(schema: Any, named: dict[str, Any]) -> Write:
    if isinstance(schema, list):
        return _union(schema, named)
    if isinstance(schema, str):
        return _PLAIN[schema] if schema in _PLAIN else _compile(named[schema], named)
    kind = schema["type"]
    if kind in ("record", "enum", "fixed"):
        remember(schema, named)
    logical = _logical(schema)
    if logical is not None:
        return logical
    makers = {"record": _record, "enum": _enum, "fixed": _fixed, "array": _array, "map": _map}
    return makers[kind](schema, named) if kind in makers else _compile(kind, named)


def _union(branches: list[Any], named: dict[str, Any]) -> Write:
    some = next(index for index, branch in enumerate(branches) if branch != "null")
    write, nothing = _compile(branches[some], named), branches.index("null") if "null" in branches else None

    def union(value: Any) -> bytes:
        if value is not None:
            return _long(some) + write(value)
        if nothing is None:
            raise ValueError("NULL where the schema has no null")
        return _long(nothing)

    return union


def _record(schema: Mapping[str, Any], named: dict[str, Any]) -> Write:
    fields = [(field["name"], _compile(field["type"], named)) for field in schema["fields"]]

    def record(value: Any) -> bytes:
        # A row of Spark knows its fields by name; a plain tuple has them in the schema's order.
        by_name = getattr(value, "__fields__", None) is not None
        values = [value[name] for name, _ in fields] if by_name else value
        return b"".join(write(each) for (_, write), each in zip(fields, values, strict=True))

    return record


def _enum(schema: Mapping[str, Any], named: dict[str, Any]) -> Write:
    places = {symbol: _long(index) for index, symbol in enumerate(schema["symbols"])}
    return lambda value: places[value]


def _fixed(schema: Mapping[str, Any], named: dict[str, Any]) -> Write:
    size = int(schema["size"])

    def fixed(value: Any) -> bytes:
        if len(value) != size:
            raise ValueError("another number of bytes than the schema's")
        return bytes(value)

    return fixed


def _array(schema: Mapping[str, Any], named: dict[str, Any]) -> Write:
    write = _compile(schema["items"], named)
    return lambda value: _block([write(item) for item in value])


def _map(schema: Mapping[str, Any], named: dict[str, Any]) -> Write:
    write = _compile(schema["values"], named)
    return lambda value: _block([_string(key) + write(item) for key, item in value.items()])


def _block(items: list[bytes]) -> bytes:
    return b"".join([_long(len(items)), *items, _long(0)]) if items else _long(0)


def _logical(schema: Mapping[str, Any]) -> Write | None:
    """Return what writes a logical type that is a type of Spark's own."""
    kind, of = schema.get("logicalType"), schema["type"]
    of = of["type"] if isinstance(of, Mapping) else of
    if kind == "decimal" and of in ("bytes", "fixed"):
        size = int(schema["size"]) if of == "fixed" else None
        precision, scale = int(schema["precision"]), int(schema.get("scale", 0))
        return lambda value: _decimal(value, precision, scale, size)
    if kind == "date" and of == "int":
        return lambda value: _long(date.toordinal(value) - _DAY_0)
    of_time = {"timestamp": _moment, "local-timestamp": _micros}
    name, _, unit = str(kind).rpartition("-")
    if of == "long" and name in of_time and unit in _UNITS:
        return lambda value: _long(_parted(of_time[name](value), _UNITS[unit]))
    return None


def _moment(value: datetime) -> int:
    """Return the microseconds since 1970 in UTC; a time without a zone is this process's, as Spark hands it over."""
    return round(value.replace(microsecond=0).timestamp()) * 1_000_000 + value.microsecond


def _micros(value: datetime) -> int:
    passed = value - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _parted(micros: int, unit: int) -> int:
    whole, rest = divmod(micros, unit)
    if rest:
        raise ValueError("more digits of a second than the schema has")
    return whole


def _decimal(value: Decimal, precision: int, scale: int, size: int | None) -> bytes:
    unscaled = int(value.quantize(Decimal(1).scaleb(-scale), context=_EXACT).scaleb(scale, _EXACT))
    if abs(unscaled) >= 10**precision:
        raise ValueError("more digits than the precision")
    if size is not None:
        return unscaled.to_bytes(size, "big", signed=True)
    # One bit more than the number has, for its sign: the fewest bytes.
    bits = (unscaled if unscaled >= 0 else ~unscaled).bit_length() + 1
    return _bytes(unscaled.to_bytes(-(-bits // 8), "big", signed=True))


def _long(value: int) -> bytes:
    left = (value << 1) ^ (value >> 63)
    found = bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)


def _whole(kind: str) -> Write:
    bound = 1 << _SIZES[kind]

    def whole(value: Any) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int) or not -bound <= value < bound:
            raise ValueError(f"no {kind}")
        return _long(value)

    return whole


def _boolean(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return b"\x01" if value else b"\x00"


def _bytes(value: Any) -> bytes:
    return _long(len(value)) + bytes(value)


def _string(value: Any) -> bytes:
    return _bytes(value.encode("utf-8"))


_PLAIN: dict[str, Write] = {
    "boolean": _boolean,
    "int": _whole("int"),
    "long": _whole("long"),
    "float": lambda value: struct.pack("<f", value),
    "double": lambda value: struct.pack("<d", value),
    "bytes": _bytes,
    "string": _string,
}
