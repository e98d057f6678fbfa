"""What a fix may say, where it is laid over, and what is refused with code, place and fix and without a value."""

import json

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, drop, fix
from lakeloom.flow.replaying import replay
from lakeloom.flow.sets import parse
from lakeloom.store import refs
from tests.shop import TABLES
from tests.shop import drop as put

HEADER = "order_id,customer,amount,ordered_on\n"
ALL = Choice()
TABLE = "silver.orders"


def entries(shop, table=TABLE):
    side = f"quarantine.{table.replace('.', '__')}"
    rows = shop.lake.arrow(side, refs.good(shop.lake)[side]).to_pylist()
    return sorted(rows, key=lambda row: (str(row["position"]), row["state"]))


def refusal(work):
    with pytest.raises(LakeloomError) as caught:
        work()
    error = caught.value
    assert error.fix and error.where
    assert "kestrel" not in f"{error} {error.fix}"
    return error.code


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=1", ("a", "1")),
        (" a = b = c ", ("a", "b = c ")),
        ("`a = b` = `c``d`", ("a = b", "`c``d`")),
        ("`a``b`=''", ("a`b", "''")),
        ("Größe = 1", ("Größe", "1")),
    ],
)
def test_a_new_value_is_a_column_and_an_expression(text, found):
    assert parse(text, TABLE) == found


@pytest.mark.parametrize("text", ["a", "= 1", "a ==1", "a b = 1", "a ="])
def test_what_is_no_new_value_is_refused(text):
    assert refusal(lambda: parse(text, TABLE)) == "LL-FIX-002"


@pytest.mark.long
def test_every_malformed_fix_is_coded_and_keeps_nothing(shop, tmp_path):
    put(shop.home, "orders/2026-01.csv.gz", HEADER + "1,a,10,2026-01-01\n2,kestrel,kestrel,2026-01-02\n")
    tables = shop.conf / "shop" / "tables.yml"
    rule = "      - {column: amount, expect: not_null}\n  silver.customers:\n"
    tables.write_text(tables.read_text().replace("  silver.customers:\n", rule))
    assert shop.run("+silver.orders").status == "done"
    project, version = shop.project(), shop.lake.version("quarantine.silver__orders")

    def setting(text, choice=ALL, **more):
        return refusal(lambda: fix(project, TABLE, choice, Change(sets=(text,), **more)))

    def file(name, text):
        place = tmp_path / name
        place.write_text(text)
        return refusal(lambda: fix(project, TABLE, ALL, Change(file=place)))

    assert setting("amuont = 1") == "LL-TABLE-003"
    assert setting("amount = amuont + 1") == "LL-TABLE-003"
    assert setting("amount = rand()") == "LL-FIX-002"
    assert setting("amount = current_date") == "LL-FIX-002"
    assert setting("amount = '1'; drop table x") == "LL-FIX-002"
    assert setting("amount = ''; drop table x; --'") == "LL-FIX-002"
    assert setting("amount = (select max(amount) from bronze.orders)") == "LL-FIX-002"
    assert setting("amount = 1 from x") == "LL-FIX-002"
    assert setting("amount = sum(amount)") == "LL-FIX-002"
    assert setting("amount = explode(array(1, 2))") == "LL-TABLE-007"
    assert setting("amount = cast(customer as int)") == "LL-TABLE-005"
    assert setting("amount = 1", Choice(ids=("0123456789abcdef",))) == "LL-FIX-001"
    assert setting("amount = 1", Choice(rule="no such rule")) == "LL-FIX-001"
    assert setting("amount = 1", Choice(where="customer = 'nobody'")) == "LL-FIX-001"
    assert setting("amount = 1", Choice(where="exists (select 1)")) == "LL-FIX-002"
    assert setting("amount = 1", Choice(where="nobody = 'kestrel'")) == "LL-TABLE-003"
    assert setting("amount = customer", on="row") == "LL-FIX-003"
    assert file("a.csv", "amount\n1\n") == "LL-FIX-003"
    assert file("b.csv", "order_id,amuont\n2,1\n") == "LL-TABLE-003"
    assert file("c.csv", "order_id,amount\n2,1\n2,2\n") == "LL-FIX-003"
    assert file("d.csv", "order_id,amount\n9,1\n") == "LL-FIX-001"
    assert file("e.jsonl", "kestrel\n") == "LL-FIX-003"
    assert refusal(lambda: drop(project, TABLE, ALL, " ")) == "LL-FIX-002"
    assert shop.lake.version("quarantine.silver__orders") == version
    (tmp_path / "right.csv").write_text("order_id,amount\n2,7\n")
    told = fix(project, TABLE, ALL, Change(file=tmp_path / "right.csv", why="as the invoice says"))
    assert (told.on, told.rows, told.passing) == ("raw", 1, 1)
    (entry,) = entries(shop)
    assert (json.loads(entry["fix"]), entry["fix_on"], entry["why"]) == ({"amount": "7"}, "raw", "as the invoice says")
    assert entry["who"] and entry["changed_at"] and entry["changed_run"]


def test_a_table_that_is_appended_to_gets_a_row_once_and_siblings_of_it_never_twice(shop):
    """Each order becomes two rows; the second of order 3 breaks the rule, the first stands in the table already."""
    sql = shop.conf / "shop" / "sql" / "silver_orders.sql"
    text = sql.read_text().replace("try_cast(amount as double) as amount", "a * try_cast(amount as double) as amount")
    sql.write_text(text + "lateral view explode(array(1, -1)) x as a\nwhere order_id = '3' or a = 1\n")
    tables = shop.conf / "shop" / "tables.yml"
    keyed = "    keys: [order_id]\n    write: {mode: merge, sequence_by: _position}\n    columns:\n"
    tables.write_text(TABLES.replace(keyed, "    write: {mode: append}\n    columns:\n"))
    assert shop.run("+silver.orders").status == "done"
    assert shop.rows(TABLE, "order_id", "amount") == [(1, 10.5), (2, 20.0), (3, 5.0)]
    project = shop.project()
    raw = Change(sets=("amount = abs(try_cast(amount as double))",), on="raw")
    assert refusal(lambda: fix(project, TABLE, ALL, raw)) == "LL-FIX-004"
    told = fix(project, TABLE, ALL, Change(sets=("amount = abs(amount)",)))
    assert refusal(lambda: fix(project, TABLE, ALL, raw)) == "LL-FIX-004"
    assert (told.on, told.rows, told.passing) == ("row", 1, 1)
    assert replay(project, TABLE, ALL).written == 1
    assert replay(project, TABLE, ALL).written == 0
    now = [(1, 10.5), (2, 20.0), (3, 5.0), (3, 5.0)]
    assert shop.rows(TABLE, "order_id", "amount") == now
    assert [entry["state"] for entry in entries(shop)] == ["replayed"]
    assert shop.run(TABLE, full_refresh=True).status == "done"
    assert shop.rows(TABLE, "order_id", "amount") == now


def test_a_table_built_as_a_whole_has_its_rows_fixed_where_they_were_made(shop):
    tables = shop.conf / "shop" / "tables.yml"
    rule = "      amount: {type: double, unit: euro}\n    rules:\n      - {column: amount, expect: values_between, max: 15}\n"
    tables.write_text(TABLES.replace("      amount: {type: double, unit: euro}\n", rule))
    assert shop.run().status == "done"
    assert shop.rows("gold.cities", "city", "amount") == [("Oslo", 10.5)]
    told = fix(shop.project(), "gold.cities", Choice(where="city = 'Rome'"), Change(sets=("amount = 15",)))
    assert (told.on, told.rows, told.passing) == ("row", 1, 1)
    done = replay(shop.project(), "gold.cities", ALL)
    assert (done.exit_code, done.breaking) == (0, {})
    assert shop.rows("gold.cities", "city", "amount") == [("Oslo", 10.5), ("Rome", 15.0)]
    assert [entry["state"] for entry in entries(shop, "gold.cities")] == ["replayed"]
    put(shop.home, "orders/2026-02.csv", HEADER + "9,c,1,2026-02-01\n")
    assert shop.run().status == "done"
    assert shop.rows("gold.cities", "city", "amount") == [("Oslo", 11.5), ("Rome", 15.0)]


def test_a_loosened_rule_takes_its_victims_back_without_building_the_table_anew(ordered):
    shop = ordered
    tables = shop.conf / "shop" / "tables.yml"
    tables.write_text(tables.read_text().replace("min: 0", "min: -10"))
    done = replay(shop.project(), TABLE, Choice(rule="amount:values_between"))
    assert (done.exit_code, done.rows, done.written) == (0, 1, 1)
    assert shop.rows(TABLE, "order_id", "amount") == [(1, 10.5), (2, 20.0), (3, -5.0)]
    result = shop.run(TABLE)
    assert result.steps[0].reason == "its code or config changed"
    assert shop.rows(TABLE, "order_id", "amount") == [(1, 10.5), (2, 20.0), (3, -5.0)]
    assert [entry["state"] for entry in entries(shop)] == ["replayed"]
    sql = shop.conf / "shop" / "sql" / "silver_orders.sql"
    sql.write_text(sql.read_text().replace("    customer,", "    upper(customer) as customer,"))
    failed = replay(shop.project(), TABLE, ALL)
    assert (failed.exit_code, failed.run.steps[0].error["code"]) == (1, "LL-FIX-005")


@pytest.mark.long
def test_a_replay_that_the_audit_stops_leaves_the_rows_open(shop):
    tables = shop.conf / "shop" / "tables.yml"
    tables.write_text(
        tables.read_text().replace("max: 10000}", "max: 10000}\n      - {expect: row_count_between, max: 2}")
    )
    assert shop.run("+silver.orders").status == "done"
    fix(shop.project(), TABLE, ALL, Change(sets=("amount = '5'",)))
    for _ in range(2):
        failed = replay(shop.project(), TABLE, ALL)
        assert failed.run.steps[0].error["code"] == "LL-RULE-002"
        assert [entry["state"] for entry in entries(shop)] == ["fixed"]
        assert shop.rows(TABLE, "order_id") == [(1,), (2,)]
    assert drop(shop.project(), TABLE, ALL, "too many").rows == 1
    assert [entry["state"] for entry in entries(shop)] == ["dropped"]


def test_a_file_names_rows_by_numbers_with_all_of_their_digits(shop, tmp_path):
    """By way of a double both keys were one, and 7.10 was another number than 7.1."""
    sql = shop.conf / "shop" / "sql" / "silver_orders.sql"
    text = sql.read_text().replace("try_cast(order_id as bigint)", "try_cast(order_id as decimal(30,10))")
    assert "decimal(30,10)" in text
    sql.write_text(text)
    tables = shop.conf / "shop" / "tables.yml"
    there = tables.read_text()
    assert "order_id: {type: bigint" in there
    tables.write_text(there.replace("order_id: {type: bigint", "order_id: {type: 'decimal(30,10)'"))
    numbers = ["12345678901234567.1234567891", "12345678901234567.1234567892", "7.10"]
    rows = "".join(f"{number},a,-{at},2026-01-01\n" for at, number in enumerate(numbers, 1))
    put(shop.home, "orders/2026-01.csv.gz", HEADER + rows)
    assert shop.run("+silver.orders").status == "done"
    assert len(entries(shop)) == 3
    (tmp_path / "a.csv").write_text(f"order_id,amount\n{numbers[1]},20\n7.1,7\n")
    assert fix(shop.project(), TABLE, ALL, Change(file=tmp_path / "a.csv")).rows == 2
    (tmp_path / "b.jsonl").write_text(f'{{"order_id": {numbers[0]}, "amount": 10.25}}\n')
    assert fix(shop.project(), TABLE, ALL, Change(file=tmp_path / "b.jsonl")).rows == 1
    assert replay(shop.project(), TABLE, ALL).written == 3
    kept = {f"{number:f}".rstrip("0"): amount for number, amount in shop.rows(TABLE, "order_id", "amount")}
    assert kept == {numbers[0]: 10.25, numbers[1]: 20.0, "7.1": 7.0}
