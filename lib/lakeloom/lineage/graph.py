"""Lineage as a graph, and three walks over it: upstream, downstream, between.

Built from the frozen steps, so that it shows what is executed. Nodes are sources (``sources.x``),
tables (``layer.name``), studies (``tuning.x``), models (``models.x``) and exports (``exports.x``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lakeloom.core.errors import TableError
from lakeloom.core.kinds import nearest
from lakeloom.core.steps import Step

_KINDS = {"sources": "source", "features": "view", "datasets": "dataset", "tuning": "study", "models": "model",
          "exports": "export"}  # fmt: skip


@dataclass(frozen=True, order=True)
class Node:
    """A thing that data flows through; `kind` is source, table, view, dataset, study, model or export."""

    id: str
    kind: str


@dataclass(frozen=True, order=True)
class Edge:
    """Data flows from `source` to `target`: `how` is lands, new, whole, checks, searches, trains or scores.

    ``checks``: no data flows, only the target's rules look at the source.
    """

    source: str
    target: str
    how: str
    expression: str = ""


@dataclass(frozen=True)
class Lineage:
    """A graph of nodes and edges; `notes` say of tables how well it is known what flows into them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[tuple[str, str], ...] = ()

    def up(self, name: str) -> Lineage:
        """Return what `name` comes from, with itself; raises LL-STORE-001 for an unknown name."""
        return self._only(self._reached(name, forward=False))

    def down(self, name: str) -> Lineage:
        """Return what comes from `name`, with itself; raises LL-STORE-001 for an unknown name."""
        return self._only(self._reached(name, forward=True))

    def between(self, first: str, last: str) -> Lineage:
        """Return what lies on a way from `first` to `last`."""
        return self._only(self._reached(first, forward=True) & self._reached(last, forward=False))

    def around(self, name: str) -> Lineage:
        """Return what `name` comes from and what comes from it."""
        return self._only(self._reached(name, forward=False) | self._reached(name, forward=True))

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``lineage --json``."""
        return {
            "nodes": [{"id": node.id, "kind": node.kind} for node in self.nodes],
            "edges": [
                {"from": edge.source, "to": edge.target, "how": edge.how, "expression": edge.expression}
                for edge in self.edges
            ],
            "notes": [{"table": table, "text": text} for table, text in self.notes],
        }

    def _only(self, names: set[str]) -> Lineage:
        return Lineage(
            tuple(node for node in self.nodes if node.id in names),
            tuple(edge for edge in self.edges if edge.source in names and edge.target in names),
        )

    def _reached(self, name: str, *, forward: bool) -> set[str]:
        known = [node.id for node in self.nodes]
        if name not in known:
            near = nearest(name, known)
            raise TableError(
                "LL-STORE-001",
                f"'{name}' is not in the lineage; there are {', '.join(known)}",
                fix=f"use '{near}'" if near else "see 'lakeloom lineage'",
            )
        following: dict[str, list[str]] = {}
        for edge in self.edges:
            start, end = (edge.source, edge.target) if forward else (edge.target, edge.source)
            following.setdefault(start, []).append(end)
        todo, seen = [name], {name}
        while todo:
            for other in following.get(todo.pop(), []):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen


def build(steps: Iterable[Step]) -> Lineage:
    """Return the lineage of a project's steps."""
    nodes: dict[str, Node] = {}
    edges = []
    for step in steps:
        if step.kind == "upkeep":  # nothing comes of it
            continue
        target = step.writes[0]
        if step.kind == "land":
            source = f"sources.{target.partition('.')[2]}"
            nodes[source] = _node(source)
            edges.append(Edge(source, target, "lands"))
        nodes[target] = _node(target)
        for read in step.reads:
            nodes.setdefault(read.table, _node(read.table))
            edges.append(Edge(read.table, target, _how(step, read.table, read.mode)))
    return Lineage(tuple(nodes.values()), tuple(edges))


def kind_of(name: str) -> str:
    """Return what a node is, by the layer that its name begins with."""
    return _KINDS.get(name.partition(".")[0], "table")


def _node(name: str) -> Node:
    return Node(name, kind_of(name))


def _how(step: Step, table: str, mode: str) -> str:
    if table.startswith("models."):
        return "scores"
    return {"tune": "searches", "train": "trains"}.get(step.kind, "checks" if mode == "look" else mode)
