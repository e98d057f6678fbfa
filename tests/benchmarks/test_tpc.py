"""Column lineage of the TPC queries against sqlglot's: the arithmetic, and a small suite of the same form."""

import pytest

from benchmarks.tpc import Compared, UnreadError, compared, queries, result, views

SCHEMA = {"orders": {"o_id": "bigint", "o_price": "double"}, "lines": {"l_id": "bigint", "l_qty": "bigint"}}


def test_differences_are_counted_and_shown():
    same, other = frozenset({("orders", "o_id")}), frozenset({("lines", "l_id")})
    found = [
        Compared("TPC-H", 1, "a", same, same),
        Compared("TPC-H", 2, "b", same, other, {("lines", "l_id"): "window"}),
    ]
    page = result(found, [("TPC-DS", 7, "sqlglot's lineage raises ParseError")])
    assert (page.figures["columns"], page.figures["equal"], page.figures["differing"]) == (2, 1, 1)
    assert page.tables[0].rows == (("TPC-H 2", "b", "orders.o_id", "lines.l_id", "window"),)
    assert page.tables[1].rows == (("TPC-DS 7", "sqlglot's lineage raises ParseError"),)
    assert not page.targets[0].met(page.figures)


def test_every_other_statement_is_a_query(tmp_path):
    folder = tmp_path / "fixtures" / "optimizer" / "tpc-h"
    folder.mkdir(parents=True)
    (folder / "tpc-h.sql").write_text(
        "-- TPC-H 1\nselect 1;\nSELECT\n  1;\n-- TPC-H 2\n# execute: true\nselect 2;\nSELECT 2;\n"
    )
    assert list(queries(tmp_path, "TPC-H")) == ["select 1", "select 2"]


def test_what_parts_a_window_is_no_source_and_who_can_t_read_a_query_is_named(spark):
    views(spark, SCHEMA)
    text = "select sum(l_qty) over (partition by l_id) as s from lines"
    (found,) = compared(spark, "TPC-H", 1, text, SCHEMA)
    assert (found.ours, found.theirs - found.ours) == ({("lines", "l_qty")}, {("lines", "l_id")})
    assert found.beside[("lines", "l_id")] == "window"
    with pytest.raises(UnreadError, match="Spark does not analyse it"):
        compared(spark, "TPC-H", 1, "select none from lines", SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "with c as (select o_id, sum(o_price) as s from orders group by o_id) select c.s * l_qty as x, c.o_id from c, lines where l_id = c.o_id",
        "select l_id, case when l_qty > 1 then 'a' else 'b' end as k from lines union all select o_id, 'c' from orders",
    ],
)
def test_both_see_the_same(spark, text):
    views(spark, SCHEMA)
    found = compared(spark, "TPC-H", 1, text, SCHEMA)
    assert [each.ours == each.theirs for each in found] == [True, True]
    assert found[0].ours
