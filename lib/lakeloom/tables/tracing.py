"""SQL that tells of each row of its result which rows of its inputs it was made of.

The query is rewritten, not guessed at: each table gives a column with the names of its rows, a join puts the names
of both sides together, a group and a DISTINCT collect them, and a window that computes over other rows takes theirs
too. Of the rows of a group all count, also those that an aggregate such as max would not miss. What is only looked
at (a subquery in a condition, the other side of a semi or anti join) is not told row by row but as a table; what
can't be rewritten is refused, and never answered wrongly.

Source: Green, Karvounarakis and Tannen, Provenance semirings (2007), lineage and why-provenance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakeloom.tables.sql import bind, parse, view_of

if TYPE_CHECKING:
    from sqlglot import exp

# The column with the names of rows, in inputs and in what is made of them.
WHY = "_why"
RANKED = "a row is chosen or numbered among others: of these only the row itself is told"


class UntraceableError(Exception):
    """A query that can't be rewritten; says why, in words without values."""


@dataclass(frozen=True)
class Traced:
    """A query that tells where its rows are from.

    Attributes
    ----------
    sql : str
        Over the views `view_of` of the tables, and over `named_view` of them, which have the column `WHY`, an array.
    why : str
        The result's column with the names of rows, array<string>.
    whole : frozenset of str
        Tables that it only looks at.
    notes : tuple of str
    """

    sql: str
    why: str
    whole: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def named_view(table: str) -> str:
    """Return the name of the view that stands for a table whose rows have names."""
    return f"{view_of(table)}__why"


def traced(sql: str, tables: Collection[str]) -> Traced:
    """Rewrite a query over `tables`.

    Raises
    ------
    UntraceableError
        For a pivot, a recursive or sampled query, INTERSECT and EXCEPT, and stars inside of functions.
    """
    tracer = _Tracer({view_of(table): table for table in tables})
    tree, why = tracer.query(parse(bind(sql, set(tables))).copy(), {})
    return Traced(tree.sql(dialect="spark"), why, frozenset(tracer.whole), tuple(tracer.notes))


@dataclass(frozen=True)
class _With:
    """A query of a WITH: its column of names, and the tables that it reads."""

    why: str
    tables: frozenset[str]


@dataclass
class _Tracer:
    views: dict[str, str]
    whole: set[str] = field(default_factory=set)
    notes: dict[str, None] = field(default_factory=dict)
    count: int = 0

    def query(self, node: exp.Expr, known: dict[str, _With]) -> tuple[exp.Expr, str]:
        """Return a query with a last column of names, and that column's name."""
        from sqlglot import exp

        if isinstance(node, exp.Subquery) and not node.alias:
            return self.query(node.this, known)
        known = self._with(node, known)
        if isinstance(node, exp.Select):
            return self._select(node, known)
        if type(node) is exp.Union and not node.args.get("by_name"):
            return self._union(node, known)
        raise UntraceableError(f"{node.key.upper()} of queries")

    def _with(self, node: exp.Expr, known: dict[str, _With]) -> dict[str, _With]:
        from sqlglot import exp

        clause = node.args.get("with_")
        if clause is None:
            return known
        if clause.args.get("recursive"):
            raise UntraceableError("a recursive query")
        known, every = dict(known), list[exp.Expr]()
        for each in clause.expressions:
            named = each.copy()
            tables = frozenset(self._tables(each.this, known))
            made, why = self.query(named.this, known)
            named.set("this", made)
            alias = named.args["alias"]
            alias.set("this", exp.to_identifier(f"{each.alias}__why"))
            if alias.args.get("columns"):
                alias.append("columns", exp.to_identifier(why))
            known[each.alias.lower()] = _With(why, tables)
            # The plain one stays for subqueries that look at it.
            every += [each, named]
        clause.set("expressions", every)
        return known

    def _union(self, node: exp.Union, known: dict[str, _With]) -> tuple[exp.Expr, str]:
        from sqlglot import exp

        left, why = self.query(node.this, known)
        right, _ = self.query(node.expression, known)
        if not node.args.get("distinct"):
            node.set("this", left)
            node.set("expression", right)
            return node, why
        if node.args.get("limit") or node.args.get("with_"):
            raise UntraceableError("a UNION without ALL that has a LIMIT or WITH of its own")
        return self._distinct(exp.union(left, right, distinct=False, copy=False), why)

    def _select(self, node: exp.Select, known: dict[str, _With]) -> tuple[exp.Expr, str]:
        from sqlglot import exp

        distinct = node.args.get("distinct")
        if distinct is not None and (distinct.args.get("on") or node.args.get("limit") or node.args.get("with_")):
            raise UntraceableError("a DISTINCT that has a LIMIT or WITH of its own")
        self._look(node, known)
        aggregated = node.args.get("group") is not None or any(_aggregates(node))
        windows = list(_windows(node))
        sources = self._sources(node, known)
        _stars(node, sources)
        names = [f"COALESCE({why}, CAST(ARRAY() AS ARRAY<STRING>))" for _, why in sources]
        text = f"CONCAT({', '.join(names)})" if names else "CAST(ARRAY() AS ARRAY<STRING>)"
        text = f"FLATTEN(COLLECT_LIST({text}))" if aggregated else text
        base: exp.Expr = exp.maybe_parse(text, dialect="spark")
        parts = [base, *(part for window in windows if (part := self._windowed(window, base)) is not None)]
        why = self._next()
        made = exp.func("CONCAT", *parts, dialect="spark") if len(parts) > 1 else base
        node.append("expressions", exp.alias_(made, why))
        if distinct is None:
            return node, why
        node.set("distinct", None)
        node.set("order", None)
        return self._distinct(node, why)

    def _distinct(self, node: exp.Expr, why: str) -> tuple[exp.Expr, str]:
        from sqlglot import exp

        new = self._next()
        inner = node.sql(dialect="spark")
        text = f"SELECT * EXCEPT ({why}), FLATTEN(COLLECT_LIST({why})) AS {new} FROM ({inner}) GROUP BY ALL"  # noqa: S608 - our own names
        return exp.maybe_parse(text, dialect="spark"), new

    def _sources(self, node: exp.Select, known: dict[str, _With]) -> list[tuple[str, str]]:
        """Put names into what a SELECT reads; return (alias, column of names) of each that has them."""
        found = []
        start = node.args.get("from_")
        holders = [*([start] if start is not None else []), *(node.args.get("joins") or ())]
        for holder in holders:
            if holder.args.get("kind") in ("SEMI", "ANTI"):
                self.whole |= set(self._tables(holder.this, known))
                continue
            named = self._source(holder.this, known)
            if named is not None:
                holder.set("this", named[0])
                found.append(named[1:])
        return found

    def _source(self, node: exp.Expr, known: dict[str, _With]) -> tuple[exp.Expr, str, str] | None:
        """Return a source with names, its alias and the column of names; None where it has no rows of a table."""
        from sqlglot import exp

        if node.args.get("pivots") or node.args.get("sample"):
            raise UntraceableError("a PIVOT or a sample")
        if isinstance(node, exp.Table) and node.args.get("joins"):
            raise UntraceableError("nested joins")
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            table, cte = self.views.get(node.name), known.get(node.name.lower())
            if table is None and cte is None:
                return None
            why, there = (cte.why, f"{node.name}__why") if cte else (WHY, named_view(str(table)))
            new, alias = self._next(), node.alias or node.name
            text = f"(SELECT * EXCEPT ({why}), {why} AS {new} FROM {there}) AS `{alias}`"  # noqa: S608 - our own names
            return exp.maybe_parse(f"SELECT 1 FROM {text}", dialect="spark").args["from_"].this, alias, new  # noqa: S608
        if isinstance(node, exp.Subquery):
            made, why = self.query(node.this, known)
            node.set("this", made)
            columns = node.args["alias"].args.get("columns") if node.args.get("alias") else None
            if columns:
                node.args["alias"].append("columns", exp.to_identifier(why))
            return node, node.alias, why
        return None

    def _look(self, node: exp.Select, known: dict[str, _With]) -> None:
        """Note the tables that a SELECT looks at beside its sources."""
        for name in ("expressions", "where", "having", "qualify", "order", "laterals"):
            value = node.args.get(name)
            for each in value if isinstance(value, list) else [value] if value is not None else []:
                self.whole |= set(self._tables(each, known))
        for join in node.args.get("joins") or ():
            if join.args.get("on") is not None:
                self.whole |= set(self._tables(join.args["on"], known))
            if join.this.key == "lateral":
                self.whole |= set(self._tables(join.this, known))

    def _tables(self, node: exp.Expr, known: dict[str, _With]) -> Iterator[str]:
        from sqlglot import exp

        for each in node.find_all(exp.Table):
            if each.name in self.views:
                yield self.views[each.name]
            elif each.name.lower() in known:
                yield from known[each.name.lower()].tables

    def _windowed(self, window: exp.Window, base: exp.Expr) -> exp.Expr | None:
        """Return the names of the other rows that a window's value is made of; None where it only ranks."""
        from sqlglot import exp

        inner = _function(window)
        if inner.name.lower() in _RANKS or (isinstance(inner, exp.Func) and inner.sql_name().lower() in _RANKS):
            self.notes[RANKED] = None
            return None
        over = window.copy()
        if isinstance(inner, exp.Lag | exp.Lead):
            moved = inner.copy()
            moved.set("this", base.copy())
            moved.set("default", None)
            over.set("this", moved)
            empty: exp.Expr = exp.maybe_parse("CAST(ARRAY() AS ARRAY<STRING>)", dialect="spark")
            return exp.func("COALESCE", over, empty, dialect="spark")
        over.set("this", exp.maybe_parse(f"COLLECT_LIST({base.sql(dialect='spark')})", dialect="spark"))
        return exp.func("FLATTEN", over, dialect="spark")

    def _next(self) -> str:
        self.count += 1
        return f"{WHY}_{self.count}"


_RANKS = frozenset({"row_number", "rank", "dense_rank", "ntile", "percent_rank", "cume_dist"})


def _inside(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield an expression and all below it, but nothing of a subquery."""
    from sqlglot import exp

    yield node
    for child in node.iter_expressions():
        if not isinstance(child, exp.Query):
            yield from _inside(child)


def _said(node: exp.Select) -> Iterator[exp.Expr]:
    """Yield the expressions of a SELECT by which rows are made or chosen."""
    yield from node.expressions
    yield from (node.args[name] for name in ("having", "qualify", "order") if node.args.get(name) is not None)


def _aggregates(node: exp.Select) -> Iterator[exp.Expr]:
    from sqlglot import exp

    ranks = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)
    for said in _said(node):
        for each in _inside(said):
            over = each.parent
            while isinstance(over, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
                over = over.parent
            own = isinstance(over, exp.Window) and _function(over) is each
            if isinstance(each, exp.AggFunc) and not isinstance(each, ranks) and not own:
                yield each


def _function(window: exp.Window) -> exp.Expr:
    from sqlglot import exp

    inner: Any = window.this
    while isinstance(inner, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        inner = inner.this
    return inner


def _windows(node: exp.Select) -> Iterator[exp.Window]:
    from sqlglot import exp

    for said in _said(node):
        yield from (each for each in _inside(said) if isinstance(each, exp.Window))


def _stars(node: exp.Select, sources: list[tuple[str, str]]) -> None:
    """Keep the columns of names out of a SELECT's stars."""
    from sqlglot import exp

    for each in list(node.expressions):
        star = each if isinstance(each, exp.Star) else each.this if isinstance(each, exp.Column) else None
        if isinstance(star, exp.Star):
            mine = [why for alias, why in sources if each is star or alias.lower() == each.table.lower()]
            for why in mine:
                star.append("except_", exp.column(why))
            continue
        for inner in _inside(each):
            if isinstance(inner, exp.Star) and not isinstance(inner.parent, exp.Count):
                raise UntraceableError("a star inside of a function")
