"""``lakeloom lineage`` for columns and versions, on what executions have told; no step runs here."""

import json

import pytest
from typer.testing import CliRunner

from lakeloom.cli.app import app
from lakeloom.lineage.flows import Flow
from tests.lineage.test_columns import Told, made, same


@pytest.fixture
def told(scaffolded):
    """Give the scaffold's project as if it had run twice."""
    root = Told(scaffolded / ".lakeloom")
    for version in (0, 1):
        root.run("bronze.orders", version, made({"amount": same("sources.orders", "amount")}))
        total = ("try_cast(amount as double)", "made", (Flow("bronze.orders", "amount", "value"),))
        root.run("silver.orders", version, made({"amount": total}), {"bronze.orders": version})
        revenue = ("sum(amount)", "aggregated", (Flow("silver.orders", "amount", "value"),))
        rows = [Flow("silver.orders", "", "rows"), Flow("silver.orders", "amount", "filter", "amount > ?")]
        root.run("gold.daily_orders", version, made({"revenue": revenue}, rows), {"silver.orders": version})
    return root


def call(*words):
    done = CliRunner().invoke(app, ["lineage", *words])
    assert done.exit_code == 0, done.stderr
    return done.stdout


def edges(*words):
    return {(each["from"], each["to"], each["how"]) for each in json.loads(call(*words, "--json"))["edges"]}


def test_up_and_down_of_a_column(told):
    assert edges("gold.daily_orders.revenue", "--up", "--how", "value") == {
        ("sources.orders.amount", "bronze.orders.amount", "value"),
        ("bronze.orders.amount", "silver.orders.amount", "value"),
        ("silver.orders.amount", "gold.daily_orders.revenue", "value"),
    }
    assert ("silver.orders.amount", "gold.daily_orders", "filter") in edges("bronze.orders.amount", "--down")
    assert edges("silver.orders.amount") == edges("silver.orders.amount", "--up") | edges(
        "silver.orders.amount", "--down"
    )


def test_between_two_columns_and_two_tables(told):
    found = edges("--between", "bronze.orders.amount", "gold.daily_orders.revenue", "--how", "value")
    assert {source for source, _, _ in found} == {"bronze.orders.amount", "silver.orders.amount"}
    assert edges("--between", "sources.orders", "silver.orders") == {
        ("sources.orders", "bronze.orders", "lands"), ("bronze.orders", "silver.orders", "new"),
    }  # fmt: skip


def test_a_version(told):
    assert edges("silver.orders@1.amount", "--how", "value") == {
        ("sources.orders.amount", "bronze.orders@1.amount", "value"),
        ("bronze.orders@1.amount", "silver.orders@1.amount", "value"),
        ("silver.orders@1.amount", "gold.daily_orders@1.revenue", "value"),
    }
    assert edges("silver.orders@0", "--down") == {("silver.orders@0", "gold.daily_orders@0", "filter, rows, value")}


def test_a_page_for_the_browser(told, tmp_path):
    file = tmp_path / "pages" / "columns.html"
    assert call("--html", str(file)).strip() == str(file)
    assert json.loads(call("--html", str(file), "--json")) == {"page": str(file)}
    page = file.read_text()
    assert "sum(amount)" in page
    assert '"silver.orders"' in page


def test_people_get_the_expressions(told):
    shown = call("gold.daily_orders.revenue", "--up")
    assert "sum(amount)" in shown
    assert "amount > ?" in shown


def test_the_document_has_kinds(told):
    nodes = json.loads(call("gold.daily_orders.revenue", "--json"))["nodes"]
    assert {node["kind"] for node in nodes} == {"column", "table"}
    assert set(nodes[0]) == {"id", "kind"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["gold.daily_orders.revenu"], "LL-STORE-001"),
        (["gold.daily_orders@7x.revenue"], "LL-TABLE-002"),
        (["models.late@x"], "LL-TABLE-002"),
        (["quarantine.nothing@0"], "LL-STORE-001"),
    ],
)
def test_what_is_not_there_has_a_code(told, words, code):
    done = CliRunner().invoke(app, ["lineage", *words])
    assert done.exit_code == 1
    assert done.stderr.startswith(code)


def test_a_name_and_between_do_not_go_together(told):
    assert CliRunner().invoke(app, ["lineage", "silver.orders", "--between", "a", "b"]).exit_code == 2


def test_what_is_known_only_roughly_is_said_with_the_reason(told):
    assert json.loads(call("gold.daily_orders.revenue", "--json"))["notes"] == []
    why = "the plan is too large to be told: 9 nodes, 300,000 columns"
    revenue = ("sum(amount)", "aggregated", (Flow("silver.orders", "amount", "value"),))
    told.run("gold.daily_orders", 2, made({"revenue": revenue}, basis="sql", problem=why), {"silver.orders": 1})
    text = f"values only, by its SQL: {why}"
    for place, table in (
        ("gold.daily_orders.revenue", "gold.daily_orders"),
        ("silver.orders.amount", "gold.daily_orders"),
        ("gold.daily_orders@2.revenue", "gold.daily_orders@2"),
        ("gold.daily_orders@2", "gold.daily_orders@2"),
    ):
        assert json.loads(call(place, "--json"))["notes"] == [{"table": table, "text": text}]
        assert call(place).rstrip().splitlines()[-1] == f"{table}: {text}"
    for place in ("bronze.orders.amount", "gold.daily_orders@1.revenue"):
        assert json.loads(call(place, "--up", "--json"))["notes"] == []
