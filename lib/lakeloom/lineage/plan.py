"""Spark's analysed plan → what flows into each of its columns.

A plan speaks of columns by ids, which are the same all over a plan and are new in each copy of a table
that is joined with itself. Tables are known by the aliases that the store gives to what it reads
(``silver.flights@7``); what lies below such an alias is not looked at.

Source: ``queryExecution().analyzed().toJSON()``, Spark's ``org.apache.spark.sql.catalyst.plans.logical``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lakeloom.lineage.expressions import Env, Expressions
from lakeloom.lineage.flows import OUTSIDE, ColumnFlow, Flow, Flows, composed
from lakeloom.lineage.rows import Output, Rows, laid_over, one_of, union
from lakeloom.lineage.tree import Tree, grown, number
from lakeloom.lineage.values import NOTHING, Value, flows, source, together

_READ = re.compile(r"([a-z]+\.[A-Za-z_][A-Za-z0-9_]*)@\d+")


def read(text: str, inner: Mapping[str, Flows] | None = None, known: Mapping[str, Value] | None = None) -> Flows:
    """Return the flows of an analysed plan.

    Parameters
    ----------
    text : str
        The plan as JSON.
    inner : mapping, optional
        What an alias stands for that is no table: a query whose result was laid down and is read here.
    known : mapping, optional
        Column → value, of what functions give that a plan can't look into.

    Raises
    ------
    ValueError, KeyError, IndexError
        Where the text is no plan as Spark writes it.
    """
    rows = _Plan(known or {}).rows(grown(json.loads(text)), {})
    columns = {output.name: _flow(output.value) for output in rows.outputs}
    found = Flows(columns, tuple(sorted(rows.beside)))
    return found if not inner else composed(found, inner)


def _flow(value: Value) -> ColumnFlow:
    found = {Flow(table, column, "value") for table, column in value.sources} | value.beside
    return ColumnFlow(value.text, value.way, tuple(sorted(found)))


class _Plan:
    """One reading of a plan: what its WITH queries give is kept by their ids."""

    def __init__(self, known: Mapping[str, Value]) -> None:
        self._known, self._named = known, dict[int, Rows]()
        self._done: dict[int, Rows] = {}

    def rows(self, tree: Tree, outer: Env) -> Rows:
        """Return what a node gives, `outer` being what enclosing queries know."""
        if id(tree) in self._done:
            return self._done.pop(id(tree))
        # From below, so that a long chain of nodes needs no deep recursion: each finds its child's rows ready.
        chain = [tree]
        while len(chain[-1].children) == 1:
            chain.append(chain[-1].children[0])
        for node in reversed(chain[1:]):
            self._done[id(node)] = self._node(node, outer)
        return self._node(tree, outer)

    def _node(self, tree: Tree, outer: Env) -> Rows:
        made = _NODES.get(tree.kind)
        if made is not None:
            return made(self, tree, outer)
        below = [self.rows(child, outer) for child in tree.children]
        beside = union(rows.beside for rows in below)
        given = _attributes(tree)
        there = {output.id for rows in below for output in rows.outputs}
        if given and not {attribute.id for attribute in given} <= there:
            return self._opaque(tree, below, given, outer)
        return Rows(tuple(output for rows in below for output in rows.outputs), beside)

    def _expressions(self, below: Sequence[Rows], outer: Env) -> Expressions:
        env = dict(outer)
        for rows in below:
            env |= rows.env
        return Expressions(env, self.rows)

    def _child(self, tree: Tree, outer: Env) -> tuple[Rows, Expressions]:
        rows = self.rows(tree.children[0], outer)
        return rows, self._expressions([rows], outer)

    def _opaque(self, tree: Tree, below: Sequence[Rows], given: Sequence[Tree], outer: Env) -> Rows:
        """A node that makes columns in a way of its own: each of them of all that it is given."""
        if not below:
            return Rows(
                tuple(Output(each.id, each.name, _leaf(tree, each.name)) for each in given),
                frozenset({Flow(OUTSIDE, "", "rows")} if tree.kind in _RELATIONS else ()),
            )
        expressions = self._expressions(below, outer)
        called = [each for name in ("functionExpr", "function", "func") for each in tree.trees(name)]
        arguments = [child for each in called for child in each.children]
        values = expressions.all(arguments) or [value for rows in below for value in rows.values]
        name = next((each.name for each in called if each.name), tree.kind)
        made = together(values, f"{name}(…)")
        keys = [key for field in ("groupingAttributes", "keyAttributes") for key in tree.trees(field)]
        beside = union(rows.beside for rows in below) | flows(expressions.all(keys), "grouping")
        return Rows(tuple(Output(each.id, each.name, self._known.get(each.name, made)) for each in given), beside)

    def _alias(self, tree: Tree, outer: Env) -> Rows:
        found = _READ.fullmatch(_alias_of(tree))
        rows = self.rows(tree.children[0], outer)
        if found is None:
            return rows
        table = found[1]
        outputs = tuple(Output(each.id, each.name, source(table, each.name)) for each in rows.outputs)
        return Rows(outputs, frozenset({Flow(table, "", "rows")}))

    def _project(self, tree: Tree, outer: Env) -> Rows:
        rows, expressions = self._child(tree, outer)
        return Rows(self._named_ones(tree.trees("projectList"), expressions), rows.beside)

    def _aggregate(self, tree: Tree, outer: Env) -> Rows:
        rows, expressions = self._child(tree, outer)
        keys = expressions.all(tree.trees("groupingExpressions"))
        outputs = self._named_ones(tree.trees("aggregateExpressions"), expressions)
        return Rows(outputs, rows.beside | flows(keys, "grouping"))

    def _window(self, tree: Tree, outer: Env) -> Rows:
        rows, expressions = self._child(tree, outer)
        return Rows((*rows.outputs, *self._named_ones(tree.trees("windowExpressions"), expressions)), rows.beside)

    def _filter(self, tree: Tree, outer: Env) -> Rows:
        rows, expressions = self._child(tree, outer)
        found = rows.beside
        for condition in _conditions(tree):
            # A condition that compares with a row of an enclosing query joins the two.
            joins = any(node.kind == "OuterReference" for node in condition.walk())
            found |= flows([expressions.value(condition)], "join key" if joins else "filter")
        return Rows(rows.outputs, found)

    def _sort(self, tree: Tree, outer: Env) -> Rows:
        rows, expressions = self._child(tree, outer)
        return Rows(rows.outputs, rows.beside | flows(expressions.all(tree.trees("order")), "sort"))

    def _deduplicated(self, tree: Tree, outer: Env) -> Rows:
        rows, expressions = self._child(tree, outer)
        return Rows(rows.outputs, rows.beside | flows(expressions.all(tree.trees("keys")), "grouping"))

    def _join(self, tree: Tree, outer: Env) -> Rows:
        left = self.rows(tree.trees("left")[0], outer)
        right_tree = tree.trees("right")[0]
        if tree.kind == "LateralJoin":
            (plan,) = right_tree.trees("plan")
            right = self.rows(plan, {**outer, **left.env})
        else:
            right = self.rows(right_tree, outer)
        expressions = self._expressions([left, right], outer)
        keys = flows(expressions.all(_conditions(tree)), "join key")
        half = any(word in json.dumps(tree.fields.get("joinType")) for word in ("LeftSemi", "LeftAnti"))
        outputs = left.outputs if half else (*left.outputs, *right.outputs)
        return Rows(outputs, left.beside | right.beside | keys)

    def _united(self, tree: Tree, outer: Env) -> Rows:
        below = [self.rows(child, outer) for child in tree.children]
        return laid_over(below)

    def _set(self, tree: Tree, outer: Env) -> Rows:
        left, right = (self.rows(child, outer) for child in tree.children)
        return Rows(left.outputs, left.beside | right.beside | flows(right.values, "filter"))

    def _expand(self, tree: Tree, outer: Env) -> Rows:
        rows, expressions = self._child(tree, outer)
        projections = tree.fields["projections"]
        if projections is None:
            # Spark writes some as null. For ROLLUP, CUBE and GROUPING SETS the columns are the child's, in order,
            # and behind them which grouping it is.
            values = [*rows.values, *[NOTHING] * len(_attributes(tree))]
            pairs = zip(_attributes(tree), values, strict=False)
            return Rows(tuple(Output(each.id, each.name, value) for each, value in pairs), rows.beside)
        lists = [[_grown(each) for each in row] for row in projections]
        outputs = []
        for index, attribute in enumerate(_attributes(tree)):
            values = [expressions.value(row[index]) for row in lists]
            outputs.append(Output(attribute.id, attribute.name, one_of(values)))
        return Rows(tuple(outputs), rows.beside)

    def _generate(self, tree: Tree, outer: Env) -> Rows:
        rows, expressions = self._child(tree, outer)
        (generator,) = tree.trees("generator")
        made = expressions.value(generator)
        outputs = []
        given = tree.trees("generatorOutput")
        for index, attribute in enumerate(given):
            value = _generated(expressions, generator, made, index, len(given), attribute.name)
            outputs.append(Output(attribute.id, attribute.name, value))
        return Rows((*rows.outputs, *outputs), rows.beside)

    def _with(self, tree: Tree, outer: Env) -> Rows:
        *definitions, last = tree.children
        for definition in definitions:
            self._named[number_of(definition, "id")] = self.rows(definition.children[0], outer)
        return self.rows(last, outer)

    def _reference(self, tree: Tree, outer: Env) -> Rows:
        known = self._named[number_of(tree, "cteId" if "cteId" in tree.fields else "loopId")]
        given = _attributes(tree)
        pairs = zip(given, known.values, strict=True)
        return Rows(tuple(Output(each.id, each.name, value) for each, value in pairs), known.beside)

    def _loop(self, tree: Tree, outer: Env) -> Rows:
        anchor = self.rows(tree.trees("anchor")[0], outer)

        def grown_by(known: Rows) -> Rows:
            self._named[number_of(tree, "id")] = known
            return laid_over([anchor, self.rows(tree.trees("recursion")[0], outer)])

        once = known = grown_by(anchor)
        # A value may need several rounds to come around to a column; the words stay those of the first.
        while (further := grown_by(known)).sources != known.sources:
            known = further
        pairs = zip(once.outputs, known.values, strict=True)
        outputs = (replace(each, value=replace(each.value, sources=value.sources)) for each, value in pairs)
        return Rows(tuple(outputs), known.beside)

    def _named_ones(self, trees: Sequence[Tree], expressions: Expressions) -> tuple[Output, ...]:
        return tuple(Output(tree.id, tree.name, expressions.value(tree)) for tree in trees)


_RELATIONS = frozenset(
    {
        "LogicalRelation", "DataSourceV2Relation", "HiveTableRelation", "StreamingRelation", "StreamingRelationV2",
        "StreamingDataSourceV2Relation", "StreamingExecutionRelation",
    }
)  # fmt: skip
_NODES: dict[str, Callable[[_Plan, Tree, Env], Rows]] = {
    "SubqueryAlias": _Plan._alias,
    "Project": _Plan._project,
    "Aggregate": _Plan._aggregate,
    "Window": _Plan._window,
    "Filter": _Plan._filter,
    "Sort": _Plan._sort,
    "Deduplicate": _Plan._deduplicated,
    "DeduplicateWithinWatermark": _Plan._deduplicated,
    "Join": _Plan._join,
    "LateralJoin": _Plan._join,
    "AsOfJoin": _Plan._join,
    "Union": _Plan._united,
    "Intersect": _Plan._set,
    "Except": _Plan._set,
    "Expand": _Plan._expand,
    "Generate": _Plan._generate,
    "WithCTE": _Plan._with,
    "CTERelationRef": _Plan._reference,
    "UnionLoopRef": _Plan._reference,
    "UnionLoop": _Plan._loop,
}


def number_of(tree: Tree, field: str) -> int:
    """Return a field's number, whether it stands there as such or as an id."""
    value = tree.fields.get(field)
    return value if isinstance(value, int) else number(value)


def _conditions(tree: Tree) -> list[Tree]:
    """Return the parts of a node's condition that must all hold; none where it has no condition."""
    found, todo = [], tree.trees("condition")
    while todo:
        condition = todo.pop()
        if condition.kind == "And":
            todo += condition.children
        else:
            found.append(condition)
    return found


def _alias_of(tree: Tree) -> str:
    named = tree.fields.get("identifier")
    return str(named.get("name", "")) if isinstance(named, dict) else str(named or "")


def _attributes(tree: Tree) -> list[Tree]:
    """Return the columns that a node says it gives."""
    for field in ("output", "outputAttrs", "outAttributes", "outputAttributes"):
        found = tree.trees(field)
        if found:
            return found
    return []


def _leaf(tree: Tree, name: str) -> Value:
    return source(OUTSIDE, name) if tree.kind in _RELATIONS else Value(text=name)


def _grown(nodes: list[dict[str, object]]) -> Tree:
    return grown(nodes)


def _generated(expressions: Expressions, generator: Tree, made: Value, index: int, count: int, name: str) -> Value:
    """Return one column of a generator: of a list of values its own, else of all that the generator takes."""
    if generator.kind == "Stack":
        cells = expressions.all(generator.children[1:])
        return one_of(cells[index::count]) if cells[index::count] else NOTHING
    inner = generator
    while inner.kind in ("Explode", "PosExplode", "Inline", "GeneratorOuter") and inner.children:
        inner = inner.children[0]
    element = one_of(expressions.all(inner.children)) if inner.kind == "CreateArray" and inner.children else None
    if "Inline" in (generator.kind, *(child.kind for child in generator.children)) and element and element.parts:
        return list(element.parts.values())[index]
    parts = element.parts if element and generator.kind == "Explode" else None
    return Value(made.sources, made.beside, made.text, made.way, parts)
