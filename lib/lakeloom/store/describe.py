"""A table's words in its own log: description, properties ``lakeloom.*`` and columns' comments, brought up to date.

They are no data: the commit that changes them carries no transaction id and no manifest, so that it
is never taken for a step's write.

Source: Delta's ``ALTER TABLE … SET TBLPROPERTIES``, where ``comment`` is the table's description, and
``ALTER COLUMN … COMMENT``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakeloom.core.names import TableName
from lakeloom.core.names import quoted as identifier
from lakeloom.core.secrets import mask
from lakeloom.store.lake import Lake

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from pyspark.sql import DataFrame, SparkSession

_OURS = "lakeloom."
_MARKS = (
    "spark.databricks.delta.write.txnAppId",
    "spark.databricks.delta.write.txnVersion",
    "spark.databricks.delta.commitInfo.userMetadata",
)


def described(lake: Lake, table: TableName) -> dict[str, str]:
    """Return what an existing table says of itself: ``comment`` and the properties ``lakeloom.*``."""
    return _said(lake.delta(table))


def _said(opened: DeltaTable) -> dict[str, str]:
    metadata = opened.metadata()
    found = {key: value for key, value in metadata.configuration.items() if key.startswith(_OURS)}
    return found | ({"comment": metadata.description} if metadata.description else {})


def describe(
    session: SparkSession,
    lake: Lake,
    table: TableName,
    properties: Mapping[str, str],
    comments: Mapping[str, str] | None = None,
) -> bool:
    """Bring an existing table's words up to date; return whether that took a commit.

    Parameters
    ----------
    properties : mapping
        All that the table is to say of itself: ``comment`` and names with our prefix.
    comments : mapping, optional
        Column → comment; columns that are not named keep theirs, those that the table has not are left out.
    """
    opened = lake.delta(table)
    changed, gone, told = _different(opened, properties, comments or {})
    if not changed and not gone and not told:
        return False
    unsigned(session)
    place = f"delta.`{lake.path(table)}`"
    if changed:
        pairs = ", ".join(f"{quoted(key)} = {quoted(value)}" for key, value in sorted(changed.items()))
        session.sql(f"ALTER TABLE {place} SET TBLPROPERTIES ({pairs})")
    if gone:
        session.sql(f"ALTER TABLE {place} UNSET TBLPROPERTIES IF EXISTS ({', '.join(map(quoted, sorted(gone)))})")
    for column, comment in told.items():
        session.sql(f"ALTER TABLE {place} ALTER COLUMN {identifier(column)} COMMENT {quoted(comment)}")
    return True


def says(opened: DeltaTable, properties: Mapping[str, str], comments: Mapping[str, str]) -> bool:
    """Return whether a table says this already: parameters are those of `describe`, which would change nothing."""
    return not any(_different(opened, properties, comments))


def _different(
    opened: DeltaTable, properties: Mapping[str, str], comments: Mapping[str, str]
) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """Return the properties to be set, those to be taken away, and the comments to be set."""
    there = _said(opened)
    # A description can't be taken away, only be made empty.
    changed = {key: value for key, value in properties.items() if there.get(key) != value}
    changed |= {"comment": ""} if "comment" in there and "comment" not in properties else {}
    gone = [key for key in there if key.startswith(_OURS) and key not in properties]
    return changed, gone, _changed_comments(opened, comments)


def comments_of(frame: DataFrame) -> dict[str, str]:
    """Return what the columns of rows say of themselves: name → comment, without secrets."""
    found = {field.name: field.metadata.get("comment") for field in frame.schema.fields}
    return {name: mask(comment) for name, comment in found.items() if comment}


def unsigned(session: SparkSession) -> None:
    """Let the session's next commits carry no transaction id and no manifest: they write no step's rows."""
    for name in _MARKS:
        session.conf.unset(name)


def _changed_comments(opened: DeltaTable, comments: Mapping[str, str]) -> dict[str, str]:
    if not comments:
        return {}
    fields = json.loads(opened.schema().to_json())["fields"]
    there = {field["name"]: field["metadata"].get("comment") for field in fields}
    return {name: text for name, text in comments.items() if name in there and there[name] != text}


def quoted(text: str) -> str:
    """Return a text as a literal of Spark SQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
