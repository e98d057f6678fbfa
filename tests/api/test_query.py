import json

import pytest

from lakeloom.api import query
from lakeloom.api.values import records
from lakeloom.core.errors import LakeloomError


def refused(lakehouse, sql, **options):
    with pytest.raises(LakeloomError) as caught:
        lakehouse.sql(sql, **options)
    return caught.value


def test_the_last_good_version_is_read_and_not_the_newest(lakehouse):
    assert records(lakehouse.sql("select count(*) as n from silver.orders")) == [{"n": 2}]


def test_any_version_can_be_named_and_several_in_one_query(lakehouse):
    found = lakehouse.sql(
        "select count(*) as n from silver.orders@0 union all select count(*) from silver.orders@2 order by n"
    )
    assert records(found) == [{"n": 1}, {"n": 3}]


def test_columns_may_be_qualified_by_the_table(lakehouse):
    assert lakehouse.sql("select silver.orders.amount from silver.orders where orders.order_id = 2").num_rows == 1
    assert lakehouse.sql("select silver.orders.amount from silver.orders@0").num_rows == 1


def test_every_type_becomes_json(lakehouse):
    row = records(lakehouse.sql("select * from silver.orders order by order_id limit 1"))[0]
    assert json.loads(json.dumps(row)) == {
        "order_id": 1,
        "country": "NL",
        "amount": 1.0,
        "price": "1.20",
        "ordered_at": "2026-01-05T09:12:00+00:00",
        "tags": ["a", "b"],
        "place": {"city": "Oslo"},
        "photo": "/w==",
    }


def test_a_limit_stops_the_reading(lakehouse):
    assert lakehouse.sql("select * from silver.orders@2", limit=2).num_rows == 2
    assert lakehouse.sql("select * from silver.orders@2", limit=0).num_rows == 0


def test_no_rows_keep_their_columns(lakehouse):
    found = lakehouse.sql("select country, tags from silver.orders where 1 = 0")
    assert (found.num_rows, found.column_names) == (0, ["country", "tags"])


@pytest.mark.parametrize(
    ("sql", "code", "part"),
    [
        ("select * from silver.order", "LL-STORE-001", "silver.orders"),
        ("select * from silver.orders@9", "LL-STORE-002", "the newest is 2"),
        ("select * from silver.orders@tag", "LL-STORE-002", "tag"),
        ("select amuont from silver.orders", "LL-TABLE-007", "amuont"),
        ("select from where silver.orders", "LL-CONF-012", ""),
        ("delete from silver.orders", "LL-CONF-012", "one SELECT"),
        ("select * from '/etc/passwd'", "LL-TABLE-007", ""),
    ],
)
def test_mistakes_are_coded(lakehouse, sql, code, part):
    error = refused(lakehouse, sql)
    assert error.code == code
    assert part in error.message


def test_a_failure_while_running_does_not_quote_a_row(lakehouse):
    error = refused(lakehouse, "select cast(country as int) as n from silver.orders")
    assert error.code == "LL-TABLE-008"
    assert "NL" not in str(error)


def test_an_unknown_engine_is_refused(lakehouse):
    assert refused(lakehouse, "select 1", engine="duck").code == "LL-CONF-020"


def test_spark_answers_the_same_and_opens_no_other_file(lakehouse, spark):
    sql = "select order_id, country, price, ordered_at, tags, place from silver.orders@2 order by order_id"
    assert records(lakehouse.sql(sql, engine="spark")) == records(lakehouse.sql(sql))
    assert lakehouse.sql("select silver.orders.amount from silver.orders", engine="spark", limit=1).num_rows == 1
    assert refused(lakehouse, "select amuont from silver.orders", engine="spark").code == "LL-TABLE-007"
    path = lakehouse.lake.path("silver.orders")
    assert refused(lakehouse, f"select * from delta.`{path}`", engine="spark").code == "LL-TABLE-007"


def test_spark_takes_over_what_deltalake_cannot_read(lakehouse, spark, monkeypatch):
    path = lakehouse.lake.path("gold.widened")
    frame = spark.createDataFrame([(1, "x")], "number int, word string")
    frame.write.format("delta").option("delta.enableTypeWidening", "true").save(path)
    spark.sql(f"alter table delta.`{path}` alter column number type bigint")
    asked = []
    by_spark = query._by_spark
    monkeypatch.setattr(query, "_by_spark", lambda *words: asked.append(1) or by_spark(*words))
    assert records(lakehouse.sql("select number, word from gold.widened")) == [{"number": 1, "word": "x"}]
    assert records(lakehouse.table("gold.widened").head(5)) == [{"number": 1, "word": "x"}]
    assert asked == [1, 1]
    assert refused(lakehouse, "select number from gold.widened", engine="delta").code == "LL-STORE-005"


def test_column_mapping_and_deletion_vectors_need_no_jvm(lakehouse, spark):
    options = {"delta.columnMapping.mode": "name", "delta.enableDeletionVectors": "true"}
    path = lakehouse.lake.path("gold.named")
    frame = spark.createDataFrame([(1, "x"), (2, "y")], "number int, word string").coalesce(1)
    frame.write.format("delta").options(**options).save(path)
    spark.sql(f"delete from delta.`{path}` where number = 1")
    assert records(lakehouse.sql("select number, word from gold.named", engine="delta")) == [{"number": 2, "word": "y"}]
