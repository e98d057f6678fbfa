"""The flows of an SQL query by its text alone: where there is no plan to look at, and no Spark.

Values only: a filter or join is known by the tables that it reads. sqlglot's own lineage finds them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from lakeloom.lineage.flows import ColumnFlow, Flow, Flows
from lakeloom.lineage.values import short


def of_sql(sql: str, schemas: Mapping[str, Mapping[str, str]], problem: str = "") -> Flows:
    """Return the flows of a query.

    Parameters
    ----------
    sql : str
        One SELECT in Spark's dialect, its tables as ``layer.name``.
    schemas : mapping
        Table → column → type.
    problem : str
        Why the plan was not looked at.

    Raises
    ------
    SqlglotError
        Where sqlglot can't make it out.
    """
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify

    from lakeloom.tables.sql import parse, tables_of

    nested: dict[str, Any] = {}
    for table, known in schemas.items():
        layer, _, name = table.partition(".")
        nested.setdefault(layer, {})[name] = dict(known)
    tree = qualify(parse(sql).copy(), schema=nested, dialect="spark", validate_qualify_columns=False)
    columns: dict[str, ColumnFlow] = {}
    for name in getattr(tree, "named_selects", ()):
        node = lineage(name, tree, schema=nested, dialect="spark")
        leaves = sorted({found for leaf in node.walk() if not leaf.downstream and (found := _column(leaf))})
        text = _told(node.expression)
        same = len(leaves) == 1 and text == leaves[0][1]
        flows = tuple(Flow(table, column, "value") for table, column in leaves)
        columns[name] = ColumnFlow(text, "same" if same else "made", flows)
    rows = tuple(Flow(table, "", "rows") for table in sorted(tables_of(sql)))
    return Flows(columns, rows, "sql", problem)


def of_condition(condition: str, aliases: Collection[str] = ()) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """Return a condition's text without its literals, and the columns that it names, each as a path.

    Parameters
    ----------
    aliases : collection of str
        Names of rows that columns stand behind, such as ``new`` and ``old``; they are no part of the paths.

    Examples
    --------
    >>> of_condition("new.v > old.v AND new.place.zip <> '0'", ("new", "old"))
    ('new.v > old.v AND new.place.zip <> ?', (('place', 'zip'), ('v',)))
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(f"SELECT {condition}", read="spark").expressions[0]
    except (SqlglotError, IndexError):
        return "", ()
    paths = set()
    for column in tree.find_all(exp.Column):
        # Deeper paths than a catalog's names have are dots around a column.
        dotted = column
        while isinstance(dotted.parent, exp.Dot) and dotted.parent.this is dotted:
            dotted = dotted.parent
        names = [part.name for part in (dotted.parts if isinstance(dotted, exp.Column | exp.Dot) else ())]
        paths.add(tuple(names[1:] if len(names) > 1 and names[0].lower() in aliases else names))
    masked = tree.copy().transform(lambda node: exp.Placeholder() if isinstance(node, exp.Literal) else node)
    return short(masked.sql(dialect="spark").replace("`", "")), tuple(sorted(paths))


def _column(leaf: object) -> tuple[str, str] | None:
    from sqlglot import exp

    table = getattr(leaf, "expression", None)
    if not isinstance(table, exp.Table) or not table.db:
        return None
    return f"{table.db}.{table.name}", str(getattr(leaf, "name", "")).rpartition(".")[2].strip('`"')


def _told(tree: Any) -> str:
    """Return an expression's text with its columns' bare names, and `?` for every literal."""
    from sqlglot import exp

    def bare(node: Any) -> Any:
        if isinstance(node, exp.Literal):
            return exp.Placeholder()
        return exp.column(node.name) if isinstance(node, exp.Column) else node

    inner = tree.this if isinstance(tree, exp.Alias) else tree
    return short(inner.copy().transform(bare).sql(dialect="spark").replace("`", ""))
