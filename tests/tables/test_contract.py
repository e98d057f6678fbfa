"""The contract: what is missing, not declared or would lose values is refused; comments reach Delta."""

import pytest

from lakeloom.core.errors import TableError
from lakeloom.tables.contract import conform
from lakeloom.tables.spec import TableSpec


def spec(columns, **more):
    return TableSpec.model_validate({"from": {"bronze.t": "new"}, "sql": "select 1", "columns": columns} | more)


def frame(spark, *columns):
    return spark.sql("select " + ", ".join(columns))


def refused(spark, columns, *selected, **more):
    with pytest.raises(TableError) as caught:
        conform(frame(spark, *selected), "silver.t", spec(columns, **more))
    assert caught.value.code == "LL-TABLE-004"
    return caught.value.message


def test_columns_come_in_the_contracts_order_and_types_and_platform_columns_pass(spark):
    found = conform(
        frame(spark, "1 as b", "'x' as a", "7 as _position"), "silver.t", spec({"a": "string", "b": "bigint"})
    )
    assert found.dtypes == [("a", "string"), ("b", "bigint"), ("_position", "int")]


def test_all_that_does_not_fit_is_told_at_once(spark):
    message = refused(
        spark, {"id": "int", "amount": "int", "city": "string"}, "1L as id", "1.5D as amount", "'x' as citi"
    )
    assert "id is bigint, the contract says int" in message
    assert "amount is double, the contract says int" in message
    assert "city is missing (nearest: citi)" in message
    assert "citi not declared" in message


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("1L", "double"), ("1L", "int"), ("1", "float"), ("'1'", "int"), ("1", "string"), ("1.5D", "float"),
     ("cast('2026-01-01 01:00:00' as timestamp)", "date"), ("cast(1 as decimal(10,4))", "decimal(10,2)"),
     ("cast(1 as decimal(12,2))", "decimal(10,2)")],
)  # fmt: skip
def test_a_type_that_would_lose_values_is_refused(spark, value, wanted):
    refused(spark, {"a": wanted}, f"{value} as a")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("1", "bigint"), ("1", "double"), ("1S", "int"), ("date'2026-01-01'", "timestamp"), ("null", "int"),
     ("cast(1 as decimal(8,2))", "decimal(10,2)"), ("1L", "long"), ("1", "integer")],
)  # fmt: skip
def test_a_wider_type_is_taken(spark, value, wanted):
    ((_, found),) = conform(frame(spark, f"{value} as a"), "silver.t", spec({"a": wanted})).dtypes
    assert found == wanted.replace("long", "bigint").replace("integer", "int")


def test_a_new_column_passes_where_the_table_may_evolve(spark):
    found = conform(frame(spark, "1 as a", "2 as b"), "silver.t", spec({"a": "int"}, evolve="add"))
    assert found.columns == ["a", "b"]


def test_without_a_contract_all_passes(spark):
    assert conform(frame(spark, "1 as a"), "silver.t", spec({})).columns == ["a"]


def test_comments_and_units_stand_in_delta(spark, tmp_path):
    columns = {"a": {"type": "int", "description": "what was paid", "unit": "euro"}, "b": "int"}
    conform(frame(spark, "1 as a", "2 as b"), "silver.t", spec(columns)).write.format("delta").save(str(tmp_path / "t"))
    fields = {
        field.name: field.metadata for field in spark.read.format("delta").load(str(tmp_path / "t")).schema.fields
    }
    assert fields["a"]["comment"] == "what was paid, in euro"
    assert "comment" not in fields["b"]
