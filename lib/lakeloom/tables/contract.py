"""A frame against its table's contract: the columns it must have, their types, and what becomes of the rest.

No value is lost in silence. A type that holds every value of the frame's is a plain cast. Any other
difference is refused as a whole where the table does not evolve (``none``); else it is told row by
row: what fits is cast, a row with a value that does not goes to quarantine (``contract:<column>``),
or, with ``rescue``, keeps the value as it came in ``_rescued``. Types that have nothing in common
(a struct and a number) are refused always. What is inside a column is held to the contract as columns are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakeloom.core.kinds import nearest
from lakeloom.core.names import quoted
from lakeloom.quality.marks import FAULTS, with_faults
from lakeloom.store.types import Node, nodes_of
from lakeloom.tables.fitting import MISFITS, Evolve, differs, fit, wanted
from lakeloom.tables.spec import ColumnSpec, TableSpec

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

RESCUED = "_rescued"


@dataclass
class _Plan:
    """What is made of a frame's columns."""

    chosen: list[Column] = field(default_factory=list)
    faults: list[Column] = field(default_factory=list)
    rescued: list[Column] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)


def conform(frame: DataFrame, table: str, spec: TableSpec) -> DataFrame:
    """Return `frame` in the contract's column order and types, with comments.

    Platform columns (``_…``) pass. Without a contract the frame passes as it is.

    Returns
    -------
    DataFrame
        With ``_faults array<string>`` where values may not fit, with ``_rescued string`` (a JSON object, NULL for
        nothing) where the table or a column rescues.

    Raises
    ------
    TableError
        LL-TABLE-004 where a column is missing, a column or a field inside one is not declared (``evolve: none``),
        or a type would lose values in the contract's type.
    """
    if not spec.columns:
        return frame
    from pyspark.sql import functions as F

    types = nodes_of(frame)
    plan = _Plan()
    for name, column in spec.columns.items():
        _place(plan, name, column, types, column.evolve or spec.evolve)
    extra = [name for name in types if name not in spec.columns and not name.startswith("_")]
    extra = [name for name in extra if name not in {column.renamed_from for column in spec.columns.values()}]
    if spec.evolve == "none":
        plan.undeclared += extra
    if plan.problems or plan.undeclared:
        raise differs(table, plan.problems, plan.undeclared)
    rescues = spec.evolve == "rescue" or any(column.evolve == "rescue" for column in spec.columns.values())
    passing = [name for name in types if name.startswith("_") and name not in (FAULTS, RESCUED, MISFITS)]
    if MISFITS in types:
        names = [part["name"] for part in types[MISFITS]["fields"]]  # type: ignore[index]  # a struct
        plan.rescued += [F.col(MISFITS).getField(name).alias(name) for name in names]
    if spec.evolve == "rescue":
        plan.rescued += [F.col(quoted(name)).alias(name) for name in extra]
    else:
        passing = [name for name in types if name in (*extra, *passing)]
    rest = [F.col(quoted(name)) for name in passing]
    if rescues:
        rest.append(_rescued(plan.rescued))
    if plan.faults or FAULTS in types:
        found = F.array_compact(F.array(*plan.faults)) if plan.faults else F.array()
        rest.append(with_faults(types, found).alias(FAULTS))
    return frame.select(*plan.chosen, *rest)


def _place(plan: _Plan, name: str, column: ColumnSpec, types: dict[str, Node], evolve: Evolve) -> None:
    """Put one column of the contract into the plan."""
    from pyspark.sql import functions as F

    source = name if name in types or column.renamed_from not in types else str(column.renamed_from)
    if source not in types:
        near = nearest(name, list(types))
        plan.problems.append(f"{name} is missing" + (f" (nearest: {near})" if near else ""))
        return
    comment = ", ".join(part for part in (column.description, column.unit and f"in {column.unit}") if part)
    value = F.col(quoted(source))
    found = fit(name, types[source], wanted(name, column.type), evolve, said=column.type)
    plan.problems += found.problems
    plan.undeclared += found.undeclared
    plan.chosen.append(found.made(value).alias(name, metadata={"comment": comment} if comment else {}))
    plan.faults += found.reasons(value)
    plan.rescued += [kept(value).alias(source + path.removeprefix(name)) for path, kept in found.rescued]


def _rescued(parts: list[Column]) -> Column:
    from pyspark.sql import functions as F

    if not parts:
        return F.lit(None).cast("string").alias(RESCUED)
    text = F.to_json(F.struct(*parts))
    return F.when(text != "{}", text).alias(RESCUED)
