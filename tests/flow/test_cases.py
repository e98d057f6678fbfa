"""A project's tests on real Spark: through the runner's own functions, and told so that one sees what is wrong."""

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.errors import ConfigError
from lakeloom.core.findings import FindingsError

TESTS = """\
tests:
  typed, judged and the newest of each key:
    table: silver.orders
    given:
      bronze.orders:
        - {order_id: 1, customer: a, amount: "10.50", ordered_on: 2026-01-01}
        - {order_id: 1, customer: a, amount: 12, ordered_on: 2026-01-02}
        - {order_id: 2, customer: b, amount: -1}
        - {order_id: x, customer: c, amount: 20000}
    expect:
      - {order_id: 1, customer: a, amount: 12, ordered_on: 2026-01-02}
    quarantined:
      - {order_id: 2, amount: -1, reasons: ["amount:values_between"]}
      - {order_id: null, amount: 20000, reasons: ["amount:values_between", "order_id:not_null"]}
  counted:
    table: silver.orders
    given: {bronze.orders: [{order_id: 1, amount: -1}, {order_id: x, amount: 1}]}
    expect: []
    quarantined: {"amount:values_between": 1, "order_id:not_null": 1}
  joined:
    table: gold.cities
    given:
      silver.orders: orders.csv
      silver.customers: [{id: a, city: Oslo}, {id: b, city: Oslo}]
    expect: [{city: Oslo, orders: 2, amount: 0.3}]
  wrong on purpose:
    table: silver.orders
    given: {bronze.orders: [{order_id: 1, amount: 5}, {order_id: 2, amount: 6}, {order_id: 3, amount: -7}]}
    expect: [{order_id: 1, amount: 4}, {order_id: 9, amount: 6}]
  wrong reasons:
    table: silver.orders
    given: {bronze.orders: [{order_id: 1, amount: -5}]}
    quarantined: {"order_id:not_null": 1}
  it does not fail:
    table: gold.cities
    given: {silver.orders: [], silver.customers: []}
    raises: LL-RULE-002
"""


@pytest.fixture
def lake(shop, spark):
    folder = shop.conf / "shop" / "tests"
    folder.mkdir()
    (folder / "orders.yml").write_text(TESTS)
    (folder / "orders.csv").write_text("order_id,customer,amount\n1,a,0.1\n2,b,0.2\n3,z,5\n")
    return open_lakehouse(shop.conf)


def test_tests_pass_and_fail_for_their_reasons_and_touch_no_table(lake):
    found = {result.name: result for result in lake.test()}
    assert {name for name, result in found.items() if result.passed} == {
        "typed, judged and the newest of each key", "counted", "joined",
    }, "\n".join(map(str, found.values()))  # fmt: skip
    assert str(found["wrong on purpose"]).splitlines() == [
        "FAILED  silver.orders: wrong on purpose  (conf/shop/tests/orders.yml:26)",
        "  rows",
        "    differs     order_id: 1",
        "      amount  expected 4.0, got 5.0",
        "    missing     order_id: 9, amount: 6.0",
        "    unexpected  order_id: 2, amount: 6.0",
        "  sent to quarantine: 'amount:values_between' 1",
    ]
    assert str(found["wrong reasons"]).splitlines()[1:] == [
        "  quarantine",
        "    differs     rule: order_id:not_null",
        "      rows  expected 1, got 0",
        "    differs     rule: amount:values_between",
        "      rows  expected 0, got 1",
    ]
    assert "should fail with LL-RULE-002 and did not" in str(found["it does not fail"])
    assert not lake.root.exists()


def test_an_error_is_a_result_and_one_that_was_expected_passes(lake, shop):
    tables, tests = shop.conf / "shop" / "tables.yml", shop.conf / "shop" / "tests" / "orders.yml"
    sound = tables.read_text()
    tables.write_text(sound.replace("max: 10000}", "max: 10000, otherwise: fail}"))
    given = "tests:\n  t:\n    table: silver.orders\n    given: {bronze.orders: [{order_id: 3, amount: -7}]}\n"
    tests.write_text(f"{given}    expect: []\n")
    (result,) = open_lakehouse(shop.conf).test()
    assert (result.passed, result.raised, result.error["code"]) == (False, "LL-RULE-001", "LL-RULE-001")
    tests.write_text(f"{given}    raises: LL-RULE-001\n")
    (result,) = open_lakehouse(shop.conf).test()
    assert (result.passed, result.raised, result.error) == (True, "LL-RULE-001", None)
    tests.write_text(TESTS)
    # A key that comes twice stops a run after its commit; a number of rows is no matter of a test.
    tables.write_text(
        sound.replace("sql: sql/gold_cities.sql", "sql: sql/gold_cities.sql\n    keys: [city]\n    rules: [{expect: row_count_between, min: 50}]")
    )  # fmt: skip
    assert all(result.passed for result in open_lakehouse(shop.conf).test("joined"))
    sql = shop.conf / "shop" / "sql" / "gold_cities.sql"
    sql.write_text(sql.read_text().replace("group by c.city", "group by c.city, o.order_id"))
    (result,) = open_lakehouse(shop.conf).test("joined")
    assert result.error["code"] == "LL-RULE-002" and "city:unique" in result.error["message"]


def test_a_malformed_test_stops_before_spark_and_check_tells_it_too(lake, shop):
    tests = shop.conf / "shop" / "tests" / "orders.yml"
    tests.write_text(TESTS.replace("table: gold.cities", "table: gold.citys", 1))
    with pytest.raises(FindingsError) as caught:
        open_lakehouse(shop.conf).test()
    assert caught.value.exit_code == 2
    assert open_lakehouse(shop.conf).check() == caught.value.findings
    assert shop.run("bronze.*").status == "done"
    tests.write_text(TESTS)
    with pytest.raises(ConfigError) as none:
        lake.test("silver.nothing")
    assert none.value.code == "LL-TEST-002"


def test_a_function_is_tested_as_sql_is(lake, shop, tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "shop_cities.py").write_text(
        "def cities(inputs):\n"
        "    orders, people = inputs['silver.orders'], inputs['silver.customers']\n"
        "    joined = orders.join(people, orders.customer == people.id)\n"
        "    counted = joined.groupBy('city').agg({'order_id': 'count', 'amount': 'sum'})\n"
        "    return counted.selectExpr('city', '`count(order_id)` as orders', '`sum(amount)` as amount')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    tables = shop.conf / "shop" / "tables.yml"
    tables.write_text(tables.read_text().replace("sql: sql/gold_cities.sql", "function: shop_cities:cities"))
    (result,) = open_lakehouse(shop.conf).test("joined")
    assert result.passed, str(result)
