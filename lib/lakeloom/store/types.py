"""Types as Delta's log and Spark's schemas write them as JSON → as Spark's SQL does.

A type is a `Node`: a word (``long``), or a dict for what has types inside. Names of fields may hold any sign, which
``simpleString`` does not tell from its own, so what looks inside a type looks at its node.

Source: the Delta transaction log protocol, "Schema Serialization Format".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from pyspark.sql import DataFrame

Node = str | dict[str, Any]
_WORDS = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}


def columns_of(opened: DeltaTable) -> dict[str, str]:
    """Return a table's columns: name → Spark type, as in ``simpleString``."""
    return {name: spark_type(node) for name, node in nodes_of(opened).items()}


def nodes_of(table: DeltaTable | DataFrame) -> dict[str, Node]:
    """Return the columns of a table or of rows: name → node."""
    schema = table.schema
    told = json.loads(schema().to_json()) if callable(schema) else schema.jsonValue()
    return {field["name"]: field["type"] for field in told["fields"]}


def spark_type(node: Any) -> str:
    """Return a node as Spark's ``simpleString`` writes it."""
    return _written(node, str)


def sql_type(node: Any) -> str:
    """Return a node as Spark's SQL takes it, whatever signs the names of its fields have."""
    return _written(node, quoted)


def kind_of(node: Any) -> str:
    """Return ``struct``, ``array`` or ``map``, and nothing for a type that has none inside."""
    return node["type"] if isinstance(node, dict) and node["type"] in ("struct", "array", "map") else ""


def names_in(nodes: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of columns and of all fields inside them."""
    for name, node in nodes.items():
        yield name
        for inner in parts(node):
            yield from names_in(inner)


def parts(node: Any) -> list[dict[str, Any]]:
    """Return the types inside a node, by name; those that have none in mappings of their own."""
    kind = kind_of(node)
    if kind == "struct":
        return [{field["name"]: field["type"] for field in node["fields"]}]
    words = {"array": ("elementType",), "map": ("keyType", "valueType")}.get(kind, ())
    return [inner for word in words for inner in parts(node[word])]


def _written(node: Any, name: Any) -> str:
    if isinstance(node, str):
        return _WORDS.get(node, node)
    if node["type"] == "array":
        return f"array<{_written(node['elementType'], name)}>"
    if node["type"] == "map":
        return f"map<{_written(node['keyType'], name)},{_written(node['valueType'], name)}>"
    fields = ",".join(f"{name(field['name'])}:{_written(field['type'], name)}" for field in node["fields"])
    return f"struct<{fields}>"
