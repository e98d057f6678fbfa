"""Spark's expressions → values: their sources, and a short text without literals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lakeloom.lineage.tree import Tree
from lakeloom.lineage.values import NOTHING, Value, field_of, flows, short, together

if TYPE_CHECKING:
    from lakeloom.lineage.rows import Rows

Env = Mapping[int, Value]
_BETWEEN = {
    "Add": "+", "Subtract": "-", "Multiply": "*", "Divide": "/", "Remainder": "%", "IntegralDivide": "div",
    "EqualTo": "=", "EqualNullSafe": "<=>", "LessThan": "<", "LessThanOrEqual": "<=", "GreaterThan": ">",
    "GreaterThanOrEqual": ">=", "And": "and", "Or": "or", "BitwiseAnd": "&", "BitwiseOr": "|", "BitwiseXor": "^",
    "Like": "like", "ILike": "ilike", "RLike": "rlike",
}  # fmt: skip
_NAMES = {
    "ArrayTransform": "transform", "ArrayFilter": "filter", "ArrayExists": "exists", "ArrayForAll": "forall",
    "ArrayAggregate": "aggregate", "CaseWhen": "case", "CreateArray": "array", "CreateMap": "map",
    "CreateNamedStruct": "struct", "Average": "avg", "TruncTimestamp": "date_trunc", "Substring": "substring",
    "StddevSamp": "stddev", "VarianceSamp": "variance", "SortArray": "sort_array", "MapFromEntries": "map_from_entries",
}  # fmt: skip
# Nodes that say nothing about the value itself.
_THROUGH = frozenset(
    {
        "Alias", "CommonExpressionDef", "KnownNullable", "KnownNotNull", "KnownFloatingPointNormalized",
        "NormalizeNaNAndZero", "TempResolvedColumn", "PromotePrecision", "CheckOverflow",
        "MakeDecimal", "UnscaledValue", "TryEval", "DistinctExpression", "NamedArgumentExpression", "Collate",
    }
)  # fmt: skip
# Functions whose value is one of their arguments: the fields of a struct stay apart in them.
_CHOOSES = frozenset({"Coalesce", "If", "CaseWhen", "First", "Last", "Lag", "Lead", "AnyValue", "NthValue"})
_SAID = {"NullIf": ("left", "right"), "Between": ("input", "lower", "upper")}
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Expressions:
    """Reads expressions where columns are known by their ids.

    Parameters
    ----------
    env : mapping
        Id → value of the columns that can be seen here, those of enclosing queries among them.
    query : callable
        Reads the plan of a subquery.
    """

    def __init__(self, env: Env, query: Callable[[Tree, Env], Rows]) -> None:
        self._env, self._query = env, query
        self._common: list[Value] = []

    def all(self, trees: Sequence[Tree]) -> list[Value]:
        """Return the values of several expressions."""
        return [self.value(tree) for tree in trees]

    def value(self, tree: Tree) -> Value:
        """Return where an expression's value comes from."""
        special = _SPECIAL.get(tree.kind)
        if special is not None:
            return special(self, tree)
        if isinstance(tree.fields.get("replacement"), int):  # stands for another expression, which it has as a child
            return self.value(tree.trees("replacement")[0])
        if tree.kind in _BETWEEN and len(tree.children) == 2:
            return self._between(tree)
        values = self.all(tree.children)
        if tree.kind in _THROUGH:
            return values[0] if values else NOTHING
        texts = [value.text for value in values]
        return together(values, f"{_called(tree)}({', '.join(texts)})", parts=tree.kind in _CHOOSES)

    def _between(self, tree: Tree) -> Value:
        # From the inside, so that a long chain of ORs or sums needs no deep recursion.
        chain = [tree]
        while chain[-1].children[0].kind in _BETWEEN:
            chain.append(chain[-1].children[0])
        value = self.value(chain[-1].children[0])
        for node in reversed(chain):
            right = self.value(node.children[1])
            value = together([value, right], f"{_inner(value.text)} {_BETWEEN[node.kind]} {_inner(right.text)}")
        return value

    def _attribute(self, tree: Tree) -> Value:
        return self._env.get(tree.id, Value(text=tree.name or "?"))

    def _literal(self, tree: Tree) -> Value:
        return NOTHING

    def _aggregate(self, tree: Tree) -> Value:
        made, *conditions = self.all(tree.children)
        return Value(made.sources, made.beside | flows(conditions, "filter"), made.text, "aggregated", made.parts)

    def _outer(self, tree: Tree) -> Value:
        return self.value(tree.trees("e")[0])

    def _variable(self, tree: Tree) -> Value:
        return Value(text=tree.name or "x")

    def _lambda(self, tree: Tree) -> Value:
        body, *variables = self.all(tree.children)
        named = ", ".join(variable.text for variable in variables)
        return together([body], f"{named} -> {body.text}")

    def _cast(self, tree: Tree) -> Value:
        value = self.value(tree.children[0])
        if tree.children[0].fields.get("dataType") == tree.fields.get("dataType") or value.text == "?":
            return value
        made = together([value], f"cast({value.text} as {_type(tree.fields.get('dataType'))})")
        # The same value in another type, its fields too.
        return Value(made.sources, made.beside, made.text, made.way, value.parts)

    def _not(self, tree: Tree) -> Value:
        (value,) = self.all(tree.children)
        return together([value], f"not {_inner(value.text)}")

    def _null(self, tree: Tree) -> Value:
        (value,) = self.all(tree.children)
        return together([value], f"{_inner(value.text)} is {'not ' if tree.kind == 'IsNotNull' else ''}null")

    def _negative(self, tree: Tree) -> Value:
        (value,) = self.all(tree.children)
        return together([value], f"-{_inner(value.text)}")

    def _field(self, tree: Tree) -> Value:
        value, ordinal = self.value(tree.children[0]), tree.fields.get("ordinal")
        name = tree.name
        if not name and value.parts is not None and isinstance(ordinal, int):
            name = list(value.parts)[ordinal]
        return field_of(value, name or _field_name(tree.children[0], ordinal))

    def _struct(self, tree: Tree) -> Value:
        named = tree.children[0::2]
        values = self.all(tree.children[1::2])
        made = together(values, f"struct({', '.join(value.text for value in values)})")
        names = [str(name.fields.get("value")) for name in named]
        return Value(made.sources, made.beside, made.text, made.way, dict(zip(names, values, strict=True)))

    def _replaced(self, tree: Tree) -> Value:
        """Return what stands for an expression, under the author's words: only the replacement was analysed."""
        made = self.value(tree.trees("replacement")[0])
        first, *others = (_inner(self.value(tree.trees(name)[0]).text) for name in _SAID[tree.kind])
        text = f"nullif({first}, {others[0]})" if tree.kind == "NullIf" else f"{first} between {' and '.join(others)}"
        return Value(made.sources, made.beside, short(text), made.way, made.parts)

    def _with(self, tree: Tree) -> Value:
        """Put what is computed once in the places that name it; their ids are not told, so of several all count."""
        asked, *defined = tree.children
        self._common.append(together(self.all(defined), ", ".join(self.value(each).text for each in defined)))
        try:
            return self.value(asked)
        finally:
            self._common.pop()

    def _common_value(self, tree: Tree) -> Value:
        return self._common[-1] if self._common else NOTHING

    def _item(self, tree: Tree) -> Value:
        value, at = self.all(tree.children)
        made = together([value, at], f"{value.text}[{at.text}]")
        return Value(made.sources, made.beside, made.text, made.way, value.parts)

    def _window(self, tree: Tree) -> Value:
        function, spec = tree.children[0], tree.children[1]
        value = self.value(function)
        keys = [child for child in spec.children if child.kind != "SpecifiedWindowFrame"]
        over = flows(self.all(keys), "window")
        return Value(value.sources, value.beside | over, short(f"{value.text} over (…)"), value.way, value.parts)

    def _order(self, tree: Tree) -> Value:
        return self.value(tree.children[0])

    def _scalar(self, tree: Tree) -> Value:
        rows = self._of_query(tree)
        value = rows.values[0] if rows.values else NOTHING
        return Value(value.sources, value.beside | rows.beside, short(f"(select {value.text})"), value.way, value.parts)

    def _exists(self, tree: Tree) -> Value:
        return Value(beside=self._of_query(tree).beside, text="exists (select …)")

    def _list(self, tree: Tree) -> Value:
        rows = self._of_query(tree)
        made = together(rows.values, f"select {', '.join(value.text for value in rows.values)}")
        return Value(made.sources, made.beside | rows.beside, made.text, made.way)

    def _in(self, tree: Tree) -> Value:
        values = self.all(tree.children)
        if tree.kind != "InSubquery":
            return together(values, f"{_inner(values[0].text)} in (…)")
        *asked, listed = values
        return together(values, f"{', '.join(value.text for value in asked)} in ({listed.text})")

    def _of_query(self, tree: Tree) -> Rows:
        (plan,) = tree.trees("plan")
        return self._query(plan, self._env)


_SPECIAL: dict[str, Callable[[Expressions, Tree], Value]] = {
    "AttributeReference": Expressions._attribute,
    "Literal": Expressions._literal,
    "OuterReference": Expressions._outer,
    "AggregateExpression": Expressions._aggregate,
    "NamedLambdaVariable": Expressions._variable,
    "LambdaFunction": Expressions._lambda,
    "Cast": Expressions._cast,
    "UpCast": Expressions._cast,
    "Not": Expressions._not,
    "IsNull": Expressions._null,
    "IsNotNull": Expressions._null,
    "UnaryMinus": Expressions._negative,
    "GetStructField": Expressions._field,
    "GetArrayStructFields": Expressions._field,
    "CreateNamedStruct": Expressions._struct,
    "NullIf": Expressions._replaced,
    "Between": Expressions._replaced,
    "With": Expressions._with,
    "CommonExpressionRef": Expressions._common_value,
    "TypedNullLiteral": Expressions._literal,
    "GetArrayItem": Expressions._item,
    "GetMapValue": Expressions._item,
    "ElementAt": Expressions._item,
    "WindowExpression": Expressions._window,
    "SortOrder": Expressions._order,
    "ScalarSubquery": Expressions._scalar,
    "Exists": Expressions._exists,
    "ListQuery": Expressions._list,
    "InSubquery": Expressions._in,
    "In": Expressions._in,
    "InSet": Expressions._in,
}


def _called(tree: Tree) -> str:
    """Return the name of a function."""
    given = tree.fields.get("udfName") or (tree.name if tree.kind.startswith("Python") else "")
    if isinstance(given, str) and given:
        return given
    return _NAMES.get(tree.kind) or _WORDS.sub("_", tree.kind).lower()


def _inner(text: str) -> str:
    """Return a text as a part of another: in brackets where it is more than one word or call."""
    depth = 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == " " and depth == 0:
            return f"({text})"
    return text


def _type(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(kind.get("type", "?")) if isinstance(kind, dict) else "?"


def _field_name(tree: Tree, ordinal: Any) -> str:
    kind = tree.fields.get("dataType")
    fields = kind.get("fields") if isinstance(kind, dict) else None
    if isinstance(fields, list) and isinstance(ordinal, int) and ordinal < len(fields):
        return str(fields[ordinal]["name"])
    return f"_{ordinal}"
