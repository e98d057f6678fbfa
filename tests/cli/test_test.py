"""`lakeloom test` as a user calls it: on what init wrote, after a mistake in the SQL, and on a malformed test."""

import json

from typer.testing import CliRunner

from lakeloom.cli.app import app


def call(*words):
    return CliRunner().invoke(app, list(words))


def test_the_scaffolds_tests_pass_and_a_mistake_in_the_sql_is_shown(tmp_path, monkeypatch, spark):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    assert call("init", "shop").exit_code == 0
    passed = call("test")
    assert (passed.exit_code, passed.stderr) == (0, "")
    assert passed.stdout.splitlines()[-1].startswith("2 passed, 0 failed")

    sql = tmp_path / "conf/shop/sql/silver_orders.sql"
    sql.write_text(sql.read_text().replace("trim(country)", "lower(country)"))
    failed = call("test", "silver.*")
    assert failed.exit_code == 1
    assert 'country  expected NL, got " nl "' in failed.stdout
    document = json.loads(call("test", "silver.*", "--json").stdout)
    assert (document["passed"], document["failed"]) == (0, 1)
    (told,) = document["tests"]
    assert told["rows"]["differing"][0][1]["country"] == " nl "
    assert told["quarantined"] == {"amount:not_null": 1}

    tests = tmp_path / "conf/shop/tests/orders.yml"
    tests.write_text(
        tests.read_text().replace("order_id: 1, country: NL, amount: 12.5", "order_id: 1, cuntry: NL, amount: 12.5", 1)
    )
    wrong = call("test", "--json")
    assert wrong.exit_code == 2
    (finding,) = json.loads(wrong.stdout)["findings"]
    assert (finding["code"], finding["file"]) == ("LL-TEST-001", "conf/shop/tests/orders.yml")
    assert finding["fix"] == "use 'country'" and finding["line"] > 1
    assert call("check").exit_code == 2
    assert not (tmp_path / ".lakeloom").exists()
