import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.api.mentions import bind, mentions, one_select
from lakeloom.core.errors import LakeloomError


def named(sql, *existing):
    return [(m.text, m.column) for m in mentions(sql, lambda table: table in existing)]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select * from silver.flights", [("silver.flights", False)]),
        ("select * from silver.flights@7 f", [("silver.flights@7", False)]),
        (
            "select * from gold.x@2026-01-31T12:00:00Z, silver.y",
            [("gold.x@2026-01-31T12:00:00Z", False), ("silver.y", False)],
        ),
        (
            "select silver.y.a, 1 from (silver.y join gold.x using (a))",
            [("silver.y", True), ("silver.y", False), ("gold.x", False)],
        ),
        ("select 'from silver.y', \"from silver.y\" -- from silver.y\n/* from gold.x */", []),
        ("select gold.a from t as gold", []),
        ("select (select max(a) from silver.y), gold.b from gold.x as gold", [("silver.y", False), ("gold.x", False)]),
        ("select extract(year from silver.y.at) from silver.y", [("silver.y", False), ("silver.y", False)]),
        ("select mysilver.x from other.silver.y", []),
    ],
)
def test_tables_are_found_where_a_table_can_stand(sql, found):
    assert named(sql, "silver.y", "gold.x") == found


def test_names_are_replaced_and_nothing_else():
    sql = "select 'silver.y' from silver.y@3 -- silver.y"
    bound = bind(sql, mentions(sql, lambda _: True), lambda mention: f"<{mention.text}>")
    assert bound == "select 'silver.y' from <silver.y@3> -- silver.y"


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        " WITH a AS (select 1 x) SELECT * FROM a ;",
        "(select 1) union all (select 2)",
        "values (1)",
        "select '; drop table silver.y' as note",
        "select replace(a, 'drop', 'x') as \"update\" from silver.y",
        "select load from silver.y@7",
    ],
)
def test_one_select_passes(sql):
    one_select(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "selec",
        "drop table silver.y",
        "select 1; drop table silver.y",
        "insert into silver.y select * from silver.y",
        "with a as (select 1) insert into silver.y select * from a",
        "with a as (select 1) delete from silver.y",
        "select * into gold.z from silver.y",
        "copy (select 1) to '/tmp/x'",
        "set a = b",
        "explain select 1",
        "-- select\ncreate table x as select 1",
    ],
)
def test_anything_else_is_refused(sql):
    with pytest.raises(LakeloomError) as caught:
        one_select(sql)
    assert caught.value.code == "LL-CONF-012"


@given(st.text(alphabet=st.sampled_from("select from silver.y@1'\"`-/*();,\n "), max_size=60))
def test_binding_to_the_same_text_changes_nothing(sql):
    assert bind(sql, mentions(sql, lambda _: True), lambda mention: mention.text) == sql
