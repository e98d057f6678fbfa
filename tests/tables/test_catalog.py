"""Names and statements are pure; registering is idempotent and takes no name from anybody; Hive in processes of its own."""

import json
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from lakeloom.config.load import read
from lakeloom.core.errors import ConfigError, StoreError
from lakeloom.core.names import TableName
from lakeloom.project.check import check
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Mark, commit
from lakeloom.store.manner import Manner
from lakeloom.tables.catalog import CatalogSpec, register, settings, statements
from tests.shop import lay_out

ORDERS = TableName("silver", "orders")
UNITY = CatalogSpec(kind="unity", name="main", prefix="shop_")


@pytest.mark.parametrize(
    ("written", "kind"),
    [("none", "none"), (None, "none"), ("hive", "hive"), ({"kind": "unity", "name": "main"}, "unity")],
)
def test_a_kind_is_a_word_or_a_mapping(written, kind):
    assert CatalogSpec.model_validate(written).kind == kind


@pytest.mark.parametrize(
    "written", ["unity", "glue", {"kind": "hive", "name": "x"}, {"kind": "unity", "name": "a b"}, {"kinds": "hive"}, {"prefix": "a;b"}]
)  # fmt: skip
def test_a_malformed_catalog_is_refused(written):
    with pytest.raises(ValidationError):
        CatalogSpec.model_validate(written)


def test_check_names_the_line(tmp_path):
    conf = lay_out(tmp_path)
    (conf / "base.yml").write_text("project: shop\ncatalog: unity\n")
    finding = check(read(conf))[1][0]
    assert (finding.code, finding.line) == ("LL-CONF-004", 2)
    assert "kind: unity, name: main" in finding.message


def test_names_have_as_many_levels_as_the_catalog():
    assert CatalogSpec(kind="hive").name_of(ORDERS) == "`silver`.`orders`"
    assert UNITY.name_of(ORDERS) == "`main`.`shop_silver`.`orders`"
    assert statements(UNITY, ORDERS, "abfss://lake@store/it's") == [
        "CREATE SCHEMA IF NOT EXISTS `main`.`shop_silver`",
        "CREATE TABLE IF NOT EXISTS `main`.`shop_silver`.`orders` USING DELTA LOCATION 'abfss://lake@store/it\\'s'",
    ]


def test_hive_gets_an_embedded_metastore_unless_one_is_named(tmp_path):
    overlay = {"spark.master": "local[1]"}
    assert settings(CatalogSpec(), tmp_path, overlay) == overlay
    assert settings(UNITY, tmp_path, overlay) == overlay
    embedded = settings(CatalogSpec(kind="hive"), tmp_path, overlay)
    assert embedded["spark.sql.catalogImplementation"] == "hive"
    assert str(tmp_path / "metastore") in embedded["spark.hadoop.javax.jdo.option.ConnectionURL"]
    named = {"spark.hadoop.hive.metastore.uris": "thrift://metastore:9083"}
    assert not any("derby" in value for value in settings(CatalogSpec(kind="hive"), tmp_path, named).values())


@pytest.fixture
def shelf(spark, lake):
    """Give a schema of the shared session's own catalog, empty before and after, and a table of the lake."""
    catalog = CatalogSpec(kind="hive", prefix="shelf_")
    with step_session(spark) as session:
        frame = session.sql("select 1L as id")
        words = {"comment": "One row an order.", "lakeloom.owner": "shop"}
        commit(session, lake, ORDERS, frame, Mark("silver.orders", 1, {}), Manner("append"), properties=words)
    yield catalog
    spark.sql("DROP SCHEMA IF EXISTS shelf_silver CASCADE")


def test_a_registered_table_is_seen_with_its_words_and_registering_again_changes_nothing(spark, lake, shelf):
    assert register(spark, lake, shelf, ["silver.orders", "models.x"]) == ["silver.orders"]
    assert register(spark, lake, shelf, ["silver.orders"]) == []
    assert spark.sql("select * from shelf_silver.orders").collect() == [(1,)]
    said = {row.key: row.value for row in spark.sql("show tblproperties shelf_silver.orders").collect()}
    assert said["lakeloom.owner"] == "shop"
    shown = {row.col_name: row.data_type for row in spark.sql("describe table extended shelf_silver.orders").collect()}
    assert shown["Comment"] == "One row an order."
    assert lake.version(ORDERS) == 0
    with step_session(spark) as session:  # what is written later is seen under the name, without registering again
        frame = session.sql("select 2L as id")
        commit(session, lake, ORDERS, frame, Mark("silver.orders", 2, {}), Manner("append"))
    assert spark.sql("select count(*) from shelf_silver.orders").first()[0] == 2


@pytest.mark.parametrize(
    "theirs", ["CREATE TABLE shelf_silver.orders (id bigint) USING delta", "CREATE VIEW shelf_silver.orders AS SELECT 1 AS id"]
)  # fmt: skip
def test_the_name_of_somebody_elses_table_is_not_taken(spark, lake, shelf, theirs):
    spark.sql("CREATE SCHEMA shelf_silver")
    spark.sql(theirs)
    with pytest.raises(StoreError) as caught:
        register(spark, lake, shelf, ["silver.orders"])
    assert caught.value.code == "LL-STORE-008"
    assert "prefix" in caught.value.fix
    assert spark.catalog.tableExists("shelf_silver.orders")


def test_a_catalog_that_does_not_answer_is_named_without_what_it_said(lake, shelf):
    def gone(name):
        raise RuntimeError("jdbc:postgresql://u:kestrel-44@host is down")

    session = SimpleNamespace(catalog=SimpleNamespace(tableExists=gone))
    with pytest.raises(StoreError) as caught:
        register(session, lake, shelf, ["silver.orders"])
    assert caught.value.code == "LL-STORE-007"
    assert "kestrel" not in str(caught.value)


def test_without_a_catalog_nothing_is_registered_and_the_command_says_so(tmp_path, lake, monkeypatch):
    import lakeloom

    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    assert register(None, lake, CatalogSpec(), ["silver.orders"]) == []
    with pytest.raises(ConfigError) as caught:
        lakeloom.open(lay_out(tmp_path)).register()
    assert caught.value.code == "LL-CONF-005"


PLAIN = """
import json, sys
from lakeloom.session.jars import jars_home
from lakeloom.session.settings import class_path
from pyspark.sql import SparkSession
# Nothing of lakeloom's but the place of Delta's jars: a session as anybody opens it on this metastore.
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    .config("spark.driver.extraClassPath", class_path(jars_home()))
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.hadoop.javax.jdo.option.ConnectionURL", f"jdbc:derby:;databaseName={sys.argv[1]}/metastore")
    .config("spark.sql.warehouse.dir", f"{sys.argv[1]}/warehouse").enableHiveSupport().getOrCreate())
rows = [list(row) for row in spark.sql("select order_id, amount from silver.orders order by order_id").collect()]
comments = {row.col_name: row.comment for row in spark.sql("describe silver.orders").collect()}
said = {row.key: row.value for row in spark.sql("show tblproperties silver.orders").collect()}
tables = {row.namespace: [] for row in spark.sql("show schemas").collect()}
for schema in tables:
    tables[schema] = sorted(row.tableName for row in spark.sql(f"show tables in {schema}").collect())
print(json.dumps([rows, comments, said, tables]))
"""


@pytest.mark.long
def test_plain_spark_sees_what_a_run_has_registered_in_hive(tmp_path):
    conf = lay_out(tmp_path)
    with (conf / "base.yml").open("a") as base:
        base.write("catalog: hive\n")

    def call(*words):
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    lakeloom = (sys.executable, "-m", "lakeloom.cli")
    assert json.loads(call(*lakeloom, "run", "--json"))["status"] == "done"
    rows, comments, said, tables = json.loads(
        call(sys.executable, "-c", textwrap.dedent(PLAIN), tmp_path / ".lakeloom")
    )
    assert rows == [[1, 10.5], [2, 20.0]]
    assert comments["amount"] == "what was paid, in euro"
    assert said["lakeloom.owner"] == "shop-data" and said["lakeloom.unit.amount"] == "euro"
    assert tables["silver"] == ["customers", "orders"] and tables["gold"] == ["cities"]
    assert tables["quarantine"] == ["silver__orders"]
    same = json.loads(
        call(*lakeloom, "sql", "--engine", "spark", "--json", "select order_id, amount from silver.orders order by 1")
    )
    assert [list(row.values()) for row in same] == rows
    assert "meta.refs" in json.loads(call(*lakeloom, "catalog", "--json"))["registered"]
    assert json.loads(call(*lakeloom, "catalog", "--json"))["registered"] == []
