"""Avro's schemas: what columns they make.

Times, dates and decimals are decoded as the numbers that they are written as, and become what they mean in Arrow:
a date of the year 10000 is then a value that does not fit, and not an error of the decoder.

Source: Apache Avro 1.12 specification, "Logical Types".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Convert = Callable[[Any], Any]
_NUMBERS = ("int", "long", "float", "double")
_LARGEST_PRECISION = 38


class SchemaError(Exception):
    """Why a schema can't be columns, in words."""


@dataclass(frozen=True)
class Column:
    """A column: its Arrow type, and what makes a decoded value one of it; None where it is one already."""

    name: str
    kind: pa.DataType
    convert: Convert | None


def parsed(schema: Any) -> Any:
    """Return a schema with full names, checked; raises SchemaError."""
    from fastavro.schema import SchemaParseException, UnknownType, parse_schema

    try:
        return parse_schema(schema, _write_hint=False)
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError, RecursionError):
        raise SchemaError("its schema is not one of Avro") from None


def bare(schema: Any) -> Any:
    """Return a schema without its logical types."""
    if isinstance(schema, list):
        return [bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("logicalType", "precision", "scale")}
    for key in ("type", "items", "values"):
        if isinstance(kept.get(key), (dict, list)):
            kept[key] = bare(kept[key])
    if "fields" in kept:
        kept["fields"] = [each | {"type": bare(each["type"])} for each in kept["fields"]]
    return kept


def columns(schema: Any) -> list[Column]:
    """Return the columns of a parsed schema.

    Raises
    ------
    SchemaError
        Where it is no record, has no field, or refers to itself.
    """
    if not isinstance(schema, dict) or schema.get("type") not in ("record", "error"):
        raise SchemaError("its schema is no record")
    if not schema["fields"]:
        raise SchemaError("its schema has no field")
    named = named_types(schema)
    return [Column(each["name"], *_kind(each["type"], named, (schema["name"],))) for each in schema["fields"]]


def named_types(schema: Any) -> dict[str, Any]:
    """Return the records, enums and fixed types of a parsed schema by their full names."""
    found: dict[str, Any] = {}
    todo = [schema]
    while todo:
        each = todo.pop()
        if isinstance(each, list):
            todo += each
        elif isinstance(each, dict):
            if "name" in each and each["type"] in ("record", "error", "enum", "fixed"):
                found[each["name"]] = each
            todo += [each[key] for key in ("items", "values") if key in each]
            todo += [part["type"] for part in each.get("fields", [])]
            if isinstance(each["type"], (dict, list)):
                todo.append(each["type"])
    return found


def _kind(schema: Any, named: Mapping[str, Any], above: tuple[str, ...]) -> tuple[pa.DataType, Convert | None]:
    """Return type and conversion of a schema; `above` are the records that it stands in."""
    import pyarrow as pa

    if isinstance(schema, str) and schema in named:
        schema = named[schema]
    if isinstance(schema, list):
        return _union(schema, named, above)
    if isinstance(schema, str):
        return _plain()[schema], None
    kind = schema["type"]
    if isinstance(kind, (dict, list)) or (isinstance(kind, str) and kind in named):
        return _kind(kind, named, above)
    if "logicalType" in schema:
        meant = _logical(schema, kind)
        if meant is not None:
            return meant
    if kind in ("record", "error"):
        return _record(schema, named, above)
    if kind == "array":
        inner, convert = _kind(schema["items"], named, above)
        if convert is None:
            return pa.list_(inner), None
        one = convert
        return pa.list_(inner), lambda value: [_or_none(one, each) for each in value]
    if kind == "map":
        inner, convert = _kind(schema["values"], named, above)
        return pa.map_(pa.string(), inner), lambda value: [
            (key, _or_none(convert, each) if convert else each) for key, each in value.items()
        ]
    return (pa.string() if kind == "enum" else pa.binary() if kind == "fixed" else _plain()[kind]), None


def _record(schema: Any, named: Mapping[str, Any], above: tuple[str, ...]) -> tuple[pa.DataType, Convert | None]:
    import pyarrow as pa

    if schema["name"] in above:
        raise SchemaError("its schema refers to itself")
    parts = [Column(each["name"], *_kind(each["type"], named, (*above, schema["name"]))) for each in schema["fields"]]
    if not parts:
        raise SchemaError("a record of its schema has no field")
    converted = [(part.name, part.convert) for part in parts if part.convert is not None]

    def convert(value: dict[str, Any]) -> dict[str, Any]:
        return value | {name: _or_none(change, value[name]) for name, change in converted}

    return pa.struct([pa.field(part.name, part.kind) for part in parts]), convert if converted else None


def _union(schema: list[Any], named: Mapping[str, Any], above: tuple[str, ...]) -> tuple[pa.DataType, Convert | None]:
    """Return the one type beside null, the widest of several numbers, or text (JSON) for what differs."""
    import pyarrow as pa

    kinds = [each for each in schema if each != "null"]
    if not kinds:
        return pa.string(), None
    if len(kinds) == 1:
        return _kind(kinds[0], named, above)
    if all(each in _NUMBERS for each in kinds):
        whole = all(each in ("int", "long") for each in kinds)
        return (pa.int64(), None) if whole else (pa.float64(), None if "long" not in kinds else _exact)
    for each in kinds:
        _kind(each, named, above)  # what it can't be is told here too
    return pa.string(), lambda value: json.dumps(value, default=_told, ensure_ascii=False, sort_keys=True)


def _exact(value: Any) -> Any:
    """Return a whole number that a double holds; raises for one that it can't."""
    if isinstance(value, int) and int(float(value)) != value:
        raise ValueError(value)
    return float(value)


def _told(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _or_none(convert: Convert, value: Any) -> Any:
    return None if value is None else convert(value)


def _plain() -> dict[str, pa.DataType]:
    import pyarrow as pa

    return {
        "null": pa.string(), "boolean": pa.bool_(), "int": pa.int32(), "long": pa.int64(), "float": pa.float32(),
        "double": pa.float64(), "bytes": pa.binary(), "string": pa.string(),
    }  # fmt: skip


def _logical(schema: Any, kind: str) -> tuple[pa.DataType, Convert | None] | None:
    """Return what a logical type means; None for one that is unknown or stands on the wrong type.

    Nanoseconds stay numbers, since Spark's times end at microseconds.
    """
    import pyarrow as pa

    name = schema["logicalType"]
    if name == "decimal" and kind in ("bytes", "fixed"):
        precision, scale = schema.get("precision", 0), schema.get("scale", 0)
        if not precision > 0 or not 0 <= scale <= precision:
            return None
        if precision > _LARGEST_PRECISION:  # no number of Spark holds it: its digits as text
            return pa.string(), lambda value: f"{_decimal(value, scale):f}"
        return pa.decimal128(precision, scale), lambda value: _decimal(value, scale)
    times: dict[tuple[str, str], tuple[pa.DataType, Convert | None]] = {
        ("date", "int"): (pa.date32(), None),
        ("time-millis", "int"): (pa.string(), lambda value: _clock(value * 1000)),
        ("time-micros", "long"): (pa.string(), _clock),
        ("timestamp-millis", "long"): (pa.timestamp("us", tz="UTC"), lambda value: value * 1000),
        ("timestamp-micros", "long"): (pa.timestamp("us", tz="UTC"), None),
        ("local-timestamp-millis", "long"): (pa.timestamp("us"), lambda value: value * 1000),
        ("local-timestamp-micros", "long"): (pa.timestamp("us"), None),
    }
    return times.get((name, kind))


def _decimal(value: bytes, scale: int) -> Decimal:
    """Return an exact number: made from text, since arithmetic would round to the context's digits."""
    return Decimal(f"{int.from_bytes(value, 'big', signed=True)}E{-scale}")


def _clock(micros: int) -> str:
    seconds, rest = divmod(micros, 1_000_000)
    if not 0 <= seconds < 86_400:
        raise ValueError(micros)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{rest:06d}" if rest else text
