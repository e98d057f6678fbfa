"""What `check` says of cleansing, without Spark: every mistake at its line, columns followed from verb to verb."""

import pytest

from lakeloom.config.load import read
from lakeloom.project.check import check
from lakeloom.project.graph import steps
from lakeloom.project.plan import Last, decide
from tests.shop import TABLES, lay_out

CLEAN = """\
    clean:
      - trim: [customer]
      - parse: {column: amount, type: "decimal(10,2)", into: euros}
      - deduplicate: {by: [order_id], order: _position}
      - rename: {euros: paid}
      - fill: {paid: 0}
"""
BARE = """\
tables:
  silver.orders:
    from: {bronze.orders: new}
"""


@pytest.fixture
def conf(tmp_path):
    return lay_out(tmp_path)


def write(conf, clean, *, bare=False):
    """Write the shop's tables with a `clean:` for its orders: after their SQL, or in its place."""
    text = (
        BARE + clean + TABLES[TABLES.index("  silver.customers:") :]
        if bare
        else TABLES.replace("    keys: [order_id]\n", clean + "    keys: [order_id]\n", 1)
    )
    path = conf / "shop" / "tables.yml"
    path.write_text(text)
    return path


def findings(conf, schemas=None):
    return check(read(conf), schemas)[1]


SQL = "select order_id, customer, amount, _position, _file from bronze.orders"
BRONZE = {
    "bronze.orders": [
        "order_id",
        "customer",
        "amount",
        "ordered_on",
        "_position",
        "_file",
        "_source",
        "_ingested_at",
        "_run",
    ]
}


def test_right_verbs_have_no_findings_after_sql_and_in_its_place(conf):
    (conf / "shop" / "sql" / "silver_orders.sql").write_text(SQL)
    write(conf, CLEAN)
    assert findings(conf) == []
    write(conf, CLEAN, bare=True)
    assert findings(conf, BRONZE) == findings(conf) == []


@pytest.mark.parametrize(
    ("entry", "code", "path", "says", "fix"),
    [
        ("{trmi: [customer]}", "LL-CONF-020", "", "'trmi' is unknown", "use 'trim'"),
        ("{trim: {colums: [customer]}}", "LL-CONF-003", ".trim.colums", "'colums' is not a key here", "use 'columns'"),
        ("{trim: [custmer]}", "LL-CLEAN-002", ".trim.columns", "'custmer' is not there", "use 'customer'"),
        ("{parse: {column: amount, type: flaot}}", "LL-CLEAN-001", ".parse.type", "'flaot' is no type", "use one of them"),
        ("{parse: {column: amount}}", "LL-CONF-005", ".parse.type", "type is missing", "add type:"),
        ("{convert: {column: amount, from: lb, to: km}}", "LL-CLEAN-001", ".convert", "'km' is length", "convert to one of kg"),
        ("{map: {column: customer, values: {a: b}, otherwise: kep}}", "LL-CONF-004", ".map.otherwise", "'keep'", ""),
        ("{deduplicate: {alike: {columns: [customer], blok: [order_id]}}}", "LL-CONF-003", ".deduplicate.alike.blok", "not a key here", "use 'block'"),
        ("{deduplicate: {by: [order_id], order: att}}", "LL-CLEAN-002", ".deduplicate.order", "'att' is not there", ""),
        ("[trim]", "LL-CLEAN-001", "", "one verb with its arguments", "write - <verb>"),
        ("{rename: {custmer: buyer}}", "LL-CLEAN-002", ".rename.custmer", "'custmer' is not there", "use 'customer'"),
        ("{'no.such:Verb': [customer]}", "LL-CONF-021", "", "can't be imported", "name it package"),
    ],
)  # fmt: skip
def test_a_wrong_verb_argument_or_column_is_told_with_file_line_code_and_fix(conf, entry, code, path, says, fix):
    (conf / "shop" / "sql" / "silver_orders.sql").write_text(SQL)
    file = write(conf, f"    clean:\n      - upper: customer\n      - {entry}\n")
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if text.endswith(entry))
    (found,) = findings(conf)
    assert (found.file, found.line, found.code) == ("conf/shop/tables.yml", line, code)
    assert found.path == f"tables.silver.orders.clean.1{path}" and says in found.message and fix in found.fix


def test_each_argument_has_its_own_line(conf):
    (conf / "shop" / "sql" / "silver_orders.sql").write_text(SQL)
    file = write(
        conf,
        "    clean:\n      - parse:\n          column: amount\n          type: double\n          otherwise: drop\n",
    )
    (found,) = findings(conf)
    assert file.read_text().splitlines()[found.line - 1].strip() == "otherwise: drop"


def test_columns_are_followed_from_verb_to_verb(conf):
    (conf / "shop" / "sql" / "silver_orders.sql").write_text(SQL)
    write(conf, CLEAN + "      - trim: [euros]\n      - drop: customer\n      - lower: [customer, paid]\n")
    assert [(each.path.removeprefix("tables.silver.orders.clean."), each.fix) for each in findings(conf)] == [
        ("5.trim.columns", "use 'customer'"), ("7.lower.columns", "use 'order_id'"),
    ] or [each.message.split(" is ")[0] for each in findings(conf)] == ["column 'euros'", "column 'customer'"]  # fmt: skip
    write(conf, "    clean:\n      - trim: [custmer]\n", bare=True)
    assert [each.code for each in findings(conf, BRONZE)] == ["LL-CLEAN-002"] and findings(conf) == []
    # What a struct holds is known by the frame only.
    write(conf, "    clean:\n      - flatten: [customer]\n      - trim: [customer_name]\n")
    assert findings(conf) == []


def test_neither_sql_nor_function_only_with_verbs_and_one_input(conf):
    for text in (BARE, BARE.replace("new}", "new, bronze.customers: new}") + "    clean: [{trim: [customer]}]\n"):
        (conf / "shop" / "tables.yml").write_text(text)
        (found,) = findings(conf)
        assert found.code == "LL-CONF-005" and found.path == "tables.silver.orders"
    assert "single input" in found.fix


def test_verbs_are_part_of_a_steps_code_and_their_absence_is_not(conf):
    def code():
        return next(step for step in steps(check(read(conf))[0]) if step.name == "silver.orders")

    without = code()
    write(conf, "    clean: []\n")
    assert code().code == without.code
    write(conf, CLEAN)
    cleansed = code()
    write(conf, CLEAN.replace("paid: 0", "paid: 1"))
    assert len({without.code, cleansed.code, code().code}) == 3
    last = Last(1, without.code, {"bronze.orders": 0})
    assert decide(cleansed, last, {"bronze.orders": 0}).reasons == ("its code or config changed",)
