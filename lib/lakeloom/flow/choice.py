"""Which quarantined rows are meant: by rule, by id, by an SQL condition on the row."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import FixError, TableError
from lakeloom.core.kinds import nearest
from lakeloom.quality.conditions import fault

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True)
class Choice:
    """A selection of entries; what is given must all hold, and without anything all are meant.

    Attributes
    ----------
    rule : str, optional
        The reason that they give.
    where : str, optional
        An SQL condition on the row as it came; ``_id``, ``_reasons``, ``_file``, ``_position`` and ``_at`` may be used.
    ids : tuple of str
    """

    rule: str | None = None
    where: str | None = None
    ids: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the choice as plain data, for an intent."""
        return asdict(self) | {"ids": list(self.ids)}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Choice:
        """Return the choice that `as_dict` wrote."""
        return cls(data.get("rule"), data.get("where"), tuple(data.get("ids", ())))

    def check(self, table: str) -> None:
        """Raise LL-FIX-002 for a condition that is none over a single row."""
        if self.where is not None:
            expression(self.where, f"{table} --where")


def expression(sql: str, where: str) -> str:
    """Return `sql` where it is one expression over a row that a replay answers the same; raises LL-FIX-002."""
    wrong = fault(sql)
    if wrong:
        raise FixError("LL-FIX-002", wrong, where=where, fix="write one SQL expression over the row's columns")
    return sql


def analysed(frame: DataFrame, sql: str, where: str) -> tuple[Column, str]:
    """Return an expression over `frame` and its Spark type.

    Raises
    ------
    TableError
        LL-TABLE-003 for a column that the row lacks, LL-TABLE-007 for what else does not analyse.
    FixError
        LL-FIX-002.
    """
    from pyspark.errors import AnalysisException, ParseException
    from pyspark.sql import functions as F

    expression(sql, where)
    try:
        column = F.expr(sql)
        return column, frame.select(column.alias("x")).dtypes[0][1]
    except (AnalysisException, ParseException) as cause:
        unknown = _unknown(sql, frame.columns)
        if unknown:
            raise unknown_column(unknown, frame.columns, where) from cause
        kind = str(cause.getCondition() or type(cause).__name__)
        raise TableError(
            "LL-TABLE-007", f"the SQL does not analyse ({kind})", where=where, fix="mend the expression"
        ) from cause


def unknown_column(name: str, columns: list[str], where: str) -> TableError:
    """Return the error for a column that the row lacks."""
    shown = [column for column in columns if not column.startswith("_")]
    near = nearest(name, columns)
    return TableError(
        "LL-TABLE-003", f"column '{name}' is not in the row ({', '.join(shown[:8])})", where=where,
        fix=f"use '{near}'" if near else "use a column of the row as it came",
    )  # fmt: skip


def _unknown(sql: str, columns: list[str]) -> str:
    import sqlglot
    from sqlglot import exp

    known = {column.lower() for column in columns}
    found = sqlglot.parse_one(f"SELECT {sql}", read="spark").find_all(exp.Column)
    return next((c.name for c in found if c.name.lower() not in known and c.parts[0].name.lower() not in known), "")


def matching(entries: DataFrame, choice: Choice, rows: DataFrame | None, where: str) -> DataFrame:
    """Return the entries that are meant.

    Parameters
    ----------
    rows : DataFrame or None
        Their rows as they came, with ``_id`` and ``_row``; needed for a condition.
    """
    from pyspark.sql import functions as F

    if choice.rule is not None:
        entries = entries.where(F.array_contains("reasons", choice.rule))
    if choice.ids:
        entries = entries.where(F.col("id").isin(*choice.ids))
    if choice.where is not None and rows is not None:
        condition, kind = analysed(rows, choice.where, where)
        if kind != "boolean":
            raise FixError("LL-FIX-002", f"the condition is {kind}, not a condition", where=where, fix="compare it")
        held = rows.where(F.coalesce(condition, F.lit(False)))
        held = held.select(F.col("_id").alias("_held"), F.col("_row").alias("_as")).distinct()
        same = (F.col("id") == F.col("_held")) & F.col("row").eqNullSafe(F.col("_as"))
        entries = entries.join(held, same, "left_semi")
    return entries
