"""Rules that raise: the rule is named, nothing is written or published by it, and no row's value is told."""

import json

import pytest

from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.t:
    from: {{bronze.changes: new}}
    sql: select id, cast(n as int) as n, v, _position from bronze.changes
    keys: [id]
    write: {{mode: merge, sequence_by: _position}}
    columns: {{id: string, n: int, v: string}}
    rules:
      - {{column: id, expect: not_null}}
      - {rule}
"""
ROW = {
    "division by zero": ("{sql: 10 / n > 1, name: odds}", "DIVIDE_BY_ZERO"),
    "cast": ("{sql: cast(v as int) > 0, name: odds}", "CAST_INVALID_INPUT"),
    "overflow": ("{sql: n * 2147483647 > 0, name: odds}", "ARITHMETIC_OVERFLOW"),
    "raise_error": ("{sql: assert_true(n > 0) is null, name: odds}", "USER_RAISED_EXCEPTION"),
}
TABLE = {
    "query": ("{expect: no_unexpected_rows, query: 'select 1 from {batch} where 10 / n > 100', name: odds}", "DIVIDE_BY_ZERO"),
}  # fmt: skip


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    made = Stream(tmp_path, {"id": "string", "n": "string", "v": "string"}, TABLES.format(rule="{sql: n < 1000}"))
    made.drop({"id": "1", "n": "5", "v": "6"})
    made.done()
    return made


def error(result, step="silver.t"):
    return next(each for each in result.steps if each.name == step).error


@pytest.mark.long
def test_a_rule_that_raises_is_named_and_mending_it_is_enough(stream):
    stream.drop({"id": "2", "n": "0", "v": "secret"}, {"id": "3", "n": "7", "v": "8"})
    for rule, kind in ROW.values():
        stream.declare(TABLES.format(rule=rule))
        found = error(stream.run())
        assert found["code"] == "LL-RULE-003" and "'odds'" in found["message"] and kind in found["message"], found
        assert "secret" not in json.dumps(found)
    stream.declare(TABLES.format(rule="{sql: 'n = 0 or 10 / n > 1', name: odds}"))
    stream.done()
    assert [row[0] for row in stream.table("silver.t", "id")] == ["1", "2", "3"]


def test_a_table_rule_that_raises_is_named_and_the_table_stays_at_its_last_good_version(stream):
    before = stream.table("silver.t", "id")
    stream.drop({"id": "2", "n": "0", "v": "secret"})
    for rule, kind in TABLE.values():
        stream.declare(TABLES.format(rule=rule))
        for _ in range(2):
            found = error(stream.run())
            assert found["code"] == "LL-RULE-003" and "'odds'" in found["message"] and kind in found["message"], found
            assert stream.table("silver.t", "id") == before
    stream.declare(TABLES.format(rule="{sql: n < 1000}"))
    stream.done()
    assert [row[0] for row in stream.table("silver.t", "id")] == ["1", "2"]


@pytest.mark.long
def test_a_transform_that_raises_is_not_taken_for_its_rules(stream):
    stream.declare(TABLES.format(rule="{sql: n < 1000, name: odds}"))
    stream.drop({"id": "2", "n": "secret", "v": "x"})
    found = error(stream.run())
    assert found["code"] == "LL-TABLE-005" and "secret" not in json.dumps(found)
