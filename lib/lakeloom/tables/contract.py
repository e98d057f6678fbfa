"""A frame against its table's contract: the columns it must have, their types, what may be added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.errors import TableError
from lakeloom.core.kinds import nearest
from lakeloom.tables.spec import TableSpec

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Casts that lose nothing: from → to.
_WIDER = {
    "tinyint": {"smallint", "int", "bigint", "float", "double"},
    "smallint": {"int", "bigint", "float", "double"},
    "int": {"bigint", "double"},
    "bigint": set(),
    "float": {"double"},
    "date": {"timestamp"},
    "void": None,
}


def conform(frame: DataFrame, table: str, spec: TableSpec) -> DataFrame:
    """Return `frame` in the contract's column order and types, with comments.

    Platform columns (``_…``) pass. Without a contract the frame passes as it is.

    Raises
    ------
    TableError
        LL-TABLE-004 where a column is missing, is not declared (``evolve: none``) or has a type that
        would lose values in the contract's type.
    """
    if not spec.columns:
        return frame
    types = dict(frame.dtypes)
    problems = [
        problem for problem in (_problem(name, column.type, types) for name, column in spec.columns.items()) if problem
    ]
    extra = [name for name in types if name not in spec.columns and not name.startswith("_")]
    if extra and spec.evolve == "none":
        problems.append(f"{', '.join(extra)} not declared")
    if problems:
        raise TableError(
            "LL-TABLE-004",
            f"{table}: {'; '.join(problems)}",
            where=table,
            fix="mend the SQL or the contract's columns, or say 'evolve: add' for new ones",
        )
    from pyspark.sql import functions as F

    chosen = []
    for name, column in spec.columns.items():
        comment = ", ".join(part for part in (column.description, column.unit and f"in {column.unit}") if part)
        chosen.append(
            F.col(f"`{name}`").cast(column.type).alias(name, metadata={"comment": comment} if comment else {})
        )
    rest = [F.col(f"`{name}`") for name in types if name not in spec.columns]
    return frame.select(*chosen, *rest)


def _problem(name: str, wanted: str, types: dict[str, str]) -> str:
    if name not in types:
        near = nearest(name, list(types))
        return f"{name} is missing" + (f" (nearest: {near})" if near else "")
    got, want = types[name], wanted.lower().replace("integer", "int").replace("long", "bigint")
    if got == want or got == "void" or want in (_WIDER.get(got) or ()):
        return ""
    if got.startswith("decimal") and (want.startswith("decimal") or want == "double"):
        return "" if want == "double" or _fits(got, want) else f"{name} is {got}, the contract says {wanted}"
    return f"{name} is {got}, the contract says {wanted}"


def _fits(got: str, want: str) -> bool:
    (p, s), (q, t) = ([int(part) for part in text[8:-1].split(",")] for text in (got, want))
    return t >= s and q - t >= p - s
