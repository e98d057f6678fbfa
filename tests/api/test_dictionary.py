"""The dictionary of a project: from contracts, the log, recorded profiles and executions, without Spark."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from lakeloom.api import profiles
from lakeloom.api.dictionary import collect
from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.cli.app import app
from lakeloom.core.errors import ExportError
from lakeloom.quality.profile import ColumnProfile, TableProfile
from lakeloom.store.intents import Intent, Intents
from lakeloom.tables.spec import ColumnSpec


@pytest.fixture
def book(home):
    """Give the shop's dictionary as data, with a recorded profile and one execution of silver.orders."""
    lake = open_lakehouse("conf")
    columns = (
        ColumnProfile("country", "string", 2, distinct=2),
        ColumnProfile("amount", "double", 2, distinct=2, low=1.0, high=2.0),
    )
    profiles.record(lake.root, TableProfile("silver.orders", 0, 2, columns))
    intents = Intents(lake.root)
    intent = Intent("silver.orders", 1, "r1", "2026-01-05T00:00:00+00:00", 7, "c")
    intents.begin(intent)
    judged = {
        "name": "amount:values_between",
        "column": "amount",
        "level": "quarantine",
        "rows": 2,
        "broken": 1,
        "passed": False,
        "stops": False,
    }
    intents.finish(intent, {"rules": [judged]})
    return lake, collect(
        lake.lake, lake.project, lake.lineage(), {"silver.orders": 1}, datetime(2026, 1, 5, tzinfo=UTC)
    )


def test_tables_come_with_contract_figures_rules_and_neighbours(book):
    _, found = book
    tables = {table.name: table for table in found.tables}
    orders = tables["silver.orders"]
    assert [table.layer for table in found.tables] == sorted(
        (table.layer for table in found.tables), key=["bronze", "silver", "gold"].index
    )
    assert (
        orders.rows == 2
        and ("Version", "1") in orders.facts
        and not any(name.startswith("quarantine") for name in tables)
    )
    columns = {column.name: column for column in orders.columns}
    # The log tells extremes of numbers, the record how many are distinct; a text's own words are not shown.
    amount, country = columns["amount"], columns["country"]
    assert (amount.low, amount.high, amount.distinct, amount.null_share) == ("1", "2", 2, 0.0)
    assert (country.low, country.high, country.distinct) == (None, None, 2)
    assert ("values_between", "quarantined") in amount.rules and columns["order_id"].key
    assert (
        ("bronze.orders", "new") in orders.inputs
        and orders.readers
        and orders.tracks[0].marks[0].outcome == "quarantined"
    )
    assert "version 0" in orders.profile_note
    assert all(column.distinct is None for column in tables["gold.daily_orders"].columns)


def test_a_column_that_is_tagged_anywhere_shows_no_value_in_any_table(book):
    lake, _ = book
    tagged = lake.project.tables["gold.daily_orders"].model_copy(
        update={"columns": {"amount": ColumnSpec(type="double", tags=("sensitive",))}}
    )
    project = dataclasses.replace(lake.project, tables=lake.project.tables | {"gold.daily_orders": tagged})
    found = collect(lake.lake, project, lake.lineage(), {"silver.orders": 1}, datetime(2026, 1, 5, tzinfo=UTC))
    orders = next(table for table in found.tables if table.name == "silver.orders")
    amount = next(column for column in orders.columns if column.name == "amount")
    assert amount.guarded and amount.low is None and amount.high is None


def test_it_is_written_over_itself_and_over_nothing_else(book, tmp_path):
    lake, _ = book
    done = CliRunner().invoke(app, ["dictionary", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    folder = lake.root / "dictionary"
    assert document["path"] == str(folder / "index.html") and document["tables"] == len(
        list((folder / "tables").iterdir())
    )
    (folder / "tables" / "silver.gone.html").write_text("old")
    assert CliRunner().invoke(app, ["dictionary"]).stdout.strip() == document["path"]
    assert not (folder / "tables" / "silver.gone.html").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("my own")
    with pytest.raises(ExportError) as caught:
        lake.dictionary(mine)
    assert caught.value.code == "LL-EXPORT-003" and (mine / "index.html").read_text() == "my own"
    assert lake.dictionary(tmp_path / "fresh").path.is_file()
