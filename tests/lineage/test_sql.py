"""The flows of SQL by its text alone."""

from lakeloom.lineage.flows import ColumnFlow, Flow
from lakeloom.lineage.sql import of_sql

SCHEMAS = {"silver.a": {"id": "int", "x": "double"}, "silver.b": {"id": "int", "y": "string"}}


def test_values_are_traced_through_with_stars_and_subqueries():
    found = of_sql(
        "with c as (select *, x * 2 as z from silver.a where x > 3) select c.*, upper(b.y) || 'secret' as u,"
        " (select max(x) from silver.a) as m, count(*) over () as n, t.v"
        " from c join silver.b as b on b.id = c.id lateral view explode(array(1)) t as v",
        SCHEMAS,
        "no plan",
    )
    told = {name: {(flow.table, flow.column) for flow in column.flows} for name, column in found.columns.items()}
    assert told == {
        "id": {("silver.a", "id")}, "x": {("silver.a", "x")}, "z": {("silver.a", "x")}, "u": {("silver.b", "y")},
        "m": {("silver.a", "x")}, "n": set(), "v": set(),
    }  # fmt: skip
    assert found.columns["id"] == ColumnFlow("id", "same", (Flow("silver.a", "id", "value"),))
    assert found.columns["u"].expression == "UPPER(y) || ?"
    assert {(flow.table, flow.how) for flow in found.rows} == {("silver.a", "rows"), ("silver.b", "rows")}
    assert (found.basis, found.problem) == ("sql", "no plan")
    assert "secret" not in str(found.as_dict())
