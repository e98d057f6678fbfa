"""What each database is told, as text; golden for those that no test can ask here."""

import pytest

from lakeloom.sinks.jdbc import ledger, products
from lakeloom.sinks.jdbc.products import Writing

URLS = {
    "postgresql": "jdbc:postgresql://db/x", "mysql": "jdbc:mysql://db/x", "sqlite": "jdbc:sqlite:x", "derby": "jdbc:derby:x",
    "sqlserver": "jdbc:sqlserver://db", "oracle": "jdbc:oracle:thin:@db", "other": "jdbc:h2:x",
}  # fmt: skip


def writing(product, columns=("id", "name"), keys=("id",), **more):
    return Writing(URLS[product], "shop.t", "shop.s", columns, keys, **more)


GOLDEN = {
    ("sqlserver", "staging"): "SELECT [id], [name], CAST(0 AS BIGINT) AS lakeloom_row, CAST(0 AS BIGINT) AS lakeloom_gone"
    " INTO shop.s FROM shop.t WHERE 1 = 0",
    ("sqlserver", "upserted"): "MERGE INTO shop.t t USING (SELECT * FROM shop.s WHERE lakeloom_gone = 0) s ON (t.[id] = s.[id])"
    " WHEN MATCHED THEN UPDATE SET [name] = s.[name] WHEN NOT MATCHED THEN INSERT ([id], [name]) VALUES (s.[id], s.[name]);",
    ("oracle", "staging"): 'CREATE TABLE shop.s AS SELECT "id", "name", CAST(0 AS NUMBER(19)) AS lakeloom_row,'
    " CAST(0 AS NUMBER(19)) AS lakeloom_gone FROM shop.t WHERE 1 = 0",
    ("oracle", "upserted"): "MERGE INTO shop.t t USING (SELECT * FROM shop.s WHERE lakeloom_gone = 0) s"
    ' ON (t."id" = s."id") WHEN MATCHED THEN UPDATE SET "name" = s."name"'
    ' WHEN NOT MATCHED THEN INSERT ("id", "name") VALUES (s."id", s."name")',
    ("postgresql", "staging"): 'CREATE UNLOGGED TABLE shop.s AS SELECT "id", "name", CAST(0 AS BIGINT) AS lakeloom_row,'
    " CAST(0 AS BIGINT) AS lakeloom_gone FROM shop.t WHERE 1 = 0",
    ("postgresql", "upserted"): 'INSERT INTO shop.t ("id", "name") SELECT "id", "name" FROM shop.s WHERE lakeloom_gone = 0'
    ' ON CONFLICT ("id") DO UPDATE SET "name" = excluded."name"',
    ("mysql", "upserted"): "INSERT INTO shop.t (`id`, `name`) SELECT `id`, `name` FROM shop.s WHERE lakeloom_gone = 0"
    " ON DUPLICATE KEY UPDATE `name` = VALUES(`name`)",
    ("derby", "staging"): 'CREATE TABLE shop.s AS SELECT "id", "name", CAST(0 AS BIGINT) AS lakeloom_row,'
    " CAST(0 AS BIGINT) AS lakeloom_gone FROM shop.t WITH NO DATA",
    ("oracle", "deleted"): "DELETE FROM shop.t WHERE EXISTS (SELECT 1 FROM shop.s lakeloom_s WHERE lakeloom_s.lakeloom_gone = 1"
    ' AND lakeloom_s."id" = shop.t."id")',
    ("sqlserver", "vanished"): "DELETE FROM shop.t WHERE NOT EXISTS (SELECT 1 FROM shop.s lakeloom_s"
    " WHERE lakeloom_s.[id] = shop.t.[id])",
}  # fmt: skip


@pytest.mark.parametrize(("product", "what"), GOLDEN)
def test_a_statement_is_the_golden_one(product, what):
    told = getattr(products, what)(writing(product))
    assert ([told] if isinstance(told, str) else told) == [GOLDEN[product, what]]


@pytest.mark.parametrize("product", URLS)
def test_a_table_of_keys_alone_is_written_too(product):
    told = " ".join(products.upserted(writing(product, columns=("id",))))
    assert "INSERT" in told and "SET  " not in told and "UPDATE SET WHERE" not in told


def test_a_product_that_is_not_known_gets_standard_sql():
    update, insert = products.upserted(writing("other"))
    assert update == (
        'UPDATE shop.t SET "name" = (SELECT lakeloom_s."name" FROM shop.s lakeloom_s WHERE lakeloom_s."id" = shop.t."id"'
        ' AND lakeloom_s.lakeloom_gone = 0) WHERE EXISTS (SELECT 1 FROM shop.s lakeloom_s WHERE lakeloom_s."id" = shop.t."id"'
        " AND lakeloom_s.lakeloom_gone = 0)"
    )
    assert insert.endswith('AND NOT EXISTS (SELECT 1 FROM shop.t WHERE shop.t."id" = lakeloom_s."id")')


def test_names_are_quoted_whatever_is_in_them():
    told = products.inserted(writing("postgresql", columns=('a"; drop table x; --',), keys=()))
    assert told.startswith('INSERT INTO shop.t ("a""; drop table x; --")')


@pytest.mark.parametrize(
    ("product", "wanted"),
    [
        ("postgresql", 'CREATE TABLE t ("id" BIGINT NOT NULL, "m" DECIMAL(10,2), "s" TEXT, "a" TEXT, PRIMARY KEY ("id"))'),
        ("sqlserver", "CREATE TABLE t ([id] BIGINT NOT NULL, [m] DECIMAL(10,2), [s] NVARCHAR(MAX), [a] NVARCHAR(MAX), PRIMARY KEY ([id]))"),
        ("oracle", 'CREATE TABLE t ("id" NUMBER(19) NOT NULL, "m" NUMBER(10,2), "s" CLOB, "a" CLOB, PRIMARY KEY ("id"))'),
        ("mysql", "CREATE TABLE t (`id` BIGINT NOT NULL, `m` DECIMAL(10,2), `s` LONGTEXT, `a` LONGTEXT, PRIMARY KEY (`id`))"),
    ],
)  # fmt: skip
def test_a_table_that_is_made(product, wanted):
    columns = {"id": "bigint", "m": "decimal(10,2)", "s": "string", "a": "array<int>"}
    assert products.created(URLS[product], "t", columns, ["id"], {}) == wanted
    assert '"s" VARCHAR(9)' in products.created(URLS["derby"], "t", columns, [], {"s": "VARCHAR(9)"})


def test_the_ledger_has_a_key_that_no_execution_has_twice():
    told = ledger.made(URLS["oracle"], "shop.lakeloom_exports")
    assert (
        "VARCHAR2(128)" in told
        and "NUMBER(19)" in told
        and told.endswith("PRIMARY KEY (export_name, target_name, epoch_no, run_id))")
    )
