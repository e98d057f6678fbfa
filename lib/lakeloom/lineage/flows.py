"""What flows where in one write: for each column of a table its sources, and how they flow.

The words: ``value`` (the column is made of it), ``filter``, ``join key``, ``grouping``, ``window`` (partition or
order of a window), ``sort``. What decides about rows holds for every column of the table and is said once.
Texts of expressions never hold a literal: it stands there as ``?``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from lakeloom.core.steps import digest

How = Literal["value", "filter", "join key", "grouping", "window", "sort", "rows", "step"]
Way = Literal["same", "made", "aggregated", "unknown"]
# How the flows of a write were found: in Spark's plan, in the SQL's text, by what is declared, or not at all.
Basis = Literal["plan", "sql", "declared", "step"]
_COARSE = {"sql": "values only, by its SQL", "step": "its step tells nothing"}
OUTSIDE = "outside"


@dataclass(frozen=True, order=True)
class Flow:
    """Something that flows in: a column of a table, or its rows where `column` is empty.

    Attributes
    ----------
    column : str
        With the path of a nested field behind it: ``payload.user.id``.
    how : How
    expression : str
        Of a flow that decides about rows: the condition, keys or order.
    """

    table: str
    column: str
    how: How
    expression: str = ""


@dataclass(frozen=True)
class ColumnFlow:
    """How one column of a table is made.

    Attributes
    ----------
    expression : str
        Short SQL-like text over the sources' columns.
    way : {'same', 'made', 'aggregated', 'unknown'}
        Whether it is a source's column as it is, made of some, or aggregated over rows.
    flows : tuple of Flow
        Of its own: what decides about rows stands in `Flows.rows`.
    """

    expression: str
    way: Way
    flows: tuple[Flow, ...] = ()


@dataclass(frozen=True)
class Flows:
    """All that flows into one table by one write.

    Attributes
    ----------
    columns : dict
        Column → how it is made.
    rows : tuple of Flow
        What decides about the rows, and the tables that they come from.
    basis : Basis
    problem : str
        Why it is known no better, empty where it is known from the plan.
    renamed : dict
        New name → old name, of columns that earlier versions of the table have under the old one.
    """

    columns: dict[str, ColumnFlow]
    rows: tuple[Flow, ...] = ()
    basis: Basis = "plan"
    problem: str = ""
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """What a reader should know of how well this is known; nothing where it is known from the plan."""
        told = _COARSE.get(self.basis, "")
        return f"{told}: {self.problem}" if told and self.problem else told

    @property
    def tables(self) -> set[str]:
        """The tables that something flows from."""
        return {flow.table for flow in self.all()}

    def all(self) -> Iterable[Flow]:
        """Yield every flow."""
        yield from self.rows
        for column in self.columns.values():
            yield from column.flows

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, in an order that does not depend on the run."""
        return {
            "basis": self.basis,
            "problem": self.problem,
            "renamed": self.renamed,
            "rows": [_plain(flow) for flow in sorted(self.rows)],
            "columns": {
                name: [column.expression, column.way, [_plain(flow) for flow in sorted(column.flows)]]
                for name, column in self.columns.items()
            },
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> Flows:
        """Return what `as_dict` wrote."""
        return cls(
            {
                name: ColumnFlow(expression, way, tuple(Flow(*flow) for flow in flows))
                for name, (expression, way, flows) in data["columns"].items()
            },
            tuple(Flow(*flow) for flow in data["rows"]),
            data["basis"],
            data["problem"],
            data["renamed"],
        )

    @property
    def key(self) -> str:
        """16 hexadecimal digits over the content."""
        return digest(json.dumps(self.as_dict()))


def of_steps(tables: Iterable[str], problem: str, columns: Iterable[str] = ()) -> Flows:
    """Return what is known where nothing is: the rows of the tables that were read flow in, into any column."""
    rows = tuple(Flow(table, "", "step") for table in sorted(tables))
    return Flows({name: ColumnFlow("", "unknown") for name in columns}, rows, "step", problem)


def composed(outer: Flows, inner: Mapping[str, Flows]) -> Flows:
    """Return the flows of `outer` with each flow from a name in `inner` replaced by what flows into that."""

    def sources(flow: Flow) -> list[Flow]:
        behind = inner.get(flow.table)
        if behind is None:
            return [flow]
        column = behind.columns.get(flow.column.partition(".")[0])
        found = [] if column is None else list(column.flows)
        return [
            each if each.how != "value" else Flow(each.table, each.column, flow.how, flow.expression) for each in found
        ]

    columns = {}
    for name, column in outer.columns.items():
        behind = [
            inner[flow.table].columns.get(flow.column)
            for flow in column.flows
            if flow.table in inner and flow.how == "value"
        ]
        taken = behind[0] if len(behind) == 1 and column.way == "same" else None
        kept = tuple(dict.fromkeys(chain.from_iterable(map(sources, column.flows))))
        way, expression = (taken.way, taken.expression) if taken else (column.way, column.expression)
        columns[name] = ColumnFlow(expression, way, kept)
    rows = list(chain.from_iterable(sources(flow) for flow in outer.rows))
    rows += [flow for name, flows_ in inner.items() if name in outer.tables for flow in flows_.rows]
    return Flows(columns, tuple(dict.fromkeys(rows)), outer.basis, outer.problem, outer.renamed)


def _plain(flow: Flow) -> list[str]:
    return [flow.table, flow.column, flow.how, flow.expression]
