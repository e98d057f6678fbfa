"""Broken on purpose: files that no reader takes, steps that fail halfway. Nothing lost, nothing doubled."""

import gzip
import json
import shutil

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.store import refs
from tests.shop import CUSTOMERS, ORDERS_1, ORDERS_2, drop

HEADER = "order_id,customer,amount,ordered_on\n"


def quarantine(shop, table):
    """Return (file's name, reasons) of a table's quarantined rows, sorted."""
    rows = shop.lake.arrow(f"quarantine.{table}").to_pylist()
    return sorted((str(row["file"]).rpartition("/")[2], tuple(row["reasons"])) for row in rows)


def error_of(result, name):
    return next(step for step in result.steps if step.name == name).error


def require_columns(shop):
    sources = shop.conf / "shop" / "sources.yml"
    sources.write_text(
        sources.read_text().replace("format: csv}", "format: csv, required: [order_id, customer, amount, ordered_on]}")
    )


def test_what_no_reader_takes_is_kept_whole_in_quarantine_and_the_other_files_load(shop):
    require_columns(shop)
    packed = gzip.compress((HEADER + "7,a,1,2026-01-07\n" * 500).encode(), mtime=0)
    broken = {
        "a_truncated.csv.gz": packed[: len(packed) - 12],
        "b_lacks_a_column.csv": b"order_id,customer,ordered_on\n8,a,2026-01-08\n",
        "c_latin.csv": HEADER.encode() + "9,Jos\xe9,1,2026-01-09\n10,b,2,2026-01-10\n".encode("latin-1"),
        "d_empty.csv": b"",
    }
    for name, content in broken.items():
        drop(shop.home, f"orders/{name}", content)
    lines = [json.dumps({"id": "d", "name": "Di", "city": "Rome"}), '{"id": "e", "name": ', "no json", "[1, 2]"]
    drop(shop.home, "customers/more.jsonl", "\n".join(lines) + "\n")
    result = shop.run()
    assert result.status == "done" and result.exit_code == 0
    assert set(shop.statuses(result).values()) == {"done"}
    assert shop.rows("silver.orders", "order_id") == [(1,), (2,)]
    assert shop.rows("silver.customers", "id") == [("a",), ("b",), ("c",), ("d",)]
    kept = {
        str(row["file"]).rpartition("/")[2]: row for row in shop.lake.arrow("quarantine.bronze__orders").to_pylist()
    }
    assert set(kept) == set(broken)
    assert {name: row["bytes"] or b"" for name, row in kept.items()} == broken
    assert "truncated" in kept["a_truncated.csv.gz"]["reasons"][0]
    assert "amount" in kept["b_lacks_a_column.csv"]["reasons"][0]
    assert "not UTF-8" in kept["c_latin.csv"]["reasons"][0]
    assert "empty" in kept["d_empty.csv"]["reasons"][0]
    assert [name for name, _ in quarantine(shop, "bronze__customers")] == ["more.jsonl"] * 3
    before = quarantine(shop, "bronze__orders"), quarantine(shop, "bronze__customers")
    assert set(shop.statuses(shop.run()).values()) == {"skipped"}
    assert (quarantine(shop, "bronze__orders"), quarantine(shop, "bronze__customers")) == before


def test_a_month_twice_late_and_rewritten_in_place(ran):
    shop = ran
    drop(shop.home, "orders/2026-01_again.csv", ORDERS_1)  # the same content under another name
    drop(shop.home, "orders/2026-03.csv", HEADER + "5,a,50,2026-03-01\n")
    assert shop.run().exit_code == 0
    drop(shop.home, "orders/2026-02.csv.gz", ORDERS_2)  # late: March was there before
    assert shop.run().exit_code == 0
    assert shop.rows("silver.orders", "order_id", "amount") == [(1, 10.5), (2, 25.0), (4, 7.0), (5, 50.0)]
    landed = shop.rows("bronze.orders", "order_id")
    assert len(landed) == 3 + 1 + 3
    drop(shop.home, "orders/2026-03.csv", HEADER + "5,a,51,2026-03-01\n6,b,60,2026-03-02\n")
    assert shop.run().exit_code == 0
    assert shop.rows("silver.orders", "order_id", "amount") == [
        (1, 10.5), (2, 25.0), (4, 7.0), (5, 51.0), (6, 60.0),
    ]  # fmt: skip
    assert len(shop.rows("bronze.orders", "order_id")) == 9
    assert shop.rows("gold.cities", "city", "orders") == [("Oslo", 3), ("Rome", 2)]
    assert set(shop.statuses(shop.run()).values()) == {"skipped"}


def test_a_fault_between_commit_and_publication_lands_nothing_twice(shop, monkeypatch):
    right = refs.publish
    broken = {"bronze.orders", "silver.orders"}

    def publish(lake, versions, *, step, **rest):
        if step in broken:
            broken.remove(step)
            raise OSError(28, "No space left on device")
        right(lake, versions, step=step, **rest)

    monkeypatch.setattr(refs, "publish", publish)
    for expected in ({"bronze.orders": "failed", "silver.orders": "blocked", "gold.cities": "blocked"},
                     {"silver.orders": "failed", "gold.cities": "blocked"}):  # fmt: skip
        failed = shop.run()
        assert failed.exit_code == 1
        assert expected.items() <= shop.statuses(failed).items()
    assert shop.run().status == "done"
    assert len(shop.rows("bronze.orders", "order_id")) == 3
    assert shop.rows("silver.orders", "order_id", "amount") == [(1, 10.5), (2, 20.0)]
    assert len(quarantine(shop, "silver__orders")) == 1


def test_rows_of_an_execution_that_its_audit_stopped_are_quarantined_once(shop):
    tables = shop.conf / "shop" / "tables.yml"
    rule = "max: 10000}\n      - {column: amount, expect: sum_between, min: 30, max: 100}"
    tables.write_text(tables.read_text().replace("max: 10000}", rule))
    shop.run("+silver.orders")
    drop(shop.home, "orders/2026-02.csv", HEADER + "2,b,9000,2026-01-02\n9,b,-1,2026-01-02\n")
    for _ in range(2):
        assert error_of(shop.run("+silver.orders"), "silver.orders")["code"] == "LL-RULE-002"
    drop(shop.home, "orders/2026-03.csv", HEADER + "2,b,20,2026-01-02\n")
    assert shop.run("+silver.orders").status == "done"
    assert shop.rows("silver.orders", "order_id", "amount") == [(1, 10.5), (2, 20.0)]
    assert quarantine(shop, "silver__orders") == [
        ("2026-01.csv.gz", ("amount:values_between",)), ("2026-02.csv", ("amount:values_between",)),
    ]  # fmt: skip


@pytest.mark.parametrize("area", ["", "runs", "intents", "tables", "tables/meta", "tables/bronze"])
def test_a_root_that_cannot_be_written_is_told_by_its_code(shop, area):
    root = shop.project().root
    place = root / area
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("a file in the way")  # the tests may run as root, whom no mode keeps from writing
    try:
        result = shop.run("bronze.orders")
    except LakeloomError as error:
        assert error.code == "LL-STORE-004"
    else:
        assert result.exit_code == 1
        assert error_of(result, "bronze.orders")["code"] == "LL-STORE-004"
    place.unlink()
    assert shop.run("bronze.orders").exit_code == 0
    assert len(shop.rows("bronze.orders", "order_id")) == 3


def test_a_table_behind_a_link_out_of_the_root_is_refused_and_nothing_is_written_there(shop, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    place = shop.project().root / "tables" / "silver" / "orders"
    place.parent.mkdir(parents=True)
    place.symlink_to(outside)
    result = shop.run()
    assert result.exit_code == 1
    assert error_of(result, "silver.orders")["code"] == "LL-STORE-003"
    assert shop.statuses(result)["silver.customers"] == "done"
    assert list(outside.iterdir()) == []
    assert str(CUSTOMERS[0]["name"]) not in json.dumps(result.as_dict())


@pytest.mark.parametrize("table", ["bronze.orders", "silver.orders"])
def test_a_table_whose_log_has_gone_is_not_made_again_of_new_rows_alone(ran, table):
    shop, kept = ran, ran.home / "kept"
    shutil.move(shop.lake.path(table), kept)
    drop(shop.home, "orders/third.csv", HEADER + "30,a,3,2026-01-30\n")
    result = shop.run()
    error = error_of(result, table)
    assert (result.status, error["code"]) == ("failed", "LL-STORE-005")
    assert "log is gone" in error["message"] and ("--full-refresh" in error["fix"]) == (table == "silver.orders")
    if table == "silver.orders":
        assert shop.run("silver.orders", full_refresh=True).status == "done"
    else:
        shutil.rmtree(shop.lake.path(table), ignore_errors=True)
        shutil.move(kept, shop.lake.path(table))
        assert shop.run().status == "done"
    assert shop.rows("silver.orders", "order_id") == [(1,), (2,), (30,)]
