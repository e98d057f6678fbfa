"""What names a row of a table, so that it is found again: its place in bronze, its keys, or what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.project.about import keys_of
from lakeloom.project.spec import Project

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PLACE = "_position"
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


def named_by(table: str, values: Sequence[Column]) -> Column:
    """Return the name of a table's row that has these values, each under its column's name."""
    from pyspark.sql import functions as F

    return F.concat(F.lit(f"{table}|"), F.to_json(F.struct(*values), _JSON) if values else F.lit("{}"))


def renamed(project: Project, table: str, frame: DataFrame) -> DataFrame:
    """Return a table's rows with its columns under the names that they have now."""
    spec = project.tables.get(table)
    for new, column in (spec.columns if spec else {}).items():
        if column.renamed_from in frame.columns and new not in frame.columns:
            frame = frame.withColumnRenamed(str(column.renamed_from), new)
    return frame
