"""The rows that `lakeloom.flow.why` finds: read as plain data, compared, and told by their place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import LineageError
from lakeloom.core.names import quoted
from lakeloom.core.steps import Step
from lakeloom.flow.naming import PLACE
from lakeloom.tables.tracing import WHY
from lakeloom.tables.variants import as_text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Row = dict[str, Any]
COUNT = "_count"  # of how many rows a row was made


def of_key(session: SparkSession, frame: DataFrame, key: Mapping[str, Any]) -> DataFrame:
    """Return the rows that have a key's values; raises LL-LINEAGE-002 for text that is none of a column's type."""
    from pyspark.sql import functions as F

    kinds = dict(frame.dtypes)
    for name, value in key.items():
        literal = F.lit(value) if not isinstance(value, str) else F.lit(value).try_cast(kinds[name])
        if isinstance(value, str):
            read = session.range(1).select(literal.alias("value")).collect()[0]["value"]
            if read is None:
                raise LineageError(
                    "LL-LINEAGE-002", f"the value given for {name} is no {kinds[name]}", where=name,
                    fix=f"give a {kinds[name]}",
                )  # fmt: skip
        frame = frame.where(F.col(quoted(name)).eqNullSafe(literal))
    return frame


def place(row: Row) -> Row:
    """Return where a bronze row came from: source, file and position; empty for other rows."""
    position = row.get(PLACE)
    if position is None:
        return {}
    return {"source": row.get("_source"), "file": row.get("_file"), "position": dict(position)}


def newest(step: Step, rows: list[Row]) -> Row:
    """Return the row of those that are equal which a merge would take."""
    order = getattr(getattr(step.spec, "write", None), "order", None)
    if order is None or any(row.get(order) is None for row in rows):
        return rows[0] if len(rows) == 1 else rows[0] | {
            WHY: sorted({name for row in rows for name in row[WHY]}), COUNT: sum(row[COUNT] for row in rows)
        }  # fmt: skip
    return max(rows, key=lambda row: tuple(row[order].values()) if isinstance(row[order], dict) else (row[order],))


def collected(frame: DataFrame) -> list[Row]:
    """Return rows as plain data, variants as text."""
    rows: list[Row] = as_text(frame).toArrow().to_pylist()
    return rows


def equal(one: Any, other: Any) -> bool:
    """Return whether two values are the same; sums of doubles differ in their last digits by the order of rows."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
