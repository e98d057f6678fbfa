"""What Spark's analysed plans tell of columns; nothing runs here, and the tables are a row that was never written."""

import json
from functools import reduce
from operator import or_

import pytest
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakeloom.lineage.flows import ColumnFlow, Flow, Flows
from lakeloom.lineage.plan import read
from lakeloom.lineage.values import Value


@pytest.fixture(scope="module")
def tables(spark):
    """Give two tables as the store gives them: with their names and versions as aliases; and as views."""
    a = spark.sql(
        "select 1 as id, 'a' as name, 2.5D as amount, map('k', 1) as m,"
        " named_struct('u', named_struct('id', 5, 'zip', 'z'), 'tags', array(1, 2)) as payload"
    )
    b = spark.sql("select 1 as id, 'c' as city, date'2020-01-01' as day")
    found = {"a": a.alias("silver.a@0"), "b": b.alias("silver.b@12")}
    for name, frame in found.items():
        frame.createOrReplaceTempView(f"lineage_{name}")
    spark.udf.register("lineage_plus", lambda x: x + 1, "int")
    return found


def told(frame, **more):
    return read(frame._jdf.queryExecution().analyzed().toJSON(), **more)


@pytest.fixture
def sql(spark, tables):
    return lambda text: told(spark.sql(text.replace("@a", "lineage_a").replace("@b", "lineage_b")))


def values(flows, column):
    """Return the sources of a column's value, as letters of tables and columns."""
    return {f"{flow.table[-1]}.{flow.column}" for flow in flows.columns[column].flows if flow.how == "value"}


def beside(flows, column):
    return {
        (f"{flow.table[-1]}.{flow.column}", flow.how) for flow in flows.columns[column].flows if flow.how != "value"
    }


def rows(flows):
    return {(f"{flow.table[-1]}.{flow.column}", flow.how) for flow in flows.rows if flow.column}


def text(flows, column):
    return flows.columns[column].expression


# What each query makes of its columns: the values, then what decides about all rows.
QUERIES = {
    "select id, amount * 2 as x, upper(name) as n from @a where name = 'secret' and id > 3":
        ({"id": {"a.id"}, "x": {"a.amount"}, "n": {"a.name"}}, {("a.name", "filter"), ("a.id", "filter")}),
    "select * from @a":
        ({name: {f"a.{name}"} for name in ("id", "name", "amount", "m", "payload")}, set()),
    "with c as (select id, amount * 2 as x from @a where name = 'q'), d as (select * from c) "
    "select c.id, d.x from c join d on c.id = d.id":
        ({"id": {"a.id"}, "x": {"a.amount"}}, {("a.name", "filter"), ("a.id", "join key")}),
    "select l.id, r.amount as other from @a l left join @a r on l.id = r.id and l.name < r.name":
        ({"id": {"a.id"}, "other": {"a.amount"}}, {("a.id", "join key"), ("a.name", "join key")}),
    "select * from @a full outer join @b using (id)":
        ({"id": {"a.id", "b.id"}, "city": {"b.city"}, "amount": {"a.amount"}}, {("a.id", "join key"), ("b.id", "join key")}),
    "select a.id, b.city from @a a cross join @b b":
        ({"id": {"a.id"}, "city": {"b.city"}}, set()),
    "select a.name from @a a left semi join @b b on a.id = b.id":
        ({"name": {"a.name"}}, {("a.id", "join key"), ("b.id", "join key")}),
    "select a.name from @a a left anti join @b b on a.id = b.id":
        ({"name": {"a.name"}}, {("a.id", "join key"), ("b.id", "join key")}),
    "select id, name from @a union all select id, city from @b union select 1, 'x'":
        ({"id": {"a.id", "b.id"}, "name": {"a.name", "b.city"}}, set()),
    "select id, name from @a except select id, city from @b":
        ({"id": {"a.id"}, "name": {"a.name"}}, {("b.id", "filter"), ("b.city", "filter")}),
    "select name, sum(amount) as s, count(*) as n, max(id) filter (where amount > 1) as top from @a "
    "group by name having min(id) > 3":
        ({"name": {"a.name"}, "s": {"a.amount"}, "n": set(), "top": {"a.id"}},
         {("a.name", "grouping"), ("a.id", "filter")}),
    "select name, id, sum(amount) as s from @a group by rollup(name, id)":
        ({"name": {"a.name"}, "id": {"a.id"}, "s": {"a.amount"}}, {("a.name", "grouping"), ("a.id", "grouping")}),
    "select channel, i, sum(x) as s, grouping(i) as g from (select 'a' as channel, id as i, amount as x from @a "
    "union all select 'b', id, id from @b) group by rollup (channel, i)":
        ({"channel": set(), "i": {"a.id", "b.id"}, "s": {"a.amount", "b.id"}}, {("a.id", "grouping"), ("b.id", "grouping")}),
    "select distinct name from @a order by name limit 3":
        ({"name": {"a.name"}}, {("a.name", "sort")}),
    "select id from @a a where exists (select 1 from @b b where b.id = a.id) and name in (select city from @b)":
        ({"id": {"a.id"}}, {("a.id", "join key"), ("b.id", "join key"), ("a.name", "filter"), ("b.city", "filter")}),
    "select a.id, x.d from @a a, lateral (select max(day) as d from @b b where b.id = a.id) x":
        ({"id": {"a.id"}, "d": {"b.day"}}, {("a.id", "join key"), ("b.id", "join key")}),
    "select id, t from @a lateral view explode(payload.tags) e as t":
        ({"id": {"a.id"}, "t": {"a.payload.tags"}}, set()),
    "select id, k, v from @a lateral view outer explode(m) e as k, v":
        ({"k": {"a.m"}, "v": {"a.m"}}, set()),
    "select stack(2, id * 1D, name, amount, 'x') as (first, second) from @a":
        ({"first": {"a.id", "a.amount"}, "second": {"a.name"}}, set()),
    "select inline(array(struct(id, name))) as (i, n) from @a":
        ({"i": {"a.id"}, "n": {"a.name"}}, set()),
    "select * from (select name, id, amount from @a) pivot (sum(amount) for id in (1, 2))":
        ({"name": {"a.name"}, "1": {"a.amount", "a.id"}, "2": {"a.amount", "a.id"}},
         {("a.name", "grouping"), ("a.id", "grouping")}),
    "select * from (select id, amount, id * 2D as b from @a) unpivot include nulls (v for c in (amount, b))":
        ({"id": {"a.id"}, "c": set(), "v": {"a.amount", "a.id"}}, set()),
    "select payload.u.id as uid, payload.tags[0] as t, m['k'] as k, struct(id, amount as x) as s from @a":
        ({"uid": {"a.payload.u.id"}, "t": {"a.payload.tags"}, "k": {"a.m"}, "s": {"a.id", "a.amount"}}, set()),
    "select s.x as x, s.i as i from (select struct(id as i, amount as x) as s from @a)":
        ({"x": {"a.amount"}, "i": {"a.id"}}, set()),
    "select lineage_plus(id) as p, transform(payload.tags, t -> t + id) as tt from @a":
        ({"p": {"a.id"}, "tt": {"a.payload.tags", "a.id"}}, set()),
    "with recursive r as (select id as n, amount as x from @a where name = 'q' union all "
    "select r.n + 1, r.x from r join @b b on b.id = r.n where r.x < 4) select n, x from r":
        ({"n": {"a.id"}, "x": {"a.amount"}},
         {("a.name", "filter"), ("a.id", "join key"), ("b.id", "join key"), ("a.amount", "filter")}),
    "with recursive r as (select cast(id as string) i, name n, cast(amount as string) a from @a union all "
    "select n, a, i from r) select i from r":  # three rounds until all have been there
        ({"i": {"a.id", "a.name", "a.amount"}}, set()),
    "select case when name = 'x' then amount else 0 end as c, nvl(name, 'y') as n, try_add(id, 1) as t from @a":
        ({"c": {"a.name", "a.amount"}, "n": {"a.name"}, "t": {"a.id"}}, set()),
    "select q.* from (values (1, 'x')) as q(i, j)":
        ({"i": set(), "j": set()}, set()),
}  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_sql(sql, query):
    expected, deciding = QUERIES[query]
    found = sql(query)
    assert {name: values(found, name) for name in expected} == expected
    assert rows(found) == deciding


def test_every_kind_of_join_names_both_tables(sql):
    for kind in ("inner", "left", "right", "full", "left semi", "left anti", "cross"):
        on = "" if kind == "cross" else "on a.id = b.id"
        assert {"silver.a", "silver.b"} == sql(
            f"select a.name from @a a {kind} join @b b {on}"
        ).tables or kind == "full"


def test_a_window_says_its_keys_of_its_own_column_alone(sql):
    found = sql("select id, sum(amount) over (partition by name order by id) as s from @a")
    assert values(found, "s") == {"a.amount"}
    assert beside(found, "s") == {("a.name", "window"), ("a.id", "window")}
    assert beside(found, "id") == set() == rows(found)
    assert text(found, "s") == "sum(amount) over (…)"


def test_a_scalar_subquery_says_its_filter_of_its_own_column_alone(sql):
    found = sql("select id, (select max(b.day) from @b b where b.id = a.id and b.city = 'x') as d from @a a")
    assert values(found, "d") == {"b.day"}
    assert {("a.id", "join key"), ("b.id", "join key"), ("b.city", "filter")} <= beside(found, "d")
    assert rows(found) == set()
    assert found.columns["d"].way == "aggregated"


def test_a_filter_on_a_window_tells_the_windows_keys(sql):
    found = sql(
        "select id from (select *, row_number() over (partition by name order by amount) as r from @a) where r = 1"
    )
    assert rows(found) == {("a.name", "window"), ("a.amount", "window")}


def test_literals_stand_in_no_text(sql):
    found = sql(
        "select concat(name, 'Jane Doe') as x, id in (17, 18) as i, name like 'Jane%' as l, if(name = 'Jane', 1, 17) as c,"
        " regexp_replace(name, 'Doe', 'Roe') as r, date_format(date'1999-01-17', 'yyyy') as d, m['Jane'] as k"
        " from @a where name = 'Jane Doe' or amount > 17.5"
    )
    told = json.dumps(found.as_dict())
    for secret in ("Jane", "Doe", "Roe", "17", "1999", "yyyy"):
        assert secret not in told
    assert text(found, "x") == "concat(name, ?)"
    assert {flow.expression for flow in found.rows if flow.how == "filter"} == {"(name = ?) or (amount > ?)"}


def test_a_plain_column_is_the_same_a_cast_to_its_own_type_too(tables):
    frame = tables["a"].select(
        F.col("id").alias("i"), F.col("amount").cast("double"), F.col("id").cast("string").alias("s")
    )
    found = told(frame)
    assert {name: column.way for name, column in found.columns.items()} == {"i": "same", "amount": "same", "s": "made"}
    assert text(found, "s") == "cast(id as string)"


def test_frames_joined_with_themselves(tables):
    a = tables["a"]
    found = told(
        a.alias("x").join(a.alias("y"), F.col("x.id") == F.col("y.id")).select("x.id", F.col("y.amount").alias("o"))
    )
    assert values(found, "id") == {"a.id"}
    assert values(found, "o") == {"a.amount"}


def test_dataframe_functions(tables):
    a, b = tables["a"], tables["b"]
    newest = Window.partitionBy("name").orderBy(F.desc("id"))
    frame = (
        a.dropDuplicates(["id"])
        .withColumn("r", F.row_number().over(newest))
        .where("r = 1")
        .join(b.withColumnRenamed("city", "town"), "id", "left")
        .withColumn("both", F.concat_ws("-", "name", "town"))
        .drop("m")
        .unionByName(b.select("id", "city"), allowMissingColumns=True)
        .observe("seen", F.count(F.lit(1)).alias("n"))
    )
    found = told(frame)
    assert values(found, "both") == {"a.name", "b.city"}
    assert values(found, "id") == {"a.id", "b.id"}
    assert values(found, "city") == {"b.city"}
    assert {("a.id", "grouping"), ("a.name", "window"), ("a.id", "join key"), ("b.id", "join key")} <= rows(found)


def test_python_over_groups_batches_and_pairs_of_groups_is_of_all_that_it_is_given(tables):
    a, b = tables["a"].select("id", "amount"), tables["b"]

    def work(given):
        return given

    grouped = told(a.groupBy("id").applyInPandas(work, "id int, q double"))
    assert values(grouped, "q") == values(grouped, "id") == {"a.id", "a.amount"}
    assert rows(grouped) == {("a.id", "grouping")}
    assert text(grouped, "q") == "work(…)"
    batches = told(a.mapInPandas(work, "q double").withColumn("half", F.col("q") / 2))
    assert values(batches, "half") == {"a.id", "a.amount"}
    pairs = told(a.groupBy("id").cogroup(b.groupBy("id")).applyInPandas(lambda x, y: x, "z int"))
    assert values(pairs, "z") == {"a.id", "a.amount", "b.id", "b.city", "b.day"}


def test_what_python_gives_can_be_known_by_its_name(tables):
    frame = tables["a"].mapInPandas(lambda batches: batches, "p double, q double").selectExpr("p + 1 as more", "q")
    known = {"p": Value(frozenset({("silver.a", "id")}), text="id", way="same")}
    found = told(frame, known=known)
    assert values(found, "more") == {"a.id"}
    assert values(found, "q") == {"a.id", "a.name", "a.amount", "a.m", "a.payload"}


def test_a_query_that_was_laid_down_is_looked_through(tables):
    inner = told(tables["a"].where("id > 1").selectExpr("amount * 2 as x", "name as n"))
    laid = tables["b"].selectExpr("1.0D as x", "'' as n").alias("query.silver__x@3")
    outer = told(laid.selectExpr("x + 1 as y", "n").where("n is not null"), inner={"query.silver__x": inner})
    assert values(outer, "y") == {"a.amount"}
    assert values(outer, "n") == {"a.name"}
    assert rows(outer) == {("a.id", "filter"), ("a.name", "filter")}
    assert outer.tables == {"silver.a"}


def test_what_is_read_besides_the_inputs_is_outside(spark, tables, tmp_path):
    (tmp_path / "x.csv").write_text("k,v\n1,2\n")
    other = spark.read.csv(str(tmp_path / "x.csv"), schema="k int, v int")
    found = told(tables["a"].join(other, F.col("id") == F.col("k")).select("id", "v"))
    assert found.columns["v"] == ColumnFlow("v", "same", (Flow("outside", "v", "value"),))
    assert {("outside", "rows"), ("silver.a", "rows")} <= {(flow.table, flow.how) for flow in found.rows}


def test_a_chain_of_thousands_of_nodes_needs_no_deep_recursion(tables):
    """A function may call withColumn in a loop, and each call is a node over the one before."""
    frame = tables["a"].select("id").withColumn("id", F.col("id") + 1)
    top, *rest = json.loads(frame._jdf.queryExecution().analyzed().toJSON())
    alias, *sum_ = top["projectList"][0]
    (column,) = (node for node in sum_ if node["class"].endswith(".AttributeReference"))
    link = top | {"projectList": [[alias | {"exprId": column["exprId"]}, *sum_]]}
    found = read(json.dumps([top, *[link] * 3000, *rest]))
    assert values(found, "id") == {"a.id"}
    assert len(text(found, "id")) <= 240


def test_a_chain_of_hundreds_of_conditions_needs_no_deep_recursion(tables):
    condition = reduce(or_, [F.col("id") == number for number in range(150)])  # Spark itself ends at some 300
    found = told(tables["a"].select(condition.alias("x")))
    assert values(found, "x") == {"a.id"}
    assert text(found, "x").endswith("…")


def test_flows_as_plain_data_and_back(sql):
    found = sql("select name, sum(amount) as s from @a where id > 1 group by name")
    again = Flows.of(json.loads(json.dumps(found.as_dict())))
    assert again.as_dict() == found.as_dict()
    assert again.key == found.key == sql("select name, sum(amount) as s from @a where id > 2 group by name").key
    assert found.key != sql("select name, max(amount) as s from @a where id > 1 group by name").key


@pytest.mark.parametrize("text", ["", "[]", '[{"class": "x"}]', '[{"class": "x.Project", "num-children": 3}]', "{}"])
def test_what_is_no_plan_is_refused(text):
    with pytest.raises((ValueError, KeyError, IndexError, TypeError)):
        read(text)


def test_what_spark_computes_once_is_told_in_the_authors_words(sql):
    flows = sql(
        "select nullif(trim(l.name), 'q') as n, l.id between r.id and 7 as i, coalesce(nullif(l.amount, 0), r.amount)"
        " as a, nullif(l.payload, null).u.zip as zip from @a l join @a r on l.id = r.id"
    )
    assert text(flows, "n") == "nullif(string_trim(name), ?)" and values(flows, "n") == {"a.name"}
    assert text(flows, "i") == "id between id and ?" and values(flows, "i") == {"a.id"}
    assert "common" not in text(flows, "a") and values(flows, "a") == {"a.amount"}
    assert values(flows, "zip") == {"a.payload"}  # what may be NULL as a whole flows as a whole
