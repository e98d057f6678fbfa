"""Whether what one schema of Avro wrote can be read by another, and where it can't.

Source: Apache Avro 1.12 specification, "Schema Resolution".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakeloom.sources.formats.avro_schema import named_types

_PROMOTED = {
    "int": ("long", "float", "double"), "long": ("float", "double"), "float": ("double",), "string": ("bytes",),
    "bytes": ("string",),
}  # fmt: skip


def forks(writer: Any, reader: Any) -> str | None:
    """Return at which field what `writer` wrote can't be read by `reader`; None where it can. Both are parsed."""
    return _forks(writer, reader, named_types(writer), named_types(reader), "", set())


def _forks(
    writer: Any, reader: Any, ours: Mapping[str, Any], theirs: Mapping[str, Any], at: str, seen: set[tuple[str, str]]
) -> str | None:
    writer, reader = _resolved(writer, ours), _resolved(reader, theirs)
    if isinstance(writer, list):
        found = [_forks(each, reader, ours, theirs, at, seen) for each in writer]
        return next((each for each in found if each), None)
    if isinstance(reader, list):
        found = [_forks(writer, each, ours, theirs, at, seen) for each in reader]
        return None if None in found else f"{at}: {_name(writer)}, and the declared one is {_name(reader)}"
    kind, wanted = _type(writer), _type(reader)
    if kind != wanted:
        if wanted in _PROMOTED.get(kind, ()):
            return None
        return f"{at}: {_name(writer)}, and the declared one is {_name(reader)}"
    if kind in ("array", "map"):
        inner = "items" if kind == "array" else "values"
        return _forks(writer[inner], reader[inner], ours, theirs, f"{at}[]", seen)
    if kind == "fixed" and writer["size"] != reader["size"]:
        return f"{at}: fixed of {writer['size']} bytes, and the declared one of {reader['size']}"
    if kind in ("record", "error") and (writer["name"], reader["name"]) not in seen:
        seen.add((writer["name"], reader["name"]))
        return _fields_fork(writer, reader, ours, theirs, at, seen)
    return None


def _fields_fork(
    writer: Any, reader: Any, ours: Mapping[str, Any], theirs: Mapping[str, Any], at: str, seen: set[tuple[str, str]]
) -> str | None:
    written = {each["name"]: each for each in writer["fields"]}
    for field in reader["fields"]:
        place = f"{at}.{field['name']}" if at else field["name"]
        found = next((written[name] for name in (field["name"], *field.get("aliases", ())) if name in written), None)
        if found is None:
            if "default" not in field:
                return f"{place}: not there, and the declared one has no default"
        elif told := _forks(found["type"], field["type"], ours, theirs, place, seen):
            return told
    return None


def _resolved(schema: Any, named: Mapping[str, Any]) -> Any:
    while True:
        if isinstance(schema, str) and schema in named:
            return named[schema]
        if isinstance(schema, dict) and isinstance(schema["type"], (dict, list)):
            schema = schema["type"]
            continue
        return schema


def _type(schema: Any) -> str:
    return schema if isinstance(schema, str) else str(schema["type"])


def _name(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(_name(each) for each in schema)
    return _type(schema)
