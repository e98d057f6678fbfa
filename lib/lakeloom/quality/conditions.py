"""What an SQL condition of a rule may be: an expression over one row that a replay answers the same.

Refused are clock and chance (a replay would judge otherwise), subqueries (a rule must not read other
tables behind the graph's back), aggregates and windows (one row decides), and anything that is not a
single expression.
"""

from __future__ import annotations

# fmt: off
UNSTABLE = frozenset(
    [
        "rand", "random", "randn", "randstr", "uniform", "shuffle", "uuid", "now", "current_timestamp",
        "current_date", "current_time", "localtimestamp", "curdate", "unix_timestamp", "current_user",
        "user", "session_user", "current_catalog", "current_database", "current_schema", "current_timezone",
        "monotonically_increasing_id", "spark_partition_id", "input_file_name", "input_file_block_start",
        "input_file_block_length", "java_method", "reflect", "try_reflect", "version",
    ]
)
# fmt: on

# How a rule's table is called in its query.
BATCH = "lakeloom_rule_batch"


def fault(sql: str) -> str | None:
    """Return what is wrong with the condition `sql`, or None.

    Examples
    --------
    >>> fault("arr_delay < 3000")
    >>> fault("rand() < 0.5")
    'the condition uses rand(): a replay would judge otherwise'
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = sqlglot.parse(f"SELECT {sql}", read="spark")
    except SqlglotError:
        return "the condition does not parse as SQL"
    select = statements[0] if len(statements) == 1 else None
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or _has_clauses(select):
        return "the condition is not a single expression"
    condition = select.expressions[0]
    if isinstance(condition, exp.Alias | exp.Star):
        return "the condition is not a single expression"
    for node in condition.walk():
        if isinstance(node, exp.Query | exp.Subquery):
            return "the condition has a subquery; join the table in the transform instead"
        if isinstance(node, exp.AggFunc | exp.Window):
            return "the condition aggregates; use a table rule such as mean_between"
        name = _function(node)
        if name in UNSTABLE and not (name == "unix_timestamp" and node.args.get("this") is not None):
            return f"the condition uses {name}(): a replay would judge otherwise"
    return None


def query_fault(query: str) -> str | None:
    """Return what is wrong with a query of a rule, in which ``{batch}`` stands for the table, or None.

    Examples
    --------
    >>> query_fault("SELECT * FROM {batch} WHERE a > b")
    >>> query_fault("SELECT * FROM silver.flights")
    'the query reads silver.flights; a rule reads its own table, {batch}'
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        text = query.format(batch=BATCH)
        statements = sqlglot.parse(text, read="spark")
    except (SqlglotError, KeyError, IndexError, ValueError):
        return "the query does not parse as SQL with {batch} for the table"
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        return "the query is not one SELECT"
    own = {each.alias_or_name for each in statements[0].find_all(exp.CTE)} | {BATCH}
    tables = {
        each.sql(dialect="spark", comments=False) for each in statements[0].find_all(exp.Table) if each.name not in own
    }
    if tables:
        return f"the query reads {', '.join(sorted(tables))}; a rule reads its own table, {{batch}}"
    for node in statements[0].walk():
        name = _function(node)
        if name in UNSTABLE:
            return f"the query uses {name}(): a replay would judge otherwise"
    return None


def _has_clauses(select: object) -> bool:
    args = getattr(select, "args", {})
    return any(value for key, value in args.items() if key not in ("expressions", "kind"))


def _function(node: object) -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    if isinstance(node, exp.Func):
        return str(node.sql_name()).lower()
    # Spark takes current_date and its like without brackets, where they read as columns.
    if isinstance(node, exp.Column) and not node.table and str(node.name).lower() in UNSTABLE - {"user", "version"}:
        return str(node.name).lower()
    return ""
