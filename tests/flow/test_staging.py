"""Rows that are judged while they are written: the same tables, quarantines and errors as those that are counted first."""

import json
from pathlib import Path

import pytest

from lakeloom.store import refs
from lakeloom.store.intents import Intents
from lakeloom.store.stage import Stage
from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.added:
    from: {{bronze.changes: new}}
    sql: select id, try_cast(n as int) as n, '{word}' as word from bronze.changes
    write: {{mode: append}}
    columns: {{id: string, n: int, word: string}}
    rules:
      - {{column: n, expect: values_between, min: 0, max: 9}}
      - {{column: n, expect: not_null, otherwise: warn}}
      - {{sql: "n <> 7", name: no sevens, nulls: pass, otherwise: fail}}
  gold.whole:
    from: {{silver.added: whole}}
    sql: select id, n, n * 2 as twice from silver.added
    rules: [{{column: n, expect: values_between, max: 5}}]
"""


@pytest.fixture
def staged(monkeypatch):
    """Return the tables whose rows were committed from a stage, in order."""
    found, commit = [], Stage.commit

    def noted(self, step, epoch):
        commit(self, step, epoch)
        found.append(step)

    monkeypatch.setattr(Stage, "commit", noted)
    return found


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return Stream(tmp_path, {"id": "string", "n": "string"}, TABLES.format(word="one"))


def files(stream, table):
    return {path.name for path in Path(stream.lake.path(table)).glob("*.parquet")}


def rules(stream, step):
    record = Intents(stream.lake.root).published(step)
    return {rule["name"]: (rule["rows"], rule["broken"]) for rule in record.facts["rules"]}


def test_a_standing_table_gets_rows_that_were_judged_while_they_were_written(stream, staged):
    stream.drop({"id": "1", "n": "1"}, {"id": "2", "n": "12"}, {"id": "3", "n": None})
    stream.done()
    assert staged == []  # tables that are made
    stream.drop({"id": "4", "n": "8"}, {"id": "5", "n": "-1"}, {"id": "6", "n": None}, {"id": "7", "n": "5"})
    done = stream.done()
    assert staged == ["silver.added", "gold.whole"]
    assert rules(stream, "silver.added")["n:values_between"] == (3, 1)
    assert rules(stream, "silver.added")["n:not_null"] == (4, 1)
    assert rules(stream, "gold.whole")["n:values_between"] == (3, 1)
    assert (done["silver.added"].rows_out, done["silver.added"].quarantined) == (3, 1)
    assert [row[0] for row in stream.table("silver.added", "id")] == ["1", "3", "4", "6", "7"]
    assert stream.table("gold.whole", "id", "twice") == [("1", 2), ("3", None), ("6", None), ("7", 10)]
    broken = stream.lake.arrow("quarantine.silver__added").to_pylist()
    assert sorted(json.loads(row["row"])["id"] for row in broken) == ["2", "5"]
    broken = stream.lake.arrow("quarantine.gold__whole").to_pylist()
    assert [(json.loads(row["row"])["id"], row["reasons"]) for row in broken] == [("4", ["n:values_between"])]
    # Other code makes the table anew, in place of all its rows.
    stream.declare(TABLES.format(word="two"))
    stream.done()
    assert {row[1] for row in stream.table("silver.added", "id", "word")} == {"two"}
    assert len(stream.table("silver.added", "id")) == 5
    assert staged[2:] == ["silver.added", "gold.whole"]


def test_a_rule_that_fails_leaves_no_version_no_file_and_no_entry(stream, staged):
    stream.drop({"id": "1", "n": "1"})
    stream.done()
    before, good = files(stream, "silver.added"), refs.good(stream.lake)
    version = stream.lake.version("silver.added")
    stream.drop({"id": "2", "n": "7"}, {"id": "3", "n": "-4"})
    result = stream.run()
    error = next(step.error for step in result.steps if step.name == "silver.added")
    assert error["code"] == "LL-RULE-001" and "no sevens" in error["message"]
    assert (files(stream, "silver.added"), stream.lake.version("silver.added")) == (before, version)
    assert {table: refs.good(stream.lake)[table] for table in good if table != "bronze.changes"} == {
        table: at for table, at in good.items() if table != "bronze.changes"
    }
    assert not stream.lake.exists("quarantine.silver__added") and staged == []


def test_what_fails_after_the_files_were_written_is_written_once(stream, staged, monkeypatch):
    """The quarantine's commit stands and the table's does not: files are forgotten, and the next run makes both whole."""
    stream.drop({"id": "1", "n": "1"})
    stream.done()
    before = files(stream, "silver.added")
    stream.drop({"id": "2", "n": "2"}, {"id": "3", "n": "-4"})
    with monkeypatch.context() as broken:
        broken.setattr("lakeloom.flow.write.about", _failing("silver.added"))
        assert stream.run().status == "failed"
    assert files(stream, "silver.added") == before and staged == []
    assert stream.lake.arrow("quarantine.silver__added").num_rows == 1
    stream.done()
    assert [row[0] for row in stream.table("silver.added", "id")] == ["1", "2"]
    assert stream.lake.arrow("quarantine.silver__added").num_rows == 1
    assert staged[0] == "silver.added"


def _failing(table):
    from lakeloom.project.about import about

    def fails(project, name):
        if name == table:
            raise ValueError("of a test")
        return about(project, name)

    return fails


def test_a_value_that_can_not_be_parsed_goes_to_quarantine_with_its_reason(stream, staged):
    loose = TABLES.format(word="one").replace("try_cast(n as int) as n", "n")
    loose = loose.replace("    write:", "    clean: [{parse: {column: n, type: int}}]\n    write:")
    stream.declare(loose)
    stream.drop({"id": "1", "n": "1"})
    stream.done()
    stream.drop({"id": "2", "n": "many"}, {"id": "3", "n": "3"})
    done = stream.done()
    assert staged[0] == "silver.added"
    (row,) = stream.lake.arrow("quarantine.silver__added").to_pylist()
    assert json.loads(row["row"])["id"] == "2" and any("n" in reason for reason in row["reasons"])
    assert stream.table("silver.added", "id", "n") == [("1", 1), ("3", 3)]
    assert done["silver.added"].quarantined == 1
