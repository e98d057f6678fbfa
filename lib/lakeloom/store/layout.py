"""How a table is laid out, and what Delta itself holds it to: partitions, clustering, features, constraints.

Constraints and features are properties of the table, so that every writer and reader is bound by them,
also those that have never heard of lakeloom. Those that change later are brought up to date by
commits of their own.

Source: Delta's table properties; ``delta.constraints.<name>`` is what ``ADD CONSTRAINT`` writes.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import is_identifier, quoted
from lakeloom.store.describe import quoted as text
from lakeloom.store.describe import unsigned
from lakeloom.store.log import Snapshot
from lakeloom.store.protocol import configuration

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from pyspark.sql import DataFrame, SparkSession

CONSTRAINT = "delta.constraints."
_OURS = "lakeloom_"
FEATURES = ("delta.enableChangeDataFeed", "delta.enableDeletionVectors")


@dataclass(frozen=True)
class Layout:
    """How a table is laid out.

    Attributes
    ----------
    partition_by, cluster_by : tuple of str
        Columns; one of the two.
    features : tuple of str
        Of `FEATURES`, those that are on.
    never_null : tuple of str
        Columns that the table refuses NULL in.
    """

    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    never_null: tuple[str, ...] = ()

    @property
    def constraints(self) -> dict[str, str]:
        """Name → condition, as the log has them."""
        return {f"{_OURS}{_plain(name)}_not_null": f"{quoted(name)} IS NOT NULL" for name in self.never_null}

    def create(self, frame: DataFrame, path: str, properties: Mapping[str, str]) -> None:
        """Make the table at `path` of the rows, with its properties, in one commit."""
        from pyspark.sql import functions as F

        told = dict(properties) | dict.fromkeys(self.features, "true")
        told |= {f"{CONSTRAINT}{name}": condition for name, condition in self.constraints.items()}
        writer = frame.writeTo(f"delta.`{path}`").using("delta")
        for name, value in told.items():
            writer = writer.tableProperty(name, value)
        if self.partition_by:
            writer = writer.partitionedBy(*[F.col(_parsed_again(name)) for name in self.partition_by])
        # Not `create`: what a crash left of a first write without a commit (files, an empty log) is no table.
        writer.createOrReplace()

    def overwrite(self, frame: DataFrame, path: str) -> None:
        """Put the rows in place of all that the table at `path` holds, in their own columns and these partitions."""
        writer = frame.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        (writer.partitionBy(*self.partition_by) if self.partition_by else writer).save(path)

    def stands(self, now: Snapshot) -> bool:
        """Return whether a table is laid out so, as the log says it: then `lift` and `settle` would do nothing."""
        told = configuration(now)
        return (
            {name for name in _constraints(told) if name.startswith(_OURS)} == set(self.constraints)
            and {name for name in FEATURES if told.get(name) == "true"} == set(self.features)
            and tuple(now.metadata.get("partitionColumns") or ()) == self.partition_by
            and not self.cluster_by
            and "delta.clustering" not in now.domains
        )

    def lift(self, session: SparkSession, place: str, opened: DeltaTable) -> None:
        """Take away what no longer holds, before rows come that may break it: our constraints, and clustering."""
        there = _constraints(opened.metadata().configuration)
        for name in [name for name in there if name.startswith(_OURS) and name not in self.constraints]:
            unsigned(session)
            session.sql(f"ALTER TABLE {place} DROP CONSTRAINT IF EXISTS {quoted(name)}")
        if not self.cluster_by and _clustering(session, place, opened):
            unsigned(session)
            session.sql(f"ALTER TABLE {place} CLUSTER BY NONE")

    def settle(self, session: SparkSession, place: str, opened: DeltaTable) -> None:
        """Switch on what the table lacks: features, clustering, constraints (each reads the whole table once)."""
        configured = opened.metadata().configuration
        lacking = [name for name in self.features if configured.get(name) != "true"]
        surplus = [name for name in FEATURES if configured.get(name) == "true" and name not in self.features]
        if lacking or surplus:
            unsigned(session)
            pairs = [f"{text(name)} = 'true'" for name in lacking] + [f"{text(name)} = 'false'" for name in surplus]
            session.sql(f"ALTER TABLE {place} SET TBLPROPERTIES ({', '.join(pairs)})")
        if self.cluster_by and _clustering(session, place, opened) != list(self.cluster_by):
            unsigned(session)
            session.sql(f"ALTER TABLE {place} CLUSTER BY ({', '.join(map(quoted, self.cluster_by))})")
        there = _constraints(opened.metadata().configuration)
        for name, condition in self.constraints.items():
            if name not in there:
                unsigned(session)
                session.sql(f"ALTER TABLE {place} ADD CONSTRAINT {quoted(name)} CHECK ({condition})")


def made_as(frame: DataFrame, properties: Mapping[str, str]) -> dict[str, Any]:
    """Return what a log says of a table that is made for rows like `frame` (``metaData``), laid out in no way.

    Parameters
    ----------
    properties : mapping
        Those of the table, and ``comment``, its description.
    """
    schema = {"type": "struct", "fields": [_nullable(field) for field in frame.schema.jsonValue()["fields"]]}
    told = {name: value for name, value in properties.items() if name != "comment"}
    return {
        "id": str(uuid.uuid4()),
        **({"description": properties["comment"]} if "comment" in properties else {}),
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps(schema),
        "partitionColumns": [],
        "configuration": told,
        "createdTime": int(time.time() * 1000),
    }


def _nullable(node: Any) -> Any:
    """Return a type, or a field with its own, in which all may be NULL, as in every table that Delta makes."""
    if not isinstance(node, dict):
        return node
    found = {name: _nullable(value) for name, value in node.items() if name != "metadata"}
    found |= {name: True for name in ("nullable", "containsNull", "valueContainsNull") if name in node}
    found |= {"fields": [_nullable(field) for field in node["fields"]]} if "fields" in node else {}
    return found | ({"metadata": node["metadata"]} if "metadata" in node else {})


def _constraints(told: Iterable[str]) -> set[str]:
    """Return the names of the constraints among a table's properties."""
    return {key.removeprefix(CONSTRAINT) for key in told if key.startswith(CONSTRAINT)}


def _clustering(session: SparkSession, place: str, opened: DeltaTable) -> list[str]:
    """Return the columns by which a table is clustered; only Spark tells them."""
    if "clustering" not in (opened.protocol().writer_features or ()):
        return []
    row = session.sql(f"DESCRIBE DETAIL {place}").first()
    return list(row["clusteringColumns"]) if row is not None else []


def _parsed_again(name: str) -> str:
    """Return a name for ``partitionedBy``: Spark parses it as SQL once more, unless it has a dot."""
    return quoted(name) if is_identifier(name) or "." in name else quoted(quoted(name))


def _plain(name: str) -> str:
    """Return a name as a property's name can hold it: lower case, other signs by their number."""
    return "".join(
        sign if sign.isascii() and (sign.isalnum() or sign == "_") else f"x{ord(sign):x}" for sign in name.lower()
    )
