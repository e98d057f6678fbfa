"""Lineage between columns: a graph of what was made of what, walked up, down and between.

Nodes are columns (``silver.flights.arr_delay``), fields of them (``bronze.events.payload.user``), and what has
columns: a table stands for its rows, a model for itself. What decides about rows flows into the table's node, and
from there into each of its columns. With versions, ``@7`` stands behind the table's name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from lakeloom.core.errors import TableError
from lakeloom.core.kinds import nearest
from lakeloom.lineage.graph import Edge, Lineage, Node, kind_of

NAME = re.compile(r"([^.@]+\.[^.@]+)(?:@([^.]+))?(?:\.(.+))?")


@dataclass(frozen=True)
class Place:
    """What a lineage is asked about: a table, a version of it, a column of it, or both."""

    table: str
    point: str = ""
    column: str = ""

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read ``layer.table[@version][.column]``; raises LL-STORE-001 for anything else."""
        found = NAME.fullmatch(text)
        if found is None:
            raise TableError(
                "LL-STORE-001",
                f"'{text}' is no table or column",
                fix="write silver.flights.arr_delay or silver.flights",
            )
        return cls(found[1], found[2] or "", found[3] or "")


class ColumnGraph:
    """A graph of columns.

    Parameters
    ----------
    edges : iterable of Edge
    tables : collection of str
        The ids of nodes that have columns.
    renamed : mapping
        Id of a column under its old name → under its new one.
    notes : mapping
        Id of a table → what is to be known of how well its lineage is known.
    """

    def __init__(
        self,
        edges: Iterable[Edge],
        tables: Collection[str],
        renamed: Mapping[str, str] | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self.edges = tuple(dict.fromkeys(edges))
        self.tables, self.renamed = set(tables), dict(renamed or {})
        self.notes = {table: text for table, text in (notes or {}).items() if text}
        self._out: dict[str, list[Edge]] = {}
        self._into: dict[str, list[Edge]] = {}
        for edge in self.edges:
            self._out.setdefault(edge.source, []).append(edge)
            self._into.setdefault(edge.target, []).append(edge)

    @cached_property
    def ids(self) -> set[str]:
        """The ids of all nodes."""
        return self.tables | self._out.keys() | self._into.keys()

    def pinned(self, place: Place, version: int | None = None) -> str:
        """Return the id of a place in a graph of versions: at a version, or at the one that the graph holds.

        Raises
        ------
        TableError
            LL-STORE-001 where the graph holds no version of the table.
        """
        prefix = f"{place.table}@"
        found = sorted(table for table in self.tables if table.startswith(prefix))
        name = f"{prefix}{version}" if version is not None else found[-1] if found else ""
        if not name:
            raise TableError(
                "LL-STORE-001", f"{place.table} is not in the lineage of that version", fix="name its version as well"
            )
        return f"{name}.{place.column}" if place.column else name

    def known(self, name: str) -> str:
        """Return the id that a name means: itself, a column's new name, or the column that holds the field.

        Raises
        ------
        TableError
            LL-STORE-001 for a name that is not in the graph.
        """
        if name in self.ids:
            return name
        if name in self.renamed:
            return self.known(self.renamed[name])
        whole = name.rpartition(".")[0]
        if whole.count(".") >= 2 and whole in self.ids and whole not in self.tables:
            return whole
        table = next((table for table in self.tables if name.startswith(f"{table}.")), "")
        near = nearest(name, sorted(self.ids))
        listed = sorted(each[len(table) + 1 :] for each in self.ids if each.startswith(f"{table}.")) if table else []
        raise TableError(
            "LL-STORE-001",
            f"'{name}' is not in the lineage" + (f"; {table} has {', '.join(listed[:40])}" if listed else ""),
            fix=f"use '{near}'" if near else "see 'lakeloom lineage'",
        )

    def up(self, name: str, how: Collection[str] = ()) -> Lineage:
        """Return what a column comes from."""
        return self._shown(self._reached(self.known(name), how, forward=False))

    def down(self, name: str, how: Collection[str] = ()) -> Lineage:
        """Return what comes of a column."""
        return self._shown(self._reached(self.known(name), how, forward=True))

    def around(self, name: str, how: Collection[str] = ()) -> Lineage:
        """Return both."""
        start = self.known(name)
        both = [self._reached(start, how, forward=forward) for forward in (False, True)]
        return self._shown({edge: None for found in both for edge in found}, start)

    def between(self, first: str, last: str, how: Collection[str] = ()) -> Lineage:
        """Return all ways from one column to another."""
        start, end = self.known(first), self.known(last)
        back = self._reached(end, how, forward=False)
        return self._shown({edge: None for edge in self._reached(start, how, forward=True) if edge in back})

    def whole(self, how: Collection[str] = ()) -> Lineage:
        """Return all of it."""
        return self._shown({edge: None for edge in self.edges if _follows(edge, how)})

    def leaving(self, node: str) -> Iterable[Edge]:
        """Yield the edges that lead on from a node."""
        return self._leaving(node, self._out)

    def _reached(self, start: str, how: Collection[str], *, forward: bool) -> dict[Edge, None]:
        following = self._out if forward else self._into
        found: dict[Edge, None] = {}
        # A table is its columns too.
        todo = [start, *(each for each in self.ids if start in self.tables and each.startswith(f"{start}."))]
        seen = set(todo)
        while todo:
            node = todo.pop()
            for edge in self._leaving(node, following) if forward else following.get(node, ()):
                if not _follows(edge, how):
                    continue
                found[edge] = None
                other = edge.target if forward else edge.source
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return found

    def _leaving(self, node: str, following: dict[str, list[Edge]]) -> Iterable[Edge]:
        """Yield the edges that leave a node: of a field also those of what holds it, into which it goes with it."""
        yield from following.get(node, ())
        holder = node.rpartition(".")[0]
        while holder in self.ids and holder not in self.tables:
            yield from (edge for edge in following.get(holder, ()) if edge.how != "field")
            holder = holder.rpartition(".")[0]

    def _shown(self, edges: Iterable[Edge], *more: str) -> Lineage:
        kept = tuple(edges)
        ids = dict.fromkeys([*more, *(each for edge in kept for each in (edge.source, edge.target))])
        told = {_owner(each, self.tables) for each in ids} if self.notes else ()
        notes = tuple((table, text) for table, text in self.notes.items() if table in told)
        return Lineage(tuple(Node(each, self._kind(each)) for each in ids), kept, notes)

    def _kind(self, node: str) -> str:
        if node in self.tables:
            return kind_of(node)
        return "column" if node.count(".") >= 2 else kind_of(node)


def by_tables(lineage: Lineage, tables: Collection[str]) -> Lineage:
    """Return a lineage of columns as one of their tables."""
    owners = set(tables)
    hows: dict[tuple[str, str], dict[str, None]] = {}
    for edge in lineage.edges:
        pair = _owner(edge.source, owners), _owner(edge.target, owners)
        if pair[0] != pair[1]:
            hows.setdefault(pair, {})[edge.how] = None
    edges = tuple(Edge(*pair, ", ".join(sorted(found))) for pair, found in hows.items())
    nodes = dict.fromkeys(_owner(node.id, owners) for node in lineage.nodes)
    return Lineage(tuple(Node(node, kind_of(node)) for node in nodes), edges, lineage.notes)


def _owner(node: str, tables: Collection[str]) -> str:
    """Return the table that a column, or a field of one, is in."""
    while node not in tables and node.count(".") >= 2:
        node = node.rpartition(".")[0]
    return node


def _follows(edge: Edge, how: Collection[str]) -> bool:
    # Through a step that tells nothing anything may flow, in any way.
    return not how or edge.how in how or edge.how in ("field", "step")
