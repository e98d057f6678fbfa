"""SQL that names tables: which it reads, whether a replay would give the same, and how it is bound.

A transform's SQL says ``FROM bronze.flights``. Before it runs, each such name is replaced, in the
text and nowhere else, by the temporary view of the pinned version. Parsing is sqlglot's, in Spark's
dialect; what runs is the author's own text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from lakeloom.core.errors import TableError
from lakeloom.core.names import LAYERS

if TYPE_CHECKING:
    from sqlglot import exp

# A replay of the same intent must give the same rows: the clock and chance come from the intent.
UNREPEATABLE = frozenset(
    {
        "rand", "random", "randn", "uuid", "shuffle", "current_timestamp", "now", "current_date", "curdate",
        "localtimestamp", "current_time", "current_user", "user", "monotonically_increasing_id",
        "spark_partition_id", "input_file_name",
    }
)  # fmt: skip


@lru_cache(maxsize=256)
def parse(sql: str) -> exp.Query:
    """Parse one SQL query; raises LL-CONF-012 with line and column."""
    import sqlglot
    from sqlglot.errors import ParseError, TokenError

    try:
        trees = [tree for tree in sqlglot.parse(sql, read="spark") if tree is not None]
    except (ParseError, TokenError) as cause:
        error = cause.errors[0] if isinstance(cause, ParseError) and cause.errors else {}
        place = f"line {error.get('line')}, column {error.get('col')}: " if error else ""
        raise TableError("LL-CONF-012", f"{place}{error.get('description') or 'the SQL does not parse'}") from cause
    if len(trees) != 1 or not isinstance(trees[0], sqlglot.exp.Query):
        raise TableError("LL-CONF-012", "one SELECT is wanted, nothing else", fix="write one query")
    return trees[0]


def tables_of(sql: str) -> set[str]:
    """Return the tables ``layer.name`` that the query reads."""
    from sqlglot import exp

    return {f"{table.db}.{table.name}" for table in parse(sql).find_all(exp.Table) if table.db}


def recursive(sql: str) -> bool:
    """Return whether the query has a WITH that reads itself."""
    from sqlglot import exp

    return any(each.args.get("recursive") for each in parse(sql).find_all(exp.With))


def outputs(sql: str) -> list[str]:
    """Return the names of the query's columns; a star is ``*``."""
    return list(parse(sql).named_selects)


def unrepeatable(sql: str) -> set[str]:
    """Return the functions in the query that a replay would answer differently."""
    from sqlglot import exp

    names = set()
    for node in parse(sql).find_all(exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        if name.lower() in UNREPEATABLE:
            names.add(name.lower())
    return names


def view_of(table: str) -> str:
    """Return the name of the temporary view that stands for ``layer.name``."""
    return table.replace(".", "__")


def bind(sql: str, tables: Mapping[str, str] | set[str]) -> str:
    """Return the query with every ``layer.name`` of `tables` replaced by its view's name."""
    pieces, end = [], 0
    for start, stop, table in _mentions(sql):
        if table in tables:
            pieces += [sql[end:start], view_of(table)]
            end = stop
    return "".join([*pieces, sql[end:]])


def _mentions(sql: str) -> Iterator[tuple[int, int, str]]:
    from sqlglot.dialects import Spark

    tokens = Spark().tokenize(sql)
    for layer, dot, name in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if layer.text in LAYERS and dot.text == "." and dot.end - dot.start == 0:
            yield layer.start, name.end + 1, f"{layer.text}.{name.text}"


def unknown_columns(sql: str, schemas: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Return (column, table) of every column that the query takes from a table which lacks it.

    Looked at are columns qualified by a table of known columns, and unqualified ones in a scope whose
    sources are all tables of known columns. What is still unknown is analysed by Spark before the
    first write.
    """
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    found: list[tuple[str, str]] = []
    for scope in traverse_scope(parse(sql)):
        known: dict[str, set[str] | None] = {}
        names: dict[str, str] = {}
        # Those that this SELECT reads, not every query of a WITH that it could.
        for alias, (_, source) in scope.selected_sources.items():
            table = f"{source.db}.{source.name}" if isinstance(source, exp.Table) and source.db else ""
            known[alias] = schemas.get(table)
            names[alias] = table
        laterals = any(scope.expression.find_all(exp.Lateral, exp.Unnest))
        selects = scope.expression.selects if isinstance(scope.expression, exp.Query) else []
        aliases = {select.alias for select in selects if select.alias}
        every = set().union(*(columns or set() for columns in known.values())) if known else set()
        for column in scope.columns:
            if column.table in known:
                columns = known[column.table]
                if columns is not None and column.name not in columns:
                    found.append((column.name, names[column.table]))
            elif (
                not column.table
                and not laterals
                and not scope.is_correlated_subquery
                and not scope.subquery_scopes
                and all(columns is not None for columns in known.values())
                and known
                and column.name not in every
                and (column.name not in aliases or _makes_itself(column))
            ):
                found.append((column.name, ", ".join(sorted(set(names.values())))))
    return found


def _makes_itself(column: exp.Column) -> bool:
    """Return whether the column stands in the expression that its own name is the alias of: it is a source's then."""
    from sqlglot import exp

    made = column.find_ancestor(exp.Alias, exp.Subquery)
    return isinstance(made, exp.Alias) and made.alias == column.name
