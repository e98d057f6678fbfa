"""Reading a project's tests: typed rows, and every mistake at its line, all at once, without Spark."""

from datetime import date

import pytest

from lakeloom.config.load import read as read_config
from lakeloom.core.errors import ConfigError
from lakeloom.project.cases import chosen, read
from lakeloom.project.check import checked
from tests.shop import lay_out

SOUND = """\
tests:
  amounts are typed:
    table: silver.orders
    given:
      bronze.orders:
        - {order_id: 1, amount: 10.5}
        - {order_id: x, customer: a, amount: "007"}
    expect:
      - {order_id: 1, amount: 10.5}
    quarantined: {"order_id:not_null": 1}
  cities:
    table: gold.cities
    given:
      silver.orders: orders.csv
      silver.customers: []
    expect: []
"""


@pytest.fixture
def project(tmp_path):
    """Give a function that writes files of tests and reads them: (cases, findings)."""
    raw = read_config(lay_out(tmp_path))
    found = checked(raw)
    (raw.folder / "tests").mkdir()

    def read_tests(text, **files):
        (raw.folder / "tests" / "orders.yml").write_text(text)
        for name, content in files.items():
            (raw.folder / "tests" / f"{name}.csv").write_text(content)
        return read(raw, found)

    return read_tests


def test_rows_are_typed_by_source_contract_or_how_they_are_written(project):
    cases, findings = project(SOUND, orders="order_id,ordered_on,amount\n1,2026-01-05,\n\n2,,3.5\n")
    assert findings == []
    orders, cities = cases
    (given,) = orders.given
    assert given.columns == {"order_id": "string", "amount": "string", "customer": "string", "ordered_on": "string"}
    assert given.rows == (("1", "10.5", None, None), ("x", "007", "a", None))
    assert "_position" in given.platform
    assert (orders.name, orders.file, orders.line) == ("amounts are typed", "conf/shop/tests/orders.yml", 2)
    silver, customers = cities.given
    assert dict(zip(silver.columns, silver.rows[0], strict=True)) == {
        "order_id": 1, "customer": None, "amount": None, "ordered_on": date(2026, 1, 5),
    }  # fmt: skip
    assert silver.rows[1][list(silver.columns).index("amount")] == 3.5
    assert silver.platform == ("_position", "_file")
    assert customers.rows == () and customers.columns == {"id": "string", "name": "string", "city": "string"}


@pytest.mark.parametrize(
    ("old", "new", "line", "code", "says"),
    [
        ("table: silver.orders", "table: silver.ordres", 3, "LL-CONF-010", "use 'silver.orders'"),
        ("    expect:\n      - {order_id: 1, amount: 10.5}\n    quarantined", "    expectd: []\n    quarantined", 8, "LL-CONF-003", "use 'expect'"),
        ("bronze.orders:", "bronze.order:", 5, "LL-CONF-010", "use 'bronze.orders'"),
        ("      silver.customers: []\n", "", 13, "LL-CONF-005", "add 'silver.customers: []'"),
        ("{order_id: 1, amount: 10.5}\n        - {order_id: x, customer: a, amount: \"007\"}", "{order_id: 1, amuont: 10.5}", 5, "LL-TEST-001", "use 'amount'"),
        ("{order_id: 1, amount: 10.5}\n        -", "{order_id: 1, _file: x}\n        -", 5, "LL-TEST-001", "it is filled in"),
        ("expect:\n      - {order_id: 1, amount: 10.5}", "expect:\n      - {order_id: 1, amount: much}", 9, "LL-TEST-001", "'much' is no double"),
        ("expect:\n      - {order_id: 1, amount: 10.5}", "expect:\n      - {order_id: 1, amuont: 10.5}", 8, "LL-TEST-001", "use 'amount'"),
        ("expect:\n      - {order_id: 1, amount: 10.5}", "expect:\n      - {order_id: 1, amount: 10.5}\n      - {order_id: 2}", 10, "LL-TEST-001", "does not name amount"),
        ("order_id:not_null", "order_id:not_nul", 10, "LL-CONF-010", "use 'order_id:not_null'"),
        ("quarantined: {\"order_id:not_null\": 1}", "raises: LL-RULE-001", 2, "LL-CONF-005", "either rows or an error"),
        ("    expect: []\n", "", 11, "LL-CONF-005", "nothing is expected"),
        ("    expect: []\n", "    raises: LL-RULE-01\n", 16, "LL-CONF-004", "use 'LL-RULE-001'"),
        ("orders.csv", "../orders.csv", 14, "LL-CONF-009", "does not exist"),
        ("orders.csv", "../../../in/x.csv", 14, "LL-CONF-009", "lies outside"),
        ("orders.csv", "order.csv", 14, "LL-CONF-009", "use 'orders.csv'"),
        ("tests:\n", "test:\n", 1, "LL-CONF-003", "under tests:"),
        ("silver.customers: []", "silver.customers: [{name: a, cty: b}]", 15, "LL-TEST-001", "use 'city'"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_line_and_fix(project, old, new, line, code, says):
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    _, findings = project(text, orders="order_id\n1\n")
    assert (line, code) in [(finding.line, finding.code) for finding in findings], findings
    assert says in next(str(finding) for finding in findings if (finding.line, finding.code) == (line, code))


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("", 1, "the file is empty"),
        ("a,a\n1,2\n", 1, "one name twice"),
        ("order_id,amount\n1\n", 2, "1 values, the header has 2 columns"),
        ("order_id,amount\n1,2\n3,much\n", 3, "'much' is no double"),
        ("order_id,amuont\n1,2\n", 14, "use 'amount'"),
        ('order_id,amount\n1,"2\n', 1, "is malformed"),
    ],
)
def test_a_malformed_csv_file_is_told_with_its_line(project, content, line, says):
    _, findings = project(SOUND, orders=content)
    assert [finding.line for finding in findings if says in str(finding)] == [line], findings
    assert {finding.code for finding in findings} == {"LL-TEST-001"}


def test_tests_are_chosen_by_name_or_table(project):
    cases, _ = project(SOUND, orders="order_id\n1\n")
    assert [case.name for case in chosen(cases, [])] == ["amounts are typed", "cities"]
    assert [case.name for case in chosen(cases, ["gold.*"])] == ["cities"]
    assert [case.name for case in chosen(cases, ["amounts*", "cities"])] == ["amounts are typed", "cities"]
    with pytest.raises(ConfigError) as caught:
        chosen(cases, ["gold.city"])
    assert (caught.value.code, caught.value.exit_code) == ("LL-TEST-002", 2)
    assert caught.value.fix == "use 'gold.cities'"
    with pytest.raises(ConfigError, match="has no tests"):
        chosen([], [])
