"""`lakeloom rules`: from a suite into the config and back, as great-expectations itself reads it."""

import json

import pytest
from typer.testing import CliRunner

from lakeloom.cli.app import app

SUITE = {
    "name": "orders",
    "expectations": [
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "amount", "min_value": 0, "mostly": 0.99}},
        {"type": "expect_column_quantile_values_to_be_between", "severity": "warning", "kwargs": {"column": "amount",
         "quantile_ranges": {"quantiles": [0.1, 0.5], "value_ranges": [[None, 5], [1, 9.5]]}}},
        {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "country", "regex": "^[A-Z]{2}$"}},
        {"type": "expect_column_values_to_be_purple", "kwargs": {"column": "country"}},
    ],
    "meta": {"great_expectations_version": "1.24.1"},
}  # fmt: skip


def call(*words):
    return CliRunner().invoke(app, list(words))


def test_a_suite_becomes_rules_that_check_takes_and_comes_back(scaffolded):
    gx = pytest.importorskip("great_expectations")
    (scaffolded / "suite.json").write_text(json.dumps(SUITE))
    done = call("rules", "import", "suite.json", "--table", "silver.orders", "--output", "rules.yml")
    assert done.exit_code == 0, done.output
    assert "not taken: expect_column_values_to_be_purple" in done.stderr
    again = call("rules", "import", "suite.json", "--table", "silver.orders", "--output", "rules.yml")
    assert again.exit_code == 1 and "LL-EXPORT-003" in again.stderr
    # The rules, laid over the project's own as they were printed.
    printed = call("rules", "import", "suite.json").stdout
    assert printed.startswith("rules:\n  - {column: amount, expect: values_between,")
    document = json.loads(call("rules", "import", "suite.json", "--json").stdout)
    assert set(document) == {"table", "rules", "left"} and len(document["rules"]) == 3
    tables = next(scaffolded.glob("conf/**/tables.yml"))
    text = tables.read_text()
    assert "    rules:\n" in text
    lines = "".join(f"    {line}\n" for line in printed.splitlines()[1:])
    lines = lines.replace("expect: values_between", "name: new, expect: values_between")
    tables.write_text(text.replace("    rules:\n", f"    rules:\n{lines}", 1))
    checked = call("check")
    assert checked.exit_code == 0, checked.output
    exported = call("rules", "export", "silver.orders")
    assert exported.exit_code == 0, exported.output
    suite = json.loads(exported.stdout)
    loaded = gx.ExpectationSuite(**{key: suite[key] for key in ("name", "id", "expectations", "meta", "notes")})
    assert len(loaded.expectations) == len(suite["expectations"]) >= 3
    back = call("rules", "export", "silver.orders", "--output", "back.json")
    assert back.exit_code == 0
    assert json.loads(call("rules", "import", "back.json", "--json").stdout)["left"] == []


def test_what_is_asked_wrongly(scaffolded):
    assert call("rules", "exprot", "silver.orders").exit_code == 2
    wrong = call("rules", "export", "silver.odres")
    assert wrong.exit_code == 2 and "use 'silver.orders'" in wrong.stderr
    assert call("rules", "import", "nowhere.json").exit_code == 1
