"""Every mistake in the config: found, with code, file, line and fix, all together, without Spark."""

import pytest

from lakeloom.config.load import read
from lakeloom.core.findings import FindingsError
from lakeloom.project.check import check, checked
from tests.flow.stream import Stream
from tests.shop import lay_out

FEATURES = """\
features:
  spent:
    from: silver.orders
    keys: [customer]
    event_time: ordered_on
    available_at: ordered_on
    ttl: 6 hours
    columns: {amount: last}
"""
MODELS = """\
datasets:
  big:
    labels: {from: silver.orders, value: amount >= 15, keys: [order_id]}
    as_of: ordered_at
    features: [spent.*]
    split: {by: ordered_on, train: ..2026-01-01, valid: ..2026-01-02, test: ..2026-01-03}
models:
  big:
    dataset: big
    estimator: {kind: logistic}
    promote: {metric: average_precision, on: valid, when: better}
    scores: gold.big_scores
"""
SCORED = """\
  gold.totals:
    from: {gold.big_scores: whole}
    sql: select count(*) as scored from gold.big_scores
"""


@pytest.fixture
def conf(tmp_path):
    return lay_out(tmp_path)


def findings(conf):
    return check(read(conf))[1]


def change(conf, file, old, new):
    path = conf / "shop" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_right_project_has_no_findings_and_needs_no_spark(conf):
    assert findings(conf) == []
    assert checked(read(conf)).name == "shop"


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "says", "fix"),
    [
        ("tables.yml", "owner: shop-data", "onwer: shop-data", "LL-CONF-003", "onwer", "use 'owner'"),
        ("tables.yml", "keys: [order_id]", "keys: [ordre_id]", "LL-TABLE-003", "ordre_id", "use 'order_id'"),
        ("tables.yml", "keys: [order_id]", "keys: 7", "LL-CONF-004", "keys", ""),
        ("tables.yml", "from: {bronze.orders: new}", "from: {bronze.oders: new}", "LL-CONF-010", "bronze.oders", "use 'bronze.orders'"),
        ("tables.yml", "silver.orders: whole", "silver.orders: new", "LL-CONF-004", "append-only", "write 'whole'"),
        ("tables.yml", "sql: sql/gold_cities.sql", "sql: sql/gold_citys.sql", "LL-CONF-009", "does not exist", "use 'sql/gold_cities.sql'"),
        ("tables.yml", "sql: sql/gold_cities.sql", "sql: ../../../secret.sql", "LL-CONF-009", "outside", "keep SQL"),
        ("tables.yml", "  gold.cities:", "  platinum.cities:", "LL-TABLE-001", "platinum", "name it"),
        ("tables.yml", "  gold.cities:", "  'gold.cities; drop table x':", "LL-TABLE-001", "not a table's name", ""),
        ("tables.yml", "expect: values_between", "expect: values_betwen", "LL-RULE-003", "values_betwen", ""),
        ("tables.yml", "{column: amount,", "{column: amuont,", "LL-TABLE-003", "amuont", "use 'amount'"),
        ("tables.yml", "{column: amount, expect: values_between,", "{column: amount, expect: references, to: silver.custmers}\n      - {column: amount, expect: between,", "LL-CONF-010", "silver.custmers", "use 'silver.customers'"),
        ("tables.yml", "{column: amount, expect: values_between,", "{column: customer, expect: references, to: silver.customers, to_columns: [idd]}\n      - {column: amount, expect: between,", "LL-TABLE-003", "idd", "use 'id'"),
        ("tables.yml", "{column: amount, expect: values_between,", "{expect: reconciles, to: sources.orders}\n      - {column: amount, expect: between,", "LL-RULE-003", "is files", "jdbc"),
        ("tables.yml", "{column: amount, expect: values_between,", "{expect: reconciles, to: sources.order}\n      - {column: amount, expect: between,", "LL-CONF-010", "'order'", "use 'orders'"),
        ("tables.yml", "{column: amount, expect: values_between,", "{column: amount, expect: references, to: silver.orders, to_columns: [amount]}\n      - {column: amount, expect: between,", "LL-CONF-011", "silver.orders", "break"),
        ("tables.yml", "    keys: [id]\n", "", "LL-TABLE-006", "keys", "add keys"),
        ("tables.yml", "customer: {type: string}", "customer: {type: string, tags: [pi]}", "LL-CONF-004", "tags: Input should be 'pii', 'sensitive' or", "use 'pii'"),
        ("tables.yml", "customer: {type: string}", "customer: {type: string, tags: [pii, Quasi-Identifier]}", "LL-CONF-004", "tags", "use 'quasi_identifier'"),
        ("tables.yml", "customer: {type: string}", "customer: {type: string, evolve: resque}", "LL-CONF-004", "evolve", "use 'rescue'"),
        ("sources.yml", "kind: files", "kind: flies", "LL-CONF-020", "flies", "use 'files'"),
        ("sources.yml", "format: csv", "format: csvv", "LL-CONF-004", "format", ""),
        ("sources.yml", "kind: files, ", "", "LL-CONF-005", "kind", "add kind"),
        ("sources.yml", "  orders: ", "  'or ders': ", "LL-CONF-014", "or ders", "letters"),
        ("sql/gold_cities.sql", "group by", "group bye", "LL-CONF-012", "", "mend"),
        ("sql/gold_cities.sql", "c.city,", "c.town,", "LL-TABLE-003", "town", ""),
        ("sql/gold_cities.sql", "sum(o.amount)", "sum(rand())", "LL-CONF-013", "rand", "column of the data"),
        ("sql/gold_cities.sql", "silver.customers", "silver.custmers", "LL-CONF-010", "silver.custmers", "use 'silver.customers'"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_at_its_place(conf, file, old, new, code, says, fix):
    change(conf, file, old, new)
    found = [each for each in findings(conf) if each.code == code]
    assert found, [str(each) for each in findings(conf)]
    assert any(says in each.message and fix in each.fix for each in found), [str(each) for each in found]
    assert all(each.line > 0 and each.file.startswith("conf/shop/") for each in found)


def test_the_line_is_the_line_of_the_key(conf):
    change(conf, "tables.yml", "keys: [order_id]", "keys: [ordre_id]")
    lines = (conf / "shop" / "tables.yml").read_text().splitlines()
    found = next(each for each in findings(conf) if "ordre_id" in each.message)
    assert "ordre_id" in lines[found.line - 1]


def test_a_cycle_is_named_in_order(conf):
    change(conf, "tables.yml", "from: {bronze.orders: new}", "from: {bronze.orders: new, gold.cities: whole}")
    change(conf, "sql/silver_orders.sql", "from bronze.orders", "from bronze.orders cross join gold.cities")
    (found,) = [each for each in findings(conf) if each.code == "LL-CONF-011"]
    assert "silver.orders → gold.cities → silver.orders" in found.message or (
        "gold.cities → silver.orders → gold.cities" in found.message
    )


def test_all_mistakes_are_reported_together(conf):
    change(conf, "tables.yml", "owner: shop-data", "onwer: shop-data")
    change(conf, "sources.yml", "kind: files", "kind: flies")
    change(conf, "sql/gold_cities.sql", "group by", "group bye")
    (conf / "base.yml").write_text("project: shop\nslots: many\n")
    with pytest.raises(FindingsError) as caught:
        checked(read(conf))
    assert {each.code for each in caught.value.findings} >= {"LL-CONF-003", "LL-CONF-020", "LL-CONF-012", "LL-CONF-004"}
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("sources.yml", "kind: files", "kind: flies"),
        ("tables.yml", "    keys: [id]\n", "    keys: 7\n"),
        ("features.yml", "ttl: 6 hours", "ttl: soon"),
        ("models.yml", "as_of: ordered_at", "as_off: ordered_at"),
        ("models.yml", "dataset: big", "dataset: {}"),
    ],
)
def test_one_mistake_gives_one_finding_whatever_refers_to_it(conf, file, old, new):
    (conf / "shop" / "features.yml").write_text(FEATURES)
    (conf / "shop" / "models.yml").write_text(MODELS)
    change(conf, "tables.yml", "  gold.cities:", SCORED + "  gold.cities:")
    assert findings(conf) == []
    change(conf, file, old, new)
    found = findings(conf)
    assert {each.file for each in found} == {f"conf/shop/{file}"}
    assert len({each.path for each in found if each.code != "LL-CONF-005"}) == 1, [str(each) for each in found]


def test_a_version_that_is_not_read_is_refused(conf):
    (conf / "base.yml").write_text("project: shop\nversion: 99\n")
    assert [each.path for each in findings(conf)] == ["version"]


FED = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, _position from bronze.changes
    keys: [k]
    write: {mode: merge, sequence_by: _position, change_feed: true}
  silver.feed:
    from: {silver.items: changes}
    sql: select k, _change_type, _commit_version from silver.items
    write: {mode: append}
"""


def test_a_table_that_is_read_as_changes_tells_what_was_done_beside_its_own_columns(tmp_path):
    stream, schemas = Stream(tmp_path, {"k": "string"}, FED), {"silver.items": ["k", "_position"]}
    assert check(read(stream.home / "conf"), schemas)[1] == []
    for old, new, wrong in (("_change_type", "_change_typ", "_change_typ"), (": changes", ": whole", "_change_type")):
        stream.declare(FED.replace(old, new))
        found = check(read(stream.home / "conf"), schemas)[1]
        assert found[0].code == "LL-TABLE-003" and f"'{wrong}'" in found[0].message
