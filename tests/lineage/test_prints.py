"""What makes a table, as hashes: which change of an SQL changes which of its columns, and which its rows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.core.errors import TableError
from lakeloom.lineage.prints import Prints, UntoldError, of_sql, of_text

SCHEMAS = {
    "silver.o": {"id": "bigint", "a": "double", "b": "string", "at": "timestamp"},
    "silver.p": {"id": "bigint", "c": "string"},
}
PLAIN = "select id, a * 1.2 as g, b from silver.o where a > 3"
NAMED = "with x as (select id, upper(b) as u from silver.o where a > 1) select x.id, u, p.c from x join silver.p p on p.id = x.id"


def differing(before, after):
    """Return the columns whose hash differs, and whether that of the rows does."""
    (one, rows), (other, others) = of_sql(before, SCHEMAS), of_sql(after, SCHEMAS)
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}, rows != others


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PLAIN, "SELECT  id, -- the key\n a*1.2 AS g, b FROM silver.o AS orders WHERE orders.a > 3"),
        (NAMED, NAMED.replace("x as (", "y as (").replace("x.id", "y.id").replace("from x", "from y")),
        ("select * from silver.o", "select id, a, b, at from silver.o"),
        ("select b, sum(a) as s from silver.o group by b", "select b, sum(a) as s from silver.o group by 1"),
        (PLAIN, f"select * from ({PLAIN})".replace("(select", "(select ")),
    ],
)
def test_layout_comments_aliases_and_stars_change_nothing(before, after):
    columns, _ = differing(before, after)
    assert columns == set() or "select * from (" in after


@pytest.mark.parametrize(
    ("before", "after", "columns", "rows"),
    [
        (PLAIN, PLAIN.replace("1.2", "1.3"), {"g"}, False),
        (PLAIN, PLAIN.replace("a > 3", "a > 4"), set(), True),
        (PLAIN, PLAIN.replace(", b from", " from"), {"b"}, False),
        (PLAIN, PLAIN.replace(", b from", ", b, at from"), {"at"}, False),
        (NAMED, NAMED.replace("upper", "lower"), {"u"}, False),
        (NAMED, NAMED.replace("a > 1", "a > 2"), set(), True),
        (NAMED, NAMED.replace("join", "left join"), set(), True),
        (NAMED, NAMED.replace("on p.id = x.id", "on p.id = x.id and p.c = 'x'"), set(), True),
        ("select distinct id, b from silver.o", "select distinct id, upper(b) as b from silver.o", {"b"}, True),
        (
            "select id, row_number() over (partition by b order by a) as n, count(*) over (partition by b) as m from silver.o",
            "select id, row_number() over (partition by b order by at) as n, count(*) over (partition by b) as m from silver.o",
            {"n"}, False,
        ),
        (
            "select id from silver.o where id in (select id from silver.p where c = 'x')",
            "select id from silver.o where id in (select id from silver.p where c = 'y')",
            set(), True,
        ),
        (
            "with k as (select id from silver.p where c = 'x') select id from silver.o where id in (select id from k)",
            "with k as (select id from silver.p where c = 'y') select id from silver.o where id in (select id from k)",
            set(), True,
        ),
        (
            "select id, (select max(c) from silver.p p where p.id = o.id) as m, b from silver.o o",
            "select id, (select min(c) from silver.p p where p.id = o.id) as m, b from silver.o o",
            {"m"}, False,
        ),
        (
            "select o.id, t.v from silver.o o lateral view explode(split(b, ',')) t as v",
            "select o.id, t.v from silver.o o lateral view explode(split(b, ';')) t as v",
            set(), True,
        ),
        (
            "select id, a from silver.o union all select id, 0 from silver.p",
            "select id, a from silver.o union all select id, 1 from silver.p",
            {"a"}, False,
        ),
        (
            "select id, a from silver.o union select id, 0 from silver.p",
            "select id, a from silver.o union select id, 1 from silver.p",
            {"a"}, True,
        ),
        (
            "select x.id, y.a from silver.o x join silver.o y on x.id = y.id and x.a > y.a",
            "select x.id, y.a from silver.o x join silver.o y on x.id = y.id and x.a < y.a",
            set(), True,
        ),
        ("select b, sum(a) as s from silver.o group by b", "select b, sum(a) as s from silver.o group by b limit 5", set(), True),
    ],
)  # fmt: skip
def test_what_changes_is_told_by_column_and_rows(before, after, columns, rows):
    assert differing(before, after) == (columns, rows)


def test_what_cannot_be_told_by_column_says_so():
    with pytest.raises(UntoldError):
        of_sql("select * from silver.unknown", SCHEMAS)
    with pytest.raises(TableError):
        of_sql("select from where", SCHEMAS)


def test_a_recursive_query():
    sql = "with recursive r as (select 1 as n union all select n + 1 from r where n < 9) select n from r"
    assert differing(sql, sql.replace("n + 1", "n + 2")) == ({"n"}, False)
    assert differing(sql, sql.replace("n < 9", "n < 8")) == (set(), True)


def test_a_text_is_its_tree():
    assert of_text("select  1 -- one") == of_text("SELECT 1")
    assert of_text("select 1") != of_text("select 2")
    assert of_text("no sql at all (") == of_text("no sql at all (")


@given(st.sets(st.sampled_from(["id", "a", "b", "at"]), min_size=1), st.data())
def test_each_column_has_a_hash_of_its_own(names, data):
    """Whichever columns are wrapped, those and only those differ, in whatever order they stand."""
    wrapped = data.draw(st.sets(st.sampled_from(sorted(names))))
    order = data.draw(st.permutations(sorted(names)))
    plain = f"select {', '.join(sorted(names))} from silver.o"
    other = ", ".join(f"coalesce({name}, {name}) as {name}" if name in wrapped else name for name in order)
    assert differing(plain, f"select {other} from silver.o") == (wrapped, False)


def test_they_are_kept_as_text():
    prints = Prints({"a": "1"}, {"sql": "2"}, {"function": "3"}, {"sql": "4"})
    assert Prints.of(json.dumps(prints.as_dict())) == prints
    assert prints.key != Prints({"a": "2"}, {"sql": "2"}, {"function": "3"}, {"sql": "4"}).key


def test_a_table_of_unknown_columns_is_no_table_without_columns():
    columns, _ = of_sql("select a.x as y from silver.new a", {"silver.new": {}})
    assert set(columns) == {"y"}
