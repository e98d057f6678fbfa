import subprocess
import sys

import pytest

import lakeloom
from lakeloom.core.errors import ConfigError, LakeloomError, RunError
from lakeloom.core.findings import FindingsError
from lakeloom.store import refs
from tests.api.conftest import AT


def test_the_package_offers_its_names_lazily(home):
    assert repr(lakeloom.open()).startswith("Lakehouse('shop', env='local'")
    assert {"open", "Lakehouse", "LakeloomError"} <= set(dir(lakeloom))
    with pytest.raises(AttributeError, match="nothing"):
        _ = lakeloom.nothing


def test_a_project_is_found_by_its_name_or_folder(home):
    assert lakeloom.open("shop").root == lakeloom.open("conf/shop").root == lakeloom.open("conf").root
    with pytest.raises(ConfigError) as caught:
        lakeloom.open("shpo")
    assert caught.value.code == "LL-CONF-007"


def test_the_home_variable_moves_the_root(home, tmp_path, monkeypatch):
    monkeypatch.setenv("LAKELOOM_HOME", str(tmp_path / "elsewhere"))
    assert lakeloom.open().tables() == []


def test_tables_are_listed_at_their_good_versions(lakehouse):
    found = {table.name: table for table in lakehouse.tables()}
    assert list(found) == ["silver.orders", "quarantine.silver__orders", "meta.refs"]
    assert (found["silver.orders"].version, found["silver.orders"].rows) == (1, 2)


def test_a_table_is_fixed_to_its_version(lakehouse):
    table = lakehouse.table("silver.orders")
    assert (table.version, table.size.rows, table.arrow().num_rows, table.head(1).num_rows) == (1, 2, 2, 1)
    assert lakehouse.table("silver.orders@0").size.rows == lakehouse.table("silver.orders", version=0).size.rows == 1
    assert table.columns["ordered_at"] == "timestamp"
    assert len(table.pandas(["amount"])) == 2
    assert [entry["version"] for entry in table.history()] == [2, 1, 0]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("silver.ordres", "LL-STORE-001"),
        ("orders", "LL-TABLE-001"),
        ("silver.orders@", "LL-TABLE-002"),
        ("silver.orders@12", "LL-STORE-002"),
        ("silver.../../etc", "LL-TABLE-001"),
    ],
)
def test_a_wrong_table_is_coded(lakehouse, name, code):
    with pytest.raises(LakeloomError) as caught:
        lakehouse.table(name)
    assert caught.value.code == code


def test_quarantine_counts_and_lists(lakehouse):
    counts = {(count.table, count.rule): count.rows for count in lakehouse.quarantine()}
    assert counts == {("silver.orders", "amount:not_null"): 2, ("silver.orders", "amount:values_between"): 1}
    row = lakehouse.quarantined("silver.orders", limit=1)[0]
    assert (row.position, row.run, row.at) == ({"epoch": 1, "file": 0, "record": 4}, "r1", "2026-01-05T09:12:00+00:00")
    with pytest.raises(LakeloomError):
        lakehouse.quarantined("silver.nothing")


def test_resolved_rows_are_kept_and_not_counted(lakehouse):
    from deltalake import write_deltalake

    side = "quarantine.silver__orders"
    old = lakehouse.table(side).arrow()
    more = old.append_column("id", [["aa", "bb"]]).append_column("state", [["dropped", "fixed"]])
    more = more.append_column("fix", [[None, '{"amount": "7"}']])
    write_deltalake(lakehouse.lake.path(side), more, mode="overwrite", schema_mode="overwrite")
    refs.publish(lakehouse.lake, {side: 1}, step="silver.orders", epoch=2, run="r2", at=AT)
    lake = lakeloom.open()
    assert {(count.rule, count.rows) for count in lake.quarantine()} == {
        ("amount:not_null", 1),
        ("amount:values_between", 1),
    }
    (row,) = lake.quarantined("silver.orders")
    assert (row.id, row.state, row.fix) == ("bb", "fixed", {"amount": "7"})
    assert [row.id for row in lake.quarantined("silver.orders", resolved=True, rule="amount:not_null")] == ["aa", "bb"]
    assert lake.quarantined("silver.orders", rule="o'clock") == []


def test_reading_needs_no_sound_config(lakehouse, home):
    (home / "conf/shop/tables.yml").write_text("tables: {silver.orders: {form: x}}\n")
    broken = lakeloom.open()
    assert broken.tables() != []
    assert broken.check() != []
    with pytest.raises(FindingsError):
        broken.plan()


def test_plan_and_lineage_of_the_scaffold(lakehouse):
    assert [step.step.name for step in lakehouse.plan("+gold.*")] == [
        "bronze.orders",
        "silver.orders",
        "gold.daily_orders",
    ]
    up = lakehouse.lineage("silver.orders", down=False)
    assert [node.id for node in up.nodes] == ["sources.orders", "bronze.orders", "silver.orders"]


def test_a_kind_without_a_step_is_refused(lakehouse):
    with pytest.raises(RunError) as caught:
        lakehouse.run("silver.*", kinds=("train",))
    assert caught.value.code == "LL-RUN-001"


def test_importing_the_package_is_cheap():
    code = (
        "import lakeloom, sys; print(sorted(set(sys.modules) & {'pyspark', 'pandas', 'numpy', 'pyarrow', 'pydantic'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_quarantine_of_an_older_release_is_read_without_what_it_lacks(lakehouse):
    from deltalake import write_deltalake

    path = lakehouse.lake.path("quarantine.silver__orders")
    old = lakehouse.table("quarantine.silver__orders").arrow().drop_columns(["row"])
    write_deltalake(path, old, mode="overwrite", schema_mode="overwrite")
    refs.publish(lakehouse.lake, {"quarantine.silver__orders": 1}, step="silver.orders", epoch=2, run="r2", at=AT)
    found = lakeloom.open().quarantined("silver.orders")
    assert [(row.raw, row.row) for row in found] == [('{"order_id":4}', None)] * 2
