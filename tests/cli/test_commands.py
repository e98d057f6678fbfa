"""Every command as a user calls it, without Spark: one document on standard output, texts and exit codes."""

import json

import pytest
from typer.testing import CliRunner

import lakeloom
from lakeloom.cli.app import COMMANDS, app

READING = {
    "tables": ["tables"],
    "show": ["show", "silver.orders@0"],
    "history": ["history", "silver.orders"],
    "tag": ["tag"],
    "tagging": ["tag", "release-7"],
    "history cost": ["history", "--cost"],
    "audit": ["audit", "list"],
    "verify": ["audit", "verify"],
    "recover": ["recover"],
    "diff": ["diff", "silver.orders", "0", "--rows", "2"],
    "clone": ["clone", "silver.orders@0", "silver.copy"],
    "restore": ["restore", "silver.orders", "last-good"],
    "branch": ["branch", "work"],
    "branches": ["branch"],
    "promote": ["promote", "work"],
    "sql": ["sql", "select * from silver.orders"],
    "sql at": ["sql", "select * from silver.orders", "--at", "2100-01-01"],
    "tables at": ["tables", "--at", "2100-01-01"],
    "lineage": ["lineage", "silver.orders", "--up"],
    "quarantine": ["quarantine"],
    "quarantined": ["quarantine", "silver.orders"],
    "runs": ["runs"],
    "check": ["check"],
    "plan": ["plan"],
}


def call(*words):
    if words[0] == "promote":
        CliRunner().invoke(app, ["branch", "work"])
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize("words", READING.values(), ids=READING)
def test_json_is_one_document(home, words):
    done = call(*words, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) is not None
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("words", READING.values(), ids=READING)
def test_people_get_tables(home, words):
    done = call(*words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_a_time_stands_wherever_a_version_does(home):
    def shape(*words):
        return json.loads(call(*words, "--json").stdout)

    first, second, third = (each["timestamp"] for each in reversed(shape("history", "silver.orders")))
    counted = "select count(*) as n from silver.orders"
    for at, rows in ((first, 1), (second, 2), (third, 3)):
        assert shape("show", f"silver.orders@{at}")["rows"] == rows
        assert shape("sql", f"{counted}@{at}") == [{"n": rows}]
        assert shape("sql", counted, "--at", at) == [{"n": rows}]
        zulu = at.replace("+00:00", "Z")
        assert shape("sql", f"select (select count(*) from silver.orders@{zulu}) - (select count(*) from silver.orders)"
                     " as more") == [{"more": rows - 2}]  # fmt: skip
    assert shape("diff", "silver.orders", first, third)["rows"] == {"added": 2, "removed": 0, "changed": 0}
    assert shape("tag", "then", f"silver.orders@{first}")["versions"] == {"silver.orders": 0}
    # A table comes back as readers had it then: the third version was never published.
    assert shape("restore", "silver.orders", third)["to"] == 1
    before = call("restore", "silver.orders", "2025-12-31T00:00:00Z")
    assert (before.exit_code, "LL-STORE-002" in before.stderr) == (1, True)


def test_shapes_are_those_of_the_documentation(home):
    def shape(*words):
        return json.loads(call(*words, "--json").stdout)

    assert set(shape("tables")[0]) == {"name", "layer", "version", "rows", "bytes", "path"}
    assert shape("sql", "select count(*) as n from silver.orders") == [{"n": 2}]
    assert set(shape("plan")["steps"][0]) == {"name", "kind", "action", "reasons", "reads", "writes"}
    assert shape("check") == {"findings": []}
    assert set(shape("tag", "release-7")) == {"name", "at", "who", "versions"}
    assert shape("tag")[0]["versions"] == {"silver.orders": 1, "quarantine.silver__orders": 0}
    assert shape("show", "silver.orders@release-7")["version"] == 1
    assert shape("sql", "select count(*) as n from silver.orders", "--at", "release-7") == [{"n": 2}]
    assert shape("tag", "release-7", "--delete")["name"] == "release-7" and shape("tag") == []
    found = shape("diff", "silver.orders", "0")
    assert set(found) == {
        "same", "before", "after", "read", "schema", "keys", "rows", "columns", "spread", "whole", "hidden", "examples",
        "engine", "reached",
    }  # fmt: skip
    assert (
        found["whole"] == {}
        and found["rows"] == {"added": 1, "removed": 0, "changed": 0}
        and found["keys"] == ["order_id"]
    )
    assert set(shape("clone", "silver.orders", "silver.copy")) == {
        "table", "source", "version", "files", "bytes", "full"
    }  # fmt: skip
    assert shape("restore", "silver.orders", "last-good") == {
        "table": "silver.orders", "to": 1, "version": 3, "tables": {"silver.orders": 3}
    }  # fmt: skip
    entry = shape("history", "--cost")[0]
    assert set(entry) == {"table", "version", "bytes", "versions", "oldest", "history_bytes", "history_files",
                          "free_bytes", "pinned"}  # fmt: skip
    verdict = shape("audit", "verify")
    assert set(verdict) == {"sound", "rows", "head", "pending", "broken", "at"} and verdict["sound"]
    listed = shape("audit", "list", "silver.orders")
    assert [row["action"] for row in listed] == ["restore", "untag", "tag", "publish"]
    assert set(shape("recover")) == {"tables", "by_log", "by_intents"}
    assert set(shape("branch", "work")) == {"name", "at", "who", "base", "promoted"}
    assert shape("diff", "--branch", "work") == {}
    assert shape("promote", "work") == {"branch": "work", "status": "done", "steps": [], "runs": []}
    assert shape("branch", "work", "--delete")["name"] == "work" and shape("branch") == []
    shape("branch", "side")
    there = ("--branch", "side")
    assert shape("tag", "tried", *there)["versions"] == shape("tag", *there)[0]["versions"]
    assert shape("clone", "silver.orders@tried", "silver.tried", *there)["table"] == "silver.tried"
    assert shape("restore", "silver.orders", "tried", *there)["tables"] == {}
    assert shape("lineage", *there)["nodes"] == shape("lineage")["nodes"]
    assert "silver.tried" in {each["name"] for each in shape("tables", *there)}
    assert shape("tag") == [] and "silver.tried" not in {each["name"] for each in shape("tables")}
    shape("branch", "side", "--delete")
    graph = shape("lineage")
    assert set(graph["nodes"][0]) == {"id", "kind"}
    assert set(graph["edges"][0]) == {"from", "to", "how", "expression"}
    assert set(shape("show", "silver.orders")) == {"table", "version", "rows", "columns", "data"}
    assert set(shape("quarantine")[0]) == {"table", "rule", "rows"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_takes_the_common_options(command):
    done = call(command, "--help")
    assert done.exit_code == 0
    assert all(option in done.stdout for option in ("--json", "--conf", "--env", "--debug"))
    assert COMMANDS[command].rstrip(".")[:12] in " ".join(done.stdout.split())


def test_help_lists_every_command():
    done = call("--help")
    assert all(f"  {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["show", "silver.ordres"], "LL-STORE-001", 1),
        (["show", "silver.orders@x y"], "LL-TABLE-002", 1),
        (["show", "silver.orders@none"], "LL-STORE-002", 1),
        (["tag", "good"], "LL-STORE-014", 1),
        (["diff", "silver.orders", "0", "--key", "order"], "LL-TABLE-003", 1),
        (["restore", "silver.orders", "2"], "LL-STORE-017", 1),
        (["show", "silver.orders", "--branch", "none"], "LL-BRANCH-001", 1),
        (["branch", "a/b"], "LL-BRANCH-002", 1),
        (["sql", "drop table silver.orders"], "LL-CONF-012", 1),
        (["sql", "select nope from silver.orders"], "LL-TABLE-007", 1),
        (["lineage", "silver.nope"], "LL-STORE-001", 1),
        (["logs"], "LL-RUN-003", 1),
        (["retry"], "LL-RUN-003", 1),
        (["report", "nope"], "LL-RUN-003", 1),
        (["plan", "nope"], "LL-RUN-001", 1),
        (["tables", "--conf", "nowhere"], "LL-CONF-007", 2),
        (["tables", "--env", "nowhere"], "LL-CONF-007", 2),
        (["init", "shop"], "LL-CONF-016", 2),
        (["run", "--sample", "all"], "LL-CONF-004", 2),
        (["tables", "--sample", "0"], "LL-CONF-004", 2),
    ],
)
def test_errors_have_code_fix_and_exit_code_and_no_traceback(home, words, code, exit_code):
    done = call(*words)
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert done.stderr.startswith(code)
    assert "Traceback" not in done.stderr
    told = call(*words, "--json")
    assert json.loads(told.stdout)["error"]["code"] == code
    assert told.exit_code == exit_code


def test_all_mistakes_come_together_and_nothing_starts(home):
    (home / "conf/shop/tables.yml").write_text(
        "tables:\n  silver.orders: {form: x}\n  silver.x: {from: {bronze.y: new}}\n"
    )
    done = call("check", "--json")
    findings = json.loads(done.stdout)["findings"]
    assert done.exit_code == 2
    assert {finding["line"] for finding in findings} >= {2, 3}
    assert set(findings[0]) == {"code", "file", "line", "path", "message", "fix"}
    ran = call("run", "--json")
    assert ran.exit_code == 2
    # A mistake in a test is told by check, and stops no run.
    assert json.loads(ran.stdout)["findings"] == [each for each in findings if "/tests/" not in each["file"]]
    assert not (home / ".lakeloom/runs").exists()


def test_a_secret_in_an_error_is_masked(home):
    done = call("sql", "select 'jdbc:x://u:hunter22@h/db' as a, password=hunter22 from silver.orders", "--debug")
    assert done.exit_code == 1
    assert "hunter22" not in done.stderr + done.stdout


def test_ctrl_c_exits_with_130(home, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lakeloom.api.lakehouse.Lakehouse.tables", stop)
    assert call("tables").exit_code == 130


def test_a_fault_of_ours_names_its_class_only(home, monkeypatch):
    def fail(*_):
        raise ValueError("row 42 is Ada")

    monkeypatch.setattr("lakeloom.api.lakehouse.Lakehouse.tables", fail)
    done = call("tables", "--json")
    assert done.exit_code == 1
    assert "ValueError" in json.loads(done.stdout)["error"]["message"]
    assert "Ada" not in done.stdout + done.stderr


def test_init_runs_in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    assert call("init", "shop").exit_code == 0
    assert call("check").stdout == "no mistakes\n"
    assert call("tables").stdout.startswith("no tables yet")
    assert json.loads(call("tables", "--json").stdout) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--from", "soon"],
        ["--slice", "1 day"],
        ["--by", "event", "--from", "2026-01-01"],
        ["--by", "weather", "--from", "2026-01-01", "--to", "2026-01-02"],
        ["--slice", "1 day", "--from", "2026-01-01", "--to", "2026-01-02", "--full-refresh"],
    ],
)
def test_a_malformed_span_is_bad_usage(home, words):
    done = call("run", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "internal error" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["mend"],
        ["fix"],
        ["fix", "--set", "amount = 1", "--all"],
        ["fix", "--set", "amount = 1", "--on", "gold"],
        ["replay", "--why", "so"],
        ["drop"],
        ["list", "--set", "amount = 1"],
    ],
)
def test_a_malformed_word_about_quarantine_is_bad_usage(home, words):
    done = call("quarantine", "silver.orders", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "internal error" not in done.stderr


def test_what_can_not_be_mended_is_coded_without_spark(home):
    for words, code in (
        (["silver.ordres", "replay"], "LL-RUN-001"),
        (["silver.orders", "replay", "--where", "rand() < 1"], "LL-FIX-002"),
        (["silver.orders", "drop", "--why", "so", "--where", "1; drop table x"], "LL-FIX-002"),
    ):
        done = call("quarantine", *words)
        assert (done.exit_code, done.stderr.split()[0]) == (1, code)


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["--slice", "1 month", "--from", "2026-01-01", "--to", "2026-02-01"], "LL-CONF-004", 2),
        (["--slice", "1 day", "--from", "2026-01-02", "--to", "2026-01-01"], "LL-RUN-008", 1),
        (["--by", "event", "--from", "2026-01-01", "--to", "2026-01-02"], "LL-RUN-007", 1),
    ],
)
def test_a_backfill_that_can_not_be_is_coded(home, words, code, exit_code):
    done = call("run", *words)
    assert (done.exit_code, done.stderr[:11].strip()) == (exit_code, code)


def test_the_release_is_told_and_a_command_is_not_needed():
    done = call("--version")
    assert (done.exit_code, done.stdout) == (0, f"lakeloom {lakeloom.__version__}\n")
