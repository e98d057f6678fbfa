"""Which rows of a table give way to new ones: those that share the values of some columns with them.

Source: Delta's ``replaceWhere``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import TableError
from lakeloom.core.names import quoted
from lakeloom.store.describe import quoted as text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MOST = 1000


def replaced(frame: DataFrame, by: Sequence[str], where: str) -> str:
    """Return the condition of the rows that give way, empty where there is no new row.

    Raises
    ------
    TableError
        LL-TABLE-009 where `by` has more than 1,000 values in `frame`: such a table is better merged.
    """
    from pyspark.sql import functions as F

    kinds = dict(frame.dtypes)
    columns = [F.col(quoted(name)).cast("string").alias(f"v{index}") for index, name in enumerate(by)]
    found = frame.select(*columns).distinct().limit(_MOST + 1).collect()
    if len(found) > _MOST:
        raise TableError(
            "LL-TABLE-009",
            f"{where}: the rows have more than {_MOST:,} values of {', '.join(by)}",
            where=where,
            fix="replace by a coarser column, such as a day, or take 'mode: merge'",
        )
    if len(by) == 1:
        values = [row[0] for row in found if row[0] is not None]
        parts = (
            [f"{quoted(by[0])} IN ({', '.join(_literal(value, kinds[by[0]]) for value in values)})"] if values else []
        )
        parts += [f"{quoted(by[0])} IS NULL"] if len(values) < len(found) else []
        return " OR ".join(parts)
    return " OR ".join(
        "(" + " AND ".join(_equal(name, row[index], kinds[name]) for index, name in enumerate(by)) + ")"
        for row in found
    )


def _equal(name: str, value: str | None, kind: str) -> str:
    return f"{quoted(name)} IS NULL" if value is None else f"{quoted(name)} = {_literal(value, kind)}"


def _literal(value: str, kind: str) -> str:
    return text(value) if kind == "string" else f"CAST({text(value)} AS {kind})"
