"""`suggest` on real tables: what it proposes holds, is accepted, and catches a row that is wrong."""

import json
import random
from datetime import datetime, timedelta

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.cli.app import app
from lakeloom.core.errors import StoreError
from tests.flow.stream import Stream

COLUMNS = (
    "order_id",
    "customer_id",
    "status",
    "code",
    "amount",
    "weight",
    "ordered_at",
    "email",
    "card",
    "note",
    "zip",
    "day",
)
TABLES = """\
tables:
  silver.customers:
    from: {bronze.changes: whole}
    sql: select distinct customer_id as id, cast(substring(customer_id, 2) as int) as number from bronze.changes where customer_id is not null
    keys: [id]
    columns: {id: string, number: {type: int, description: of the customer}}
"""
ROWS = 240


def luhn_ending(digits):
    total = sum(int(d) * 2 - 9 * (int(d) > 4) if at % 2 == 0 else int(d) for at, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def orders():
    chance = random.Random(3)
    start = datetime(2026, 1, 1, 8)
    for number in range(ROWS):
        at = start + timedelta(minutes=37 * number)
        yield {
            "order_id": str(1000 + number), "customer_id": f"C{chance.randrange(30):03d}", "status": chance.choice(["new", "paid", "sent"]),
            "code": f"{chance.choice('ABC')}{chance.choice('XYZ')}-{chance.randrange(1000, 99999)}", "amount": f"{chance.randrange(1, 90000) / 100:.2f}",
            "weight": "NA" if number % 9 == 0 else str(chance.randrange(1, 50)), "ordered_at": f"{at:%d.%m.%Y %H:%M}",
            "email": f"who{number}@example.org", "card": luhn_ending("4" + "".join(chance.choices("0123456789", k=14))),
            "note": None if number % 3 else f"leave it at door {number} please", "zip": f"0{chance.randrange(100, 999)}", "day": f"{at:%d/%m/%Y}" if at.day < 13 else "01/02/2026",
        }  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory, spark):
    """Give a project with one landing of orders, all of them texts, and what is suggested for its tables."""
    home = tmp_path_factory.mktemp("suggest")
    stream = Stream(home, dict.fromkeys(COLUMNS, "string"), TABLES)
    stream.drop(*orders())
    stream.done()
    lake = open_lakehouse(home / "conf")
    return stream, lake, lake.suggest("bronze.changes")


def of(found, kind):
    return {each.columns: each for each in found.proposals if each.kind == kind}


def test_types_are_proposed_as_parse_would_read_them(made):
    told = {columns[0]: (each.says, each.confidence) for columns, each in of(made[2], "type").items()}
    assert told == {
        "order_id": ("bigint", "medium"), "amount": ("decimal(10,2)", "medium"), "weight": ("bigint", "medium"),
        "ordered_at": ("timestamp", "medium"), "card": ("bigint", "medium"), "day": ("date", "low"),
    }  # fmt: skip
    assert "day and month can't be told apart" in of(made[2], "type")["day",].evidence
    # 0123 is a code, whatever its digits say; and where somebody lives is told by no pattern.
    assert ("zip",) not in of(made[2], "type") and ("zip",) not in of(made[2], "pattern")


def test_the_rest_of_the_contract_and_its_evidence(made):
    found = made[2]
    assert {columns[0]: each.says for columns, each in of(found, "tag").items()} == {
        "email": "tags: [pii]", "card": "tags: [pii]", "zip": "tags: [quasi_identifier]",
    }  # fmt: skip
    assert of(found, "tag")["card",].evidence == "240 of 240 values look like card numbers (right check digit)"
    assert of(found, "nullable")["order_id",].evidence == "0 of 240 NULL" and ("note",) not in of(found, "nullable")
    assert of(found, "key")["order_id",].evidence == "240 distinct of 240 rows, counted exactly"
    assert of(found, "values")["status",].config["rules"][0]["values"] == ["new", "paid", "sent"]
    assert of(found, "pattern")["code",].says == r"^[A-Z]{2}\-[0-9]{4,5}$"
    reference = of(found, "reference")["customer_id",]
    assert reference.says == "references silver.customers.id" and reference.evidence.startswith(
        "all 30 distinct values"
    )
    event = of(found, "event_time")["ordered_at",]
    assert event.confidence == "medium" and "its name speaks of time" in event.evidence


def test_nothing_personal_is_told_or_recorded(made):
    _, lake, found = made
    record = (lake.root / "profiles" / "bronze.changes.json").read_text()
    everything = json.dumps(found.as_dict()) + found.text + record
    assert "example.org" not in everything and '"card"' in everything
    assert not any(row["card"] in everything for row in orders())
    card = next(column for column in json.loads(record)["columns"] if column["name"] == "card")
    assert card["guarded"] and not {"low", "high", "values", "shapes"} & set(card)


def test_the_yaml_is_taken_runs_green_and_catches_a_broken_row(made):
    stream, lake, found = made
    assert "# 240 distinct of 240 rows, counted exactly" in found.text and "day: {type: string" in found.text
    pasted = YAML(typ="safe").load(found.text)["tables"]
    assert pasted == {"silver.changes": json.loads(json.dumps(found.entry))}
    stream.declare(TABLES + found.text.removeprefix("tables:\n"))
    assert stream.findings() == []
    done = stream.done("silver.changes")["silver.changes"]
    assert (done.rows_out, done.quarantined) == (ROWS, 0)
    wrong = next(orders()) | {"order_id": "9999", "status": "lost", "code": "A-1", "customer_id": "C999"}
    stream.drop(
        wrong, next(orders()) | {"order_id": "9998", "ordered_at": "yesterday"}, next(orders()) | {"order_id": "9997"}
    )
    done = stream.done("bronze.changes", "silver.changes")["silver.changes"]
    assert (done.rows_out, done.quarantined) == (1, 2)
    reasons = {reason for row in lake.quarantined("silver.changes") for reason in row.reasons}
    assert {"status:in_set", "code:match_regex", "customer_id:references", "parse:ordered_at"} <= reasons


def test_a_declared_table_keeps_what_it_says_and_the_command_prints_the_document(made):
    stream, lake, _ = made
    document = json.loads(call(stream, "silver.customers@0", "--json").stdout)
    assert set(document) == {"table", "version", "target", "rows", "proposals", "yaml", "profile"}
    assert set(document["proposals"][0]) == {"kind", "columns", "says", "evidence", "confidence", "config"}
    assert {each["confidence"] for each in document["proposals"]} == {"low"}  # thirty rows say little
    entry = YAML(typ="safe").load(document["yaml"])["tables"]["silver.customers"]
    assert entry["sql"] == lake.project.tables["silver.customers"].sql
    assert entry["columns"]["number"] == {"type": "int", "description": "of the customer"}
    with pytest.raises(StoreError, match="LL-STORE-001"):
        lake.suggest("silver.customer")


def test_the_command_prints_a_table_or_the_yaml(made, monkeypatch):
    stream, _, found = made
    monkeypatch.setattr("lakeloom.api.suggestion.suggest", lambda *asked: found)
    assert call(stream, "bronze.changes", "--yaml").stdout == found.text
    shown = call(stream, "bronze.changes").stdout
    assert "0 of 240 NULL" in shown and shown.startswith("bronze.changes@0: 240 rows") and found.text in shown
    assert call(stream, "bronze.changes", "--yaml", "--json").exit_code == 2


def call(stream, *words):
    return CliRunner().invoke(app, ["suggest", *words, "--conf", str(stream.home / "conf")])
