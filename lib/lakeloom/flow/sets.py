"""``column = expression``: new values of a column, as an SQL expression over the row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import FixError
from lakeloom.flow.choice import analysed, unknown_column
from lakeloom.tables.fixes import as_map

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_SET = re.compile(r"\s*(?:`((?:[^`]|``)+)`|([^\s=`]+))\s*=(?!=)\s*(.+)", re.DOTALL)


def parse(text: str, where: str) -> tuple[str, str]:
    """Return column and expression; raises LL-FIX-002.

    Examples
    --------
    >>> parse("amount = abs(try_cast(amount as double))", "silver.orders")
    ('amount', 'abs(try_cast(amount as double))')
    >>> parse("`odd name` = 'x'", "silver.orders")
    ('odd name', "'x'")
    """
    found = _SET.fullmatch(text)
    if found is None:
        raise FixError(
            "LL-FIX-002", "a new value is written column = expression", where=where, fix="quote odd names: `a b` = 1"
        )
    return (found[1] or found[2]).replace("``", "`"), found[3]


def values_of(rows: DataFrame, sets: Sequence[str], table: str) -> DataFrame:
    """Return `rows` with the new values as the map ``_new``.

    Raises
    ------
    FixError
        LL-FIX-002 for a malformed expression, LL-FIX-003 where a value is not of its column's type.
    TableError
        LL-TABLE-003 for a column that the row lacks, LL-TABLE-007 for what does not analyse.
    """
    from pyspark.sql import functions as F

    kinds = {name: kind for name, kind in rows.dtypes if not name.startswith("_")}
    values: dict[str, Column] = {}
    lost: dict[str, Column] = {}
    for text in sets:
        name, sql = parse(text, f"{table} --set")
        where = f"{table} --set {name}"
        if name not in kinds:
            raise unknown_column(name, rows.columns, where)
        if name in values:
            raise FixError("LL-FIX-002", f"'{name}' is set twice", where=where, fix="keep one of them")
        value, kind = analysed(rows, sql, where)
        values[name] = value
        if kind != kinds[name]:
            values[name], _ = analysed(rows, f"try_cast(({sql}) as {kinds[name]})", where)
            lost[name] = value.isNotNull() & values[name].isNull()
    if lost:
        counts = rows.agg(*[F.count_if(each) for each in lost.values()]).collect()[0]
        for name, count in zip(lost, counts, strict=True):
            if count:
                raise FixError(
                    "LL-FIX-003", f"{count:,} of the new values are no {kinds[name]}", where=f"{table} --set {name}",
                    fix=f"cast them: try_cast(… as {kinds[name]})",
                )  # fmt: skip
    return rows.withColumn("_new", as_map(values, kinds))
