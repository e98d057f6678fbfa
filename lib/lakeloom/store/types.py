"""Types as Delta's log writes them → as Spark's SQL does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltalake import DeltaTable


def columns_of(opened: DeltaTable) -> dict[str, str]:
    """Return a table's columns: name → Spark type, as in ``simpleString``."""
    fields = json.loads(opened.schema().to_json())["fields"]
    return {field["name"]: spark_type(field["type"]) for field in fields}


def spark_type(node: Any) -> str:
    """Return a Delta schema's type as Spark's ``simpleString`` writes it."""
    if isinstance(node, str):
        return {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}.get(node, node)
    if node["type"] == "array":
        return f"array<{spark_type(node['elementType'])}>"
    if node["type"] == "map":
        return f"map<{spark_type(node['keyType'])},{spark_type(node['valueType'])}>"
    fields = ",".join(f"{field['name']}:{spark_type(field['type'])}" for field in node["fields"])
    return f"struct<{fields}>"
