"""SQL rewritten to carry the names of rows; no Spark."""

import pytest

from lakeloom.tables.tracing import RANKED, UntraceableError, traced

TABLES = {"silver.a", "silver.b"}


def test_a_join_puts_names_together_and_a_group_collects_them():
    found = traced(
        "select a.x, count(*) as n from silver.a as a join silver.b as b on a.id = b.id group by a.x", TABLES
    )
    assert found.why == "_why_3"
    assert "FLATTEN(COLLECT_LIST(CONCAT(COALESCE(_why_1" in found.sql
    assert "silver__a__why" in found.sql and "silver__b__why" in found.sql
    assert (found.whole, found.notes) == (frozenset(), ())


def test_what_is_only_looked_at_is_told_as_a_table():
    assert traced("select x from silver.a where x in (select y from silver.b)", TABLES).whole == {"silver.b"}
    semi = traced("select x from silver.a left semi join silver.b on silver.a.x = silver.b.y", TABLES)
    assert semi.whole == {"silver.b"}
    assert "silver__b__why" not in semi.sql


def test_a_star_keeps_the_names_out_and_a_rank_is_noted():
    found = traced("select *, row_number() over (order by x) as place from silver.a", TABLES)
    assert "* EXCEPT (_why_1)" in found.sql
    assert found.notes == (RANKED,)


@pytest.mark.parametrize(
    "sql",
    [
        "select x from silver.a intersect select y from silver.b",
        "select to_json(struct(*)) as j from silver.a",
        "select * from silver.a pivot (sum(x) for y in (1, 2))",
        "with recursive r as (select x from silver.a union all select x + 1 from r where x < 3) select * from r",
    ],
)
def test_what_can_not_be_rewritten_is_refused(sql):
    with pytest.raises(UntraceableError):
        traced(sql, TABLES)
