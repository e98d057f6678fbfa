"""What makes a table, as hashes: one for each column, and one for what decides about the rows.

Two executions whose code differs are compared by them, so that a changed column is told from a changed table. They
are taken of the SQL's syntax tree: layout, comments, aliases and the names of subqueries are no part of them, and
literals are (of which no text is kept).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lakeloom.core.steps import digest

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


@dataclass(frozen=True)
class Prints:
    """What makes a table.

    Attributes
    ----------
    columns : dict
        Column → hash of what its values are made by.
    rows : dict
        Word of the config (``sql``, ``keys``, ``where`` …) → hash of what it says about which rows there are.
    whole : dict
        Word (``function``, ``clean`` …) → hash of what makes values and can't be told by column.
    words : dict
        Every word of the declaration → hash, those that act on no value among them.
    """

    columns: dict[str, str] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """16 hexadecimal digits over the content."""
        return digest(self.as_dict())

    def as_dict(self) -> dict[str, dict[str, str]]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def of(cls, text: str) -> Prints:
        """Return what JSON of `as_dict` says; raises ValueError, TypeError."""
        return cls(**json.loads(text))


class UntoldError(Exception):
    """The SQL can't be told by column."""


def of_sql(sql: str, schemas: Mapping[str, Mapping[str, str]]) -> tuple[dict[str, str], str]:
    """Return the hash of each column of a query, and of what decides about its rows.

    Parameters
    ----------
    sql : str
        One SELECT in Spark's dialect, its tables as ``layer.name``.
    schemas : mapping
        Table → column → type.

    Raises
    ------
    UntoldError
        Where it can't be told by column: a star over unknown columns, a recursive query, syntax that sqlglot does
        not resolve.
    """
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    from lakeloom.tables.sql import parse

    nested: dict[str, Any] = {}
    for table, known in schemas.items():
        if not known:  # a table without columns would have none that sqlglot lets anybody read
            continue
        layer, _, name = table.partition(".")
        nested.setdefault(layer, {})[name] = dict(known)
    try:
        tree = qualify(parse(sql).copy(), schema=nested, dialect="spark", validate_qualify_columns=False)
        scope = build_scope(tree)
        if scope is None:
            raise UntoldError("no query")
        columns, rows = _Printer().query(scope)
    except (SqlglotError, KeyError, ValueError, RecursionError) as cause:
        raise UntoldError(type(cause).__name__) from None
    if any(name in ("", "*") for name, _ in columns):
        raise UntoldError("a column without a name")
    return dict(columns), rows


def of_text(sql: str) -> str:
    """Return a hash of a query that does not change with its layout and comments."""
    from sqlglot.errors import SqlglotError

    from lakeloom.core.errors import LakeloomError
    from lakeloom.tables.sql import parse

    try:
        return digest(parse(sql).sql(dialect="spark", comments=False))
    except (LakeloomError, SqlglotError):
        return digest(sql)


Told = tuple[list[tuple[str, str]], str]
# Parts of a SELECT that are told on their own.
_APART = ("expressions", "with", "with_", "from", "from_", "joins", "kind", "hint")


class _Printer:
    """Walks the queries of one statement, each once."""

    def __init__(self) -> None:
        self._told: dict[int, Told] = {}
        self._open: set[int] = set()

    def query(self, scope: Scope) -> Told:
        """Return (name, hash) of each column in order, and the hash of the rows."""
        key = id(scope.expression)
        if key in self._open:
            raise UntoldError("recursive")
        if key not in self._told:
            self._open.add(key)
            self._told[key] = self._queried(scope)
            self._open.discard(key)
        return self._told[key]

    def _queried(self, scope: Scope) -> Told:
        from sqlglot import exp

        tree = scope.expression
        if isinstance(tree, exp.SetOperation):
            # Releases before 26.5 know them under another name.
            below = getattr(scope, "set_operation_scopes", None) or getattr(scope, "union_scopes", None) or ()
            sides = [self.query(each) for each in below]
            columns = [
                (name, digest(one, other)) for (name, one), (_, other) in zip(sides[0][0], sides[1][0], strict=True)
            ]
            words = [type(tree).__name__, tree.args.get("distinct"), *(rows for _, rows in sides)]
            more = [(name, _sql(part)) for name, part in _parts(tree, ("this", "expression", "distinct"))]
            counted = columns if tree.args.get("distinct") else []
            return columns, digest(words, more, counted)
        if not isinstance(tree, exp.Select):
            raise UntoldError(type(tree).__name__)
        return _Selected(self, scope).told()


class _Selected:
    """One SELECT: its columns in the words of what it reads."""

    def __init__(self, printer: _Printer, scope: Scope) -> None:
        self.printer, self.scope = printer, scope
        self.names: dict[str, int] = {}
        self.behind: dict[str, dict[str, str] | str] = {}
        for index, (alias, (_, source)) in enumerate(scope.selected_sources.items()):
            self.names[alias] = index
            self.behind[alias] = self._behind(source)

    def _behind(self, source: Any) -> dict[str, str] | str:
        """Return a table's name, or the columns of the query that stands there."""
        from sqlglot import exp

        if isinstance(source, exp.Table):
            return f"{source.db}.{source.name}"
        if isinstance(source.expression, exp.Query):
            return dict(self.printer.query(source)[0])
        return ""

    def told(self) -> Told:
        tree: Any = self.scope.expression
        columns = [(each.alias_or_name, digest(self._text(_bare(each)))) for each in tree.expressions]
        sources = [self._read(part) for part in _reads(tree)]
        more = [(name, self._text(part)) for name, part in _parts(tree, _APART)]
        # What is made distinct or is the key of a generator decides about rows by its values.
        counted = columns if tree.args.get("distinct") or _generates(tree) else []
        return columns, digest(sources, more, counted)

    def _read(self, part: exp.Expression) -> list[Any]:
        """Return what a FROM or JOIN says: of what it reads the rows, and how it is joined."""
        from sqlglot import exp

        what = part.this
        alias = what.alias_or_name
        behind = self.behind.get(alias)
        source = self.scope.sources.get(alias)
        rows: Any = behind
        if isinstance(behind, dict) and source is not None and not isinstance(source, exp.Expression):
            rows = self.printer.query(source)[1]
        elif not behind:
            rows = self._text(what)
        own = [(name, self._text(each)) for name, each in _parts(what, ("this", "db", "catalog", "alias"))]
        said = [(name, self._text(each)) for name, each in _parts(part, ("this",))]
        return [type(part).__name__, rows, own if isinstance(what, exp.Table) else [], said]

    def _text(self, node: Any) -> Any:
        """Return a node's text, its columns in the words of what is read."""
        from sqlglot import exp

        if isinstance(node, list):
            return [self._text(each) for each in node]
        if not isinstance(node, exp.Expression):
            return node
        copy = exp.Paren(this=node.copy())
        for column in list(copy.find_all(exp.Column)):
            word = self._word(column)
            if word is not None:
                column.replace(exp.to_identifier(word, quoted=True))
        return [_sql(copy), *self._within(node)]

    def _word(self, column: exp.Column) -> str | None:
        behind = self.behind.get(column.table)
        if not behind:  # of a generator, or of a query around this one
            return None
        number = self.names[column.table]
        if isinstance(behind, str):
            return f"{number}:{behind}.{column.name}"
        if column.name not in behind:
            raise UntoldError("a column that is not there")
        return f"{number}:{behind[column.name]}"

    def _within(self, node: exp.Expression) -> Iterable[str]:
        """Yield the hashes of the named queries that subqueries inside an expression read."""
        from sqlglot import exp

        if node.find(exp.Query) is None:
            return
        for table in node.find_all(exp.Table):
            source: Any = self.scope.cte_sources.get(table.name) if not table.db else None
            if source is not None:
                yield digest(self.printer.query(source))


def _bare(select: exp.Expression) -> exp.Expression:
    from sqlglot import exp

    return select.this if isinstance(select, exp.Alias) else select


def _reads(tree: exp.Expression) -> list[exp.Expression]:
    first = tree.args.get("from_") or tree.args.get("from")
    return [*([first] if first is not None else []), *(tree.args.get("joins") or [])]


def _parts(tree: exp.Expression, but: Iterable[str]) -> list[tuple[str, Any]]:
    left = set(but)
    return [(name, part) for name, part in sorted(tree.args.items()) if part and name not in left]


def _generates(tree: Any) -> bool:
    from sqlglot import exp

    return any(isinstance(_bare(each), exp.UDTF | exp.Explode | exp.Posexplode | exp.Inline) for each in tree.selects)


def _sql(node: Any) -> Any:
    """Return a node's text without comments; what is no node as it is."""
    if isinstance(node, list):
        return [_sql(each) for each in node]
    return node.sql(dialect="spark", comments=False) if hasattr(node, "sql") else node
