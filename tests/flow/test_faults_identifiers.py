"""Names in the configuration that carry SQL or paths: refused before anything is started."""

import pytest

from lakeloom.config.load import read
from lakeloom.core.errors import LakeloomError
from lakeloom.project.check import checked
from tests.shop import lay_out

JDBC = """
  planes:
    kind: jdbc
    url: jdbc:derby:fleet
    {more}
"""


def refusal(home, file, old, new):
    conf = lay_out(home)
    place = conf / "shop" / file
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))
    return refused(conf)


def refused(conf):
    with pytest.raises(LakeloomError) as caught:
        checked(read(conf))
    return {finding.code for finding in caught.value.findings}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  silver.customers:", '  "silver.customers; drop table x":'),
        ("  silver.customers:", '  "silver.`customers`":'),
        ("  silver.customers:", '  "silver.../../outside":'),
        ("columns: {id: string,", 'columns: {"id` string, x int) --": string,'),
        ("columns: {id: string,", 'columns: {"id\'; drop table x; --": string,'),
        ("keys: [id]", 'keys: ["id` or 1=1 --"]'),
        ("keys: [order_id]", 'keys: ["order_id` = 1 or t.`order_id"]'),
        ("write: {mode: merge, sequence_by: _position}", 'write: {mode: merge, sequence_by: "_position` or true --"}'),
        ("column: amount,", 'column: "amount` > 0 or true --",'),
        ("{type: double, unit", "{type: \"double) using csv location '/' --\", unit"),
    ],
)
def test_a_table_key_column_or_type_that_carries_sql_is_refused(tmp_path, old, new):
    assert refusal(tmp_path, "tables.yml", old, new)


@pytest.mark.parametrize("name", ["orders; drop table x", "orders`", "../orders", "or'ders", 'or"ders'])
def test_a_source_that_carries_sql_or_a_path_is_refused(tmp_path, name):
    quoted = "'" + name.replace("'", "''") + "'"
    assert "LL-CONF-014" in refusal(tmp_path, "sources.yml", "  orders:", f"  {quoted}:")


@pytest.mark.parametrize(
    "more",
    [
        'table: "planes; drop table planes"',
        "table: '\"planes\" where 1=1'",
        'table: "(select * from sys.sysusers) x"',
        'table: planes\n    keys: ["n` --"]',
        'table: planes\n    keys: [N]\n    incremental: {by: "updated_at) or 1=1 --"}',
        'table: planes\n    keys: [N]\n    partitions: {column: "1=1; drop table planes", number: 2}',
        'query: "select 1; drop table planes"',
    ],
)
def test_a_database_identifier_that_carries_sql_is_refused(tmp_path, more):
    conf = lay_out(tmp_path)
    (conf / "shop" / "sources.yml").open("a").write(JDBC.format(more=more))
    assert refused(conf) & {"LL-CONF-014", "LL-CONF-004"}


def test_no_file_outside_the_project_is_read_as_sql(tmp_path):
    (tmp_path / "outside.sql").write_text("select 1")
    codes = refusal(tmp_path, "tables.yml", "sql: sql/gold_cities.sql", "sql: ../../../../../../../etc/hostname.sql")
    assert "LL-CONF-009" in codes
