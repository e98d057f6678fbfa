"""Why a row is there: each gold row of a small shop is told by exactly the bronze rows without which it would change."""

import json

import pytest

from lakeloom.api.lakehouse import Lakehouse
from lakeloom.api.values import plain
from lakeloom.config.load import read
from lakeloom.core.errors import LakeloomError
from tests.flow.stream import Stream

COLUMNS = {"id": "bigint", "kind": "string", "customer": "string", "amount": "double", "email": "string"}
TABLES = """\
tables:
  silver.orders:
    from: {bronze.changes: new}
    sql: select id, customer, amount, email, _position from bronze.changes where kind = 'order'
    keys: [id]
    write: {mode: merge, sequence_by: _position}
  silver.customers:
    from: {bronze.changes: new}
    sql: select customer as name, upper(email) as town, _position from bronze.changes where kind = 'customer'
    keys: [name]
    write: {mode: scd2, sequence_by: _position}
  silver.doubled:
    from: {silver.orders: whole}
    function: tests.flow.why_functions:doubled
    keys: [id]
  silver.totals:
    from: {silver.orders: whole}
    function: tests.flow.why_functions:totals
    keys: [customer]
  gold.towns:
    from: {silver.orders: whole, silver.customers: whole}
    sql: >-
      with live as (select * from silver.customers where is_current)
      select c.town, count(*) as orders, sum(o.amount) as amount from silver.orders o
      join live c on c.name = o.customer where o.amount > 1 group by c.town
  gold.ranked:
    from: {silver.orders: whole}
    sql: >-
      select distinct customer, last_amount from (
      select customer, amount as last_amount, row_number() over (partition by customer order by id desc) as place
      from silver.orders) where place = 1
    keys: [customer]
"""


def order(number, customer, amount):
    return {"id": number, "kind": "order", "customer": customer, "amount": amount, "email": f"{customer}@x.org"}


def customer(name, town):
    return {"kind": "customer", "customer": name, "email": town}


@pytest.fixture(scope="module")
def ran(tmp_path_factory, spark):
    stream = Stream(tmp_path_factory.mktemp("why"), COLUMNS, TABLES)
    stream.drop(
        customer("a", "oslo"), customer("b", "rome"), order(1, "a", 5.0), order(2, "b", 7.0), order(3, "a", 0.5)
    )
    stream.done()
    stream.drop(order(1, "a", 6.0), order(4, "c", 9.0), customer("c", "oslo"), customer("b", "rome"))
    stream.done()
    return stream


def lake_of(stream):
    return Lakehouse(read(stream.home / "conf"))


def places(found):
    """Return epoch and record of each bronze row; records count from 0."""
    return [tuple(each["position"].values())[::2] for each in found.bronze]


def test_each_gold_row_is_told_by_the_bronze_rows_without_which_it_would_change(ran):
    lake = lake_of(ran)
    oslo = lake.why("gold.towns", {"town": "OSLO"})
    # Order 1 as it was written last, order 4, and the two customers; order 3 is too small, what order 1 was is gone.
    assert places(oslo) == [(1, 0), (2, 0), (2, 1), (2, 2)]
    assert [row.reproduced for row in oslo.rows[0].all()].count(False) == 0
    rome = lake.why("gold.towns", {"town": "ROME"})
    assert [each["file"].rpartition("/")[2] for each in rome.bronze] == ["001.jsonl", "001.jsonl"]
    assert rome.rows[0].expressions["amount"] == "sum(amount)"
    assert rome.rows[0].made.reads.keys() == {"silver.orders", "silver.customers"}
    assert json.dumps(plain(oslo.as_dict()))


def test_a_merged_row_comes_from_the_execution_that_wrote_it_last(ran):
    lake = lake_of(ran)
    assert [lake.why("silver.orders", key).rows[0].made.epoch for key in ("1", "2")] == [2, 1]
    assert places(lake.why("silver.orders@0", "1")) == [(1, 2)]


def test_the_winner_of_a_window_and_a_distinct_are_told_by_row(ran):
    found = lake_of(ran).why("gold.ranked", "a")
    assert places(found) == [(1, 4)]
    assert found.rows[0].reproduced
    assert "chosen or numbered" in found.rows[0].notes[0]


def test_a_function_is_told_by_its_key_where_that_makes_the_row_and_by_the_step_elsewhere(ran):
    lake = lake_of(ran)
    doubled, totals = lake.why("silver.doubled", "2").rows[0], lake.why("silver.totals", "a").rows[0]
    assert (doubled.level, doubled.reproduced, len(doubled.sources)) == ("key", True, 1)
    assert (totals.level, totals.sources, totals.reproduced) == ("step", [], True)
    assert totals.reads.keys() == {"silver.orders"}
    assert "a function" in totals.notes[0]


def test_no_value_of_a_personal_column_is_told(ran):
    found = lake_of(ran).why("silver.orders", "2")
    assert "email" in found.hidden
    assert "b@x.org" not in json.dumps(plain(found.as_dict()))


def test_a_limit_counts_what_it_leaves_out(ran):
    found = lake_of(ran).why("gold.towns", {"town": "OSLO"}, limit=1)
    assert found.rows[0].left_out == 2
    assert found.rows[0].reproduced
    assert lake_of(ran).why("silver.orders", {"customer": "a"}, limit=1).left_out == 1


@pytest.mark.parametrize(
    ("table", "key", "code"),
    [
        ("silver.orders", "99", "LL-LINEAGE-001"),
        ("silver.orders", "x", "LL-LINEAGE-002"),
        ("gold.towns", "OSLO", "LL-LINEAGE-002"),
        ("silver.orders", {"idd": "1"}, "LL-TABLE-003"),
        ("silver.orders@77", "1", "LL-STORE-002"),
    ],
)
def test_what_can_not_be_asked_has_a_code(ran, table, key, code):
    with pytest.raises(LakeloomError) as caught:
        lake_of(ran).why(table, key)
    assert caught.value.code == code


def test_code_that_changed_is_said(ran):
    ran.declare(TABLES.replace("o.amount > 1", "o.amount > 8"))
    try:
        row = lake_of(ran).why("gold.towns", {"town": "ROME"}).rows[0]
    finally:
        ran.declare(TABLES)
    assert (row.reproduced, row.made.changed) == (False, True)
    assert "another now" in row.notes[-1]


def test_what_other_code_has_made_is_told_by_what_today_s_would_make_it_of(ran):
    ran.declare(TABLES.replace("sum(o.amount)", "sum(o.amount * 2)"))
    try:
        found = lake_of(ran).why("gold.towns", {"town": "ROME"})
    finally:
        ran.declare(TABLES)
    assert places(found) == [(1, 1), (1, 3)]
    row = found.rows[0]
    assert (row.level, row.reproduced, row.made.changed, row.expressions["amount"]) == (
        "rows", False, True, "sum(amount)",
    )  # fmt: skip
    assert "another now" in row.notes[-1] and all(source.reproduced for source in row.sources)
