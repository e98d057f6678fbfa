"""Rules over time and conflicts, from what executions recorded; without Spark."""

import json

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.cli.app import app
from lakeloom.core.errors import ConfigError, StoreError
from lakeloom.store.intents import Intent, Intents

TABLES = """\
tables:
  silver.people:
    from: {bronze.a: whole, bronze.b: whole}
    resolve:
      sources: {bronze.a: {name: a}, bronze.b: {name: b}}
      losers: silver.people_losers
    keys: [id]
    columns:
      id: string
      city: string
      email: string
      born: {type: string, tags: [sensitive]}
  silver.plain:
    from: {bronze.a: whole}
    sql: select * from bronze.a
"""
SOURCES = "sources:\n  a: {kind: files, path: in/a.csv, format: csv}\n  b: {kind: files, path: in/b.csv, format: csv}\n"


def result(name, **facts):
    return {"name": name, "column": "city", "level": "quarantine", "rows": 10, "broken": 0, "passed": True, "stops": False,
            "observed": None} | facts  # fmt: skip


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Give a project with three executions of silver.people: one published, one failed, one crashed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "p").mkdir(parents=True)
    (tmp_path / "conf" / "base.yml").write_text("project: p\n")
    (tmp_path / "conf" / "p" / "tables.yml").write_text(TABLES)
    (tmp_path / "conf" / "p" / "sources.yml").write_text(SOURCES)
    lake = open_lakehouse("conf")
    intents = Intents(lake.root)
    by = [
        [{"column": "city", "winner": "a", "loser": "b", "rows": 2}, {"column": "email", "winner": "a", "loser": "b", "rows": 1}],
        [{"column": "city", "winner": None, "loser": "b", "rows": 3}],
    ]  # fmt: skip
    for epoch in (1, 2, 3, 4):
        intent = Intent("silver.people", epoch, f"r{epoch}", f"2026-01-0{epoch}T00:00:00+00:00", 7, "c")
        intents.begin(intent)
        if epoch in (1, 4):
            rules = [
                result("in set", broken=epoch, passed=epoch == 1),
                result("fresh", level="warn", passed=False, observed=7),
            ]
            intents.finish(intent, {"rules": rules, "conflicts": by[epoch // 4]})
        elif epoch == 2:
            intents.fail(
                intent, {"code": "LL-RULE-001", "rules": [result("in set", level="fail", broken=9, stops=True)]}
            )
    losers = {
        "id": ["1", "1"],
        "column": ["city", "email"],
        "winner": ["a", "a"],
        "winning": ["Oslo", "x@a"],
        "loser": ["b", "b"],
        "losing": ["Rome", "y@b"],
    }
    write_deltalake(lake.lake.path("silver.people_losers"), pa.table(losers))
    return lake


def call(*words):
    return CliRunner().invoke(app, list(words))


def test_each_rule_has_what_came_of_it_also_where_it_stopped_the_execution(recorded):
    found = {each.rule: each for each in recorded.rule_history("silver.people")}
    assert [(j.run, j.outcome, j.broken) for j in found["in set"].judgements] == [
        ("r1", "quarantined", 1), ("r2", "failed", 9), ("r4", "quarantined", 4),
    ]  # fmt: skip
    assert [j.outcome for j in found["fresh"].judgements] == ["warned", "warned"]
    assert [each.rule for each in recorded.rule_history(limit=1)] == ["in set", "fresh"]
    document = json.loads(call("rules", "history", "silver.people", "--json").stdout)
    assert document[0]["counts"] == {"passed": 0, "warned": 0, "quarantined": 2, "failed": 1}
    assert document[0]["results"][1] == {
        "run": "r2", "at": "2026-01-02T00:00:00+00:00", "epoch": 2, "outcome": "failed", "rows": 10, "broken": 9, "share": 0.9, "observed": None,
    }  # fmt: skip
    shown = call("rules", "history", "silver.people").stdout
    assert "qFq" in shown and "ww" in shown and "40.00%" in shown


def test_a_table_without_executions_and_words_that_do_not_fit(recorded):
    with pytest.raises(StoreError, match=r"silver\.peopl has no execution") as caught:
        recorded.rule_history("silver.peopl")
    assert caught.value.code == "LL-STORE-001" and "silver.people" in caught.value.fix
    assert call("rules", "history", "silver.people", "--output", "x").exit_code == 2


def test_conflicts_tell_who_won_over_the_runs_and_show_no_personal_value(recorded):
    found = recorded.conflicts("silver.people")
    assert [(each["run"], each["rows"]) for each in found.runs] == [("r1", 3), ("r4", 3)]
    assert found.now == ({"column": "city", "winner": None, "loser": "b", "rows": 3},)
    # By the name and by the tag.
    assert found.hidden == ("email", "born") and [row["column"] for row in found.sample] == ["city"]
    document = json.loads(call("conflicts", "silver.people", "--json").stdout)
    assert set(document) == {"table", "now", "runs", "losers", "sample", "hidden"} and "x@a" not in str(document)
    shown = call("conflicts", "silver.people").stdout
    assert "(expression)" in shown and "Rome" in shown and "y@b" not in shown and "not shown: email, born" in shown


@pytest.mark.parametrize(
    ("table", "code"), [("silver.plain", "LL-CONF-005"), ("silver.nothing", "LL-CONF-010")]
)  # fmt: skip
def test_conflicts_of_a_table_that_has_none(recorded, table, code):
    with pytest.raises(ConfigError) as caught:
        recorded.conflicts(table)
    assert caught.value.code == code
