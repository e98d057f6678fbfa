"""Spark's plans as they come out of ``toJSON``: flat lists of nodes, the deepest first child after its parent.

Source: Spark's ``TreeNode.jsonValue``. A field that names a child holds its index; trees in other fields
(a projection's expressions, a subquery's plan) are lists of nodes of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tree:
    """A node of a plan or of an expression.

    Attributes
    ----------
    kind : str
        The class without its package: ``Project``, ``AttributeReference``.
    fields : dict
        As they stand in the JSON.
    children : tuple of Tree
    """

    kind: str
    fields: dict[str, Any]
    children: tuple[Tree, ...]

    @property
    def id(self) -> int:
        """The expression's id, by which plans speak of columns; -1 where it has none."""
        return number(self.fields.get("exprId"))

    @property
    def name(self) -> str:
        """The name of a column or function; empty where the node has none."""
        return str(self.fields.get("name") or "")

    def trees(self, field: str) -> list[Tree]:
        """Return the trees that a field holds: one, several, or none."""
        value = self.fields.get(field)
        if isinstance(value, int) and not isinstance(value, bool):
            return [self.children[value]]
        return list(_trees(value, self))

    def walk(self) -> Iterator[Tree]:
        """Yield the node and all below it, without the plans of subqueries."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            todo += node.children


def number(value: Any) -> int:
    """Return the number of an id, which is a product of number and the JVM's own id; -1 where it is none."""
    return int(value["id"]) if isinstance(value, dict) and "id" in value else -1


def grown(nodes: Sequence[dict[str, Any]]) -> Tree:
    """Return the tree of a flat list of nodes."""
    # From the end, so that a plan of any depth needs no recursion: a node's children are the trees last made.
    made: list[Tree] = []
    for node in reversed(nodes):
        count = node["num-children"]
        children = tuple(reversed(made[len(made) - count :]))
        del made[len(made) - count :]
        made.append(Tree(node["class"].rpartition(".")[2].rstrip("$"), node, children))
    if len(made) != 1:
        raise ValueError("the plan is no single tree")
    return made[0]


def is_tree(value: Any) -> bool:
    """Return whether a field's value is a tree: a list of nodes."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "num-children" in value[0]


def _trees(value: Any, parent: Tree) -> Iterator[Tree]:
    if is_tree(value):
        yield grown(value)
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, int) and not isinstance(each, bool):
                yield parent.children[each]
            else:
                yield from _trees(each, parent)
