"""How far a change reaches: from changed columns and rows over the recorded lineage, with how it gets there.

A way is named by the first thing on it that is no value: what a changed column only filters is reached by ``filter``,
however it goes on from there. What is reached in several ways has all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lakeloom.lineage.columns import ColumnGraph, Place
from lakeloom.lineage.graph import kind_of

VALUE, ROWS = "value", "rows"
# Edges that hand on whatever has come so far.
_ONWARD = ("value", "field", "rows")


@dataclass(frozen=True, order=True)
class Start:
    """What is changed: a column, or the rows of a table where it has none.

    Attributes
    ----------
    node : str
        ``layer.table.column`` or ``layer.table``.
    sure : bool
        False where it can't be told that the column is changed, only that it may be.
    """

    node: str
    sure: bool = True


@dataclass(frozen=True)
class Reached:
    """A column, table, study or model that a change reaches.

    Attributes
    ----------
    how : tuple of str
        ``value``, ``filter``, ``join key``, ``grouping``, ``window``, ``sort``, ``rows``, ``step``.
    sure : bool
        False where every way there begins at what may not be changed, or leads through a step that tells nothing.
    of : tuple of str
        The changed columns and tables that it is reached from.
    """

    node: str
    how: tuple[str, ...]
    sure: bool
    of: tuple[str, ...]


_State = tuple[str, str, bool]


def reached(
    graph: ColumnGraph, starts: Iterable[Start], opaque: Mapping[str, Collection[str]] | None = None
) -> list[Reached]:
    """Return what is reached, in the order of the nodes' names; what is changed itself is left out.

    Parameters
    ----------
    opaque : mapping, optional
        Table → tables that are made of it by steps of which nothing is recorded.
    """
    walker, found = _Walker(graph, opaque or {}), dict[str, dict[str, set[tuple[str, bool]]]]()
    begun = {start.node for start in starts}
    for start in sorted(set(starts)):
        for node, how, sure in walker.states(start):
            if node not in begun:
                found.setdefault(node, {}).setdefault(start.node, set()).add((how, sure))
    return [_told(node, by) for node, by in sorted(found.items())]


def _told(node: str, by: Mapping[str, set[tuple[str, bool]]]) -> Reached:
    states = {state for each in by.values() for state in each}
    hows = sorted({how for how, _ in states}, key=lambda how: (how != VALUE, how))
    return Reached(node, tuple(hows), any(sure for _, sure in states), tuple(sorted(by)))


class _Walker:
    def __init__(self, graph: ColumnGraph, opaque: Mapping[str, Collection[str]]) -> None:
        self.graph, self.opaque = graph, opaque
        self.columns: dict[str, list[str]] = {}
        for node in graph.ids - graph.tables:
            self.columns.setdefault(Place.parse(node).table, []).append(node)

    def states(self, start: Start) -> set[_State]:
        """Return every (node, how, sure) that is reached from `start`, itself among them."""
        whole = start.node.count(".") < 2 and kind_of(start.node) not in ("model", "study")
        first = (start.node, ROWS if whole else VALUE, start.sure)
        seen, todo = {first}, [first]
        # Rows that come or go do so for every column of the table.
        if first[1] == ROWS:
            todo += [(column, ROWS, start.sure) for column in self.columns.get(start.node, ())]
            seen.update(todo)
        while todo:
            for state in self._next(*todo.pop()):
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
        return seen

    def _next(self, node: str, how: str, sure: bool) -> Iterator[_State]:
        for edge in self.graph.leaving(node):
            onward = how if how != VALUE or edge.how in _ONWARD else edge.how
            yield edge.target, onward, sure and edge.how != "step"
        table = node if node.count(".") < 2 else Place.parse(node).table
        for target in self.opaque.get(table, ()):
            onward = how if how != VALUE else "step"
            yield target, onward, False
            for column in self.columns.get(target, ()):
                yield column, onward, False
