"""What names a row of a table, so that it is found again: its place in bronze, its keys, or what it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.flow.context import Context
from lakeloom.project.about import keys_of
from lakeloom.project.spec import Project
from lakeloom.tables.comparing import renames
from lakeloom.tables.tracing import WHY

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PLACE = "_position"
NAME = "_name"  # the column in which rows carry their names
# What Delta's feed says of a change, and the kinds that tell a row as it was before it.
_CHANGE, _AT, _BEFORE = "_change_type", "_commit_version", ("update_preimage", "delete")
_JSON = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
# Sums of these depend on the order of rows in the last digits, and maps have no order.
_UNORDERED = ("map<", "variant")
_LOOSE = ("float", "double", *_UNORDERED)


def naming(project: Project, table: str, types: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns that tell a table's rows apart: those that are declared, else all that compare exactly."""
    if table.startswith("bronze.") and PLACE in types:
        return (PLACE,)
    if table.startswith("features."):
        # Several events of a key may have one time; what a view keeps is as it came, so that numbers compare exactly.
        return tuple(name for name in types if not any(loose in types[name] for loose in _UNORDERED))
    keys = keys_of(project, table)
    if keys and set(keys) <= set(types):
        return keys
    own = [name for name in types if not name.startswith("_")]
    exact = [name for name in own if not any(loose in types[name] for loose in _LOOSE)]
    return (*(exact or own), *([PLACE] if PLACE in types else []))


def name_of(table: str, there: Sequence[str], columns: Sequence[str]) -> Column:
    """Return the name of a row as text: its table, and the values of `columns`, of those that are `there`."""
    from pyspark.sql import functions as F

    return named_by(table, [F.col(quoted(name)) for name in columns if name in there])


def named_by(table: str, values: Sequence[Column], of: Column | None = None) -> Column:
    """Return the name of a table's row that has these values, each under its column's name.

    Parameters
    ----------
    of : Column, optional
        The version in which the row stands, where that is not the same for all rows.
    """
    from pyspark.sql import functions as F

    head = [F.lit(f"{table}|")] if of is None else [F.lit(f"{table}@"), of.cast("string"), F.lit("|")]
    return F.concat(*head, F.to_json(F.struct(*values), _JSON) if values else F.lit("{}"))


def named(context: Context, table: str, frame: DataFrame) -> DataFrame:
    """Return a table's rows, or its changes, with their names; that of a change tells in which version it stands."""
    from pyspark.sql import functions as F

    columns = [name for name in naming(context.project, table, dict(frame.dtypes)) if name in frame.columns]
    of = None
    if _CHANGE in frame.columns:
        columns = [name for name in columns if name not in (_CHANGE, _AT)]
        of = F.col(_AT) - F.col(_CHANGE).isin(*_BEFORE).cast("bigint")
    return frame.withColumn(WHY, named_by(table, [F.col(quoted(name)) for name in columns], of))


def told(name: str) -> tuple[str, int | None, str]:
    """Return what a row's name says: its table, the version where it tells one, and the name in that version."""
    head, _, values = name.partition("|")
    table, _, version = head.partition("@")
    return table, int(version) if version else None, f"{table}|{values}"


def renamed(context: Context, table: str, version: int, frame: DataFrame) -> DataFrame:
    """Return rows of a version of a table with its columns under the names that they have now.

    By the table's own log, which tells every rename since, and by the config for one that has not run yet.
    """
    new = renames(_fields(context, table, version), _fields(context, table, None))
    spec = context.project.tables.get(table)
    said = {str(column.renamed_from): name for name, column in (spec.columns if spec else {}).items()}
    for old in frame.columns:
        name = said.get(new.get(old, old), new.get(old, old))
        if name not in frame.columns:
            frame = frame.withColumnRenamed(old, name)
    return frame


def _fields(context: Context, table: str, version: int | None) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = json.loads(context.lake.delta(table, version).schema().to_json())["fields"]
    return fields
