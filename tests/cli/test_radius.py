"""``plan`` and ``diff`` of a change: texts, JSON and exit codes; no step runs here."""

import json

import pytest
from typer.testing import CliRunner

from lakeloom.cli.app import app
from tests.ran import Ran


@pytest.fixture
def ran(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return Ran(tmp_path).run()


def call(*words, code=0):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, (done.stdout, done.stderr)
    return done.stdout


def test_nothing_differs(ran):
    assert "nothing differs" in call("diff", "--exit-code")
    assert json.loads(call("diff", "--json", "--exit-code"))["changes"] == []
    # The files of the source are gone, so nothing new lands: no step would run.
    assert json.loads(call("plan", "gold.*", "--json", "--exit-code"))["radius"]["changes"] == []


def test_a_change_is_shown_and_told_by_the_exit_code(ran):
    ran.change(("amount * 1.2", "amount * 1.3"))
    document = json.loads(call("plan", "silver.orders", "--json", "--exit-code", code=3))
    assert set(document) == {"steps", "radius"}
    assert json.loads(call("diff", "--json", "--exit-code", code=3)) == document["radius"]
    assert set(document["radius"]) == {
        "changes", "removed", "reached", "reports", "rebuild", "seconds", "bytes_read", "bytes_written", "breaking",
    }  # fmt: skip
    for words in (("plan", "silver.orders"), ("diff",)):
        shown = call(*words)
        assert "gross changed" in shown
        assert "gold.towns" in shown
        assert "sales" in shown
        assert "as before, that is 8.0 s" in shown


def test_a_break_has_a_code_of_its_own_and_run_check_and_jobs_refuse_it(ran):
    ran.change(("gross: double,", "gross: float,"))
    call("plan", "--exit-code", code=4)
    shown = call("diff", "--exit-code", code=4)
    assert "breaks: silver.orders.gross narrows from double to float (owner ops); it reaches" in shown
    call("diff")
    assert "LL-TABLE-011" in call("check", code=2)
    call("check", "--allow-breaking")
    error = json.loads(call("run", "--json", code=1))["error"]
    assert error["code"] == "LL-TABLE-011"
    assert "gold.towns.gross (value; owner sales)" in error["message"]
    assert "--allow-breaking" in error["fix"]
    from lakeloom.cli.job import main

    with pytest.raises(SystemExit) as caught:
        main("transform", ["--conf", str(ran.folder)])
    assert caught.value.code == 1


def test_a_declaration_that_is_gone_is_shown(ran):
    text = (ran.folder / "tables.yml").read_text()
    ran.declare(text[: text.index("  gold.spares:")])
    shown = call("diff", "--exit-code", code=3)
    assert "gold.spares (owner depot) is declared no more: it stays as it is at version 0" in shown
    assert "gold.spares (owner depot)" in call("plan")


def test_the_version_of_a_table_is_missing(ran):
    call("diff", "silver.orders", code=2)
