import pytest

from lakeloom.core.errors import TableError
from lakeloom.tables.sql import bind, outputs, parse, tables_of, unknown_columns, unrepeatable


def test_tables_are_found_wherever_they_stand():
    sql = "with x as (select * from bronze.a) select * from x join silver.b on x.i = silver.b.i where exists (select 1 from gold.c)"
    assert tables_of(sql) == {"bronze.a", "silver.b", "gold.c"}


def test_only_table_names_are_replaced():
    sql = "select 'bronze.a' as t, bronze.a.i -- from bronze.a\nfrom bronze.a"
    assert bind(sql, {"bronze.a"}) == "select 'bronze.a' as t, bronze__a.i -- from bronze.a\nfrom bronze__a"
    assert bind(sql, {"bronze.b"}) == sql


@pytest.mark.parametrize(
    "sql", ["select 1; drop table x", "drop table bronze.a", "selec 1", "", "insert into bronze.a select 1"]
)
def test_anything_but_one_query_is_refused(sql):
    with pytest.raises(TableError) as caught:
        parse(sql)
    assert caught.value.code == "LL-CONF-012"


@pytest.mark.parametrize(
    "call", ["rand()", "current_timestamp()", "now()", "uuid()", "current_date", "shuffle(array(1))"]
)
def test_the_clock_and_chance_are_found(call):
    assert unrepeatable(f"select {call} as x from bronze.a")
    assert not unrepeatable("select max(at) as x, hash(i) from bronze.a")


def test_unknown_columns_are_found_and_known_ones_are_not():
    known = {"bronze.a": {"i", "j"}, "silver.b": {"i", "k"}}
    assert unknown_columns("select a.i, a.k from bronze.a as a join silver.b as b on a.i = b.i", known) == [
        ("k", "bronze.a")
    ]
    assert unknown_columns("select z from bronze.a", known) == [("z", "bronze.a")]
    assert unknown_columns("select i as n, n + 1 as m from bronze.a", known) == []
    assert unknown_columns("with w as (select i as q from bronze.a) select q, anything from w", known) == []
    assert unknown_columns("with u as (select 1 as o), w as (select z from bronze.a) select * from w, u", known) == [
        ("z", "bronze.a")
    ]
    assert unknown_columns("select trim(z) as z, z from bronze.a", known) == [("z", "bronze.a")]
    assert unknown_columns("select x from bronze.unknown", known) == []
    assert unknown_columns("select i, (select max(k) from silver.b where b.i = a.i) from bronze.a as a", known) == []
    assert unknown_columns("select i, e from bronze.a lateral view explode(array(1)) t as e", known) == []


def test_the_columns_that_come_out_are_named():
    assert outputs("with w as (select 1 as q) select q, i as j, b.k from w, bronze.b as b") == ["q", "j", "k"]
    assert outputs("select * from bronze.a") == ["*"]
