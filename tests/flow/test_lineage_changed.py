"""Lineage where things are not as they were: stars over a changed table, renamed columns, views, recursion."""

import pytest

from lakeloom.lineage.assembled import at_version, newest
from lakeloom.lineage.made import Executions, Kept
from tests.flow.stream import Stream

COLUMNS = {"id": "bigint", "city": "string", "amount": "double"}
TABLES = """\
tables:
  silver.orders:
    from: {{bronze.changes: whole}}
    sql: select {columns} from bronze.changes
    columns: {{{contract}}}
    write: {{mode: overwrite}}
  gold.copy:
    from: {{silver.orders: whole}}
    sql: select * from silver.orders
    write: {{mode: overwrite}}
"""
VIEWS = """\
tables:
  gold.seen:
    from: {{bronze.changes: whole}}
    {how}
    write: {{mode: overwrite}}
"""


def values(graph, column):
    return {edge.source for edge in graph.up(column, ["value"]).edges if edge.target == column}


@pytest.fixture
def stream(tmp_path, spark):
    made = Stream(tmp_path, COLUMNS, "tables: {}\n")
    made.drop({"id": 1, "city": "Rome", "amount": 5.0}, {"id": 2, "city": "Oslo", "amount": 12.0})
    return made


def test_a_star_over_a_table_that_was_changed_has_the_columns_of_each_version(stream):
    stream.declare(TABLES.format(columns="id, city, amount", contract="id: bigint, city: string, amount: double"))
    stream.done()
    contract = "id: bigint, town: {type: string, renamed_from: city}, amount: double, large: boolean"
    stream.declare(TABLES.format(columns="id, city as town, amount, amount > 10 as large", contract=contract))
    stream.done()
    root = stream.project().root
    executions, kept = Executions(root), Kept(root)
    now = newest(executions, kept)
    assert values(now, "gold.copy.town") == {"silver.orders.town"}
    assert values(now, "silver.orders.town") == {"bronze.changes.city"}
    assert values(now, "gold.copy.large") == {"silver.orders.large"}
    # Under the name of then it is the same column, and the version of then has it under that one alone.
    assert (
        values(now, "silver.orders.town") and now.up("silver.orders.city").nodes == now.up("silver.orders.town").nodes
    )
    then = at_version(executions, kept, "gold.copy", 0)
    assert values(then, "gold.copy@0.city") == {"silver.orders@0.city"}
    assert not {"gold.copy@0.town", "gold.copy@0.large"} & then.ids


def test_views_of_spark_are_looked_through(stream):
    stream.declare(VIEWS.format(how="function: tests.flow.viewing_functions:chained"))
    stream.done()
    root = stream.project().root
    graph = newest(Executions(root), Kept(root))
    assert values(graph, "gold.seen.town") == {"bronze.changes.city"}
    assert values(graph, "gold.seen.total") == {"bronze.changes.amount"}
    assert values(graph, "gold.seen.id") == {"bronze.changes.id"}
    ways = {(edge.source, edge.how) for edge in graph.up("gold.seen").edges if edge.target == "gold.seen"}
    assert ways >= {("bronze.changes.amount", "filter"), ("bronze.changes.city", "grouping")}


def test_a_view_of_itself_is_refused_by_its_name_and_writes_nothing(stream):
    stream.declare(VIEWS.format(how="function: tests.flow.viewing_functions:recursive"))
    result = stream.run()
    (error,) = [step.error for step in result.steps if step.error]
    assert (result.status, error["code"]) == ("failed", "LL-TABLE-007")
    assert "`one`" in error["message"] and "depth" in error["message"]
    assert not stream.lake.exists("gold.seen")
    assert "gold.seen" not in Executions(stream.project().root).newest


def test_a_table_that_reads_itself_is_a_cycle(stream):
    stream.declare("tables:\n  gold.seen:\n    from: {gold.seen: whole}\n    sql: select * from gold.seen\n")
    assert [found.code for found in stream.findings()] == ["LL-CONF-011"]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        # Spark 4.0 analyses recursion and has no plan for it; a later one runs it.
        ("with recursive r as (select id as n from bronze.changes union all select n + 1 from r where n < 4) "
         "select n from r", "does not run this recursive query"),
        ("with recursive r as (select id as n from bronze.changes union all select 1 from r where n < 4) "
         "select n from r", "does not run this recursive query"),
        ("select explode(id) as n from bronze.changes", "DATATYPE_MISMATCH"),
    ],
)  # fmt: skip
def test_a_query_that_spark_can_t_run_is_refused_by_its_place_and_writes_nothing(stream, spark, sql, said):
    stream.declare(VIEWS.format(how=f"sql: {sql}"))
    result = stream.run()
    errors = [step.error for step in result.steps if step.error]
    if not errors:
        assert "recursive" in sql and spark.version >= "4.1"
        assert stream.table("gold.seen", "n") == [(1,), (2,), (2,), (3,), (3,), (4,), (4,)]
        return
    assert (errors[0]["code"], said in errors[0]["message"]) == ("LL-TABLE-007", True), errors
    assert errors[0]["where"].startswith("gold.seen")
    assert not stream.lake.exists("gold.seen")
