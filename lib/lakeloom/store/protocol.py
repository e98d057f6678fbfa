"""What a version of a table asks of its writers: its properties, and features that are known to ask nothing more.

Source: the Delta transaction log protocol.
"""

from __future__ import annotations

import json
from typing import Any

from lakeloom.store.filed import leaves_of
from lakeloom.store.log import Snapshot
from lakeloom.store.types import spark_type

# Features that ask nothing more of a commit that adds and removes files with their deletion vectors.
_KNOWN = frozenset(
    ["appendOnly", "invariants", "checkConstraints", "changeDataFeed", "generatedColumns", "columnMapping",
     "deletionVectors", "timestampNtz", "domainMetadata", "clustering", "typeWidening", "typeWidening-preview",
     "variantType", "variantType-preview", "vacuumProtocolCheck"]
)  # fmt: skip


def configuration(version: Snapshot) -> dict[str, str]:
    """Return the table's properties at a version."""
    return dict(version.metadata.get("configuration") or {})


def unknown(version: Snapshot) -> frozenset[str]:
    """Return the table's features of which it is not known what they ask of a writer of files."""
    protocol = version.protocol
    features = {*(protocol.get("writerFeatures") or ()), *(protocol.get("readerFeatures") or ())}
    return frozenset(features - _KNOWN)


def changeable(version: Snapshot) -> bool:
    """Return whether files may be taken away and added by a commit of our own."""
    # The sixth version brings identity columns, whose highest value is more than the schema says.
    if unknown(version) or int(version.protocol.get("minWriterVersion") or 0) == 6:
        return False
    return configuration(version).get("delta.appendOnly") != "true"


def columns(version: Snapshot) -> dict[str, str]:
    """Return the table's columns at a version: name → Spark type, in their order."""
    return {field["name"]: spark_type(field["type"]) for field in _fields(version)}


def comments(version: Snapshot) -> dict[str, str]:
    """Return what the table's columns say of themselves at a version: name → comment."""
    told = {field["name"]: field["metadata"].get("comment") for field in _fields(version)}
    return {name: comment for name, comment in told.items() if comment}


def _fields(version: Snapshot) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(version.metadata["schemaString"])["fields"]
    return found


def derives(version: Snapshot) -> bool:
    """Return whether the table makes values of its columns itself, or pads them to a length."""
    schema = version.metadata["schemaString"]
    return "delta.generationExpression" in schema or "CHAR_VARCHAR" in schema


def free(version: Snapshot) -> bool:
    """Return whether any row of the table's types may stand in it, in any file, under its columns' own names."""
    told = configuration(version)
    return (
        not any(key.startswith("delta.constraints.") for key in told)
        and "delta.invariants" not in version.metadata["schemaString"]
        and all(field["nullable"] for field in _fields(version))
        and told.get("delta.columnMapping.mode", "none") == "none"
        and not version.metadata.get("partitionColumns")
    )


def indexed(version: Snapshot) -> list[str] | None:
    """Return the columns of which the log is to have statistics, by dotted names; None where the table names them."""
    told = configuration(version)
    if "delta.dataSkippingStatsColumns" in told:
        return None
    nodes = {field["name"]: field["type"] for field in _fields(version)}
    return leaves_of(nodes, int(told.get("delta.dataSkippingNumIndexedCols", 32)))
