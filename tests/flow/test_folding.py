"""Updates that look at the row that stands, through a project: a build from scratch gives what the landings gave."""

import pytest

from tests.flow.stream import Stream

TABLES = """\
tables:
  silver.prices:
    from: {bronze.changes: new}
    sql: select id, v, cast(seq as int) as seq, first, op as _op, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: seq, keep: [first], update_when: new.v > old.v, delete_when: _op = 'D'}
    columns: {id: string, v: int, seq: int, first: string}
"""


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return Stream(tmp_path, {"id": "string", "v": "int", "seq": "int", "first": "string", "op": "string"}, TABLES)


def row(key, value, seq, first, op="U"):
    return {"id": key, "v": value, "seq": seq, "first": first, "op": op}


def test_what_is_kept_and_refused_is_so_in_one_batch_in_several_and_from_scratch(stream):
    stream.drop(row("a", 1, 1, "one"), row("a", 3, 2, "two"), row("b", 5, 1, "one"), row("c", 1, 1, "one"))
    stream.done()
    first = [("a", 3, 2, "one"), ("b", 5, 1, "one"), ("c", 1, 1, "one")]
    assert stream.table("silver.prices", "id", "v", "seq", "first") == first
    # Too small, late, gone and come again, refused beside one that is not, new.
    stream.drop(row("b", 4, 2, "two"), row("a", 9, 1, "late"), row("c", 0, 2, "-", "D"), row("c", 1, 3, "again"),
                row("d", 2, 1, "one"), row("d", 1, 2, "two"), row("d", 3, 3, "three"))  # fmt: skip
    stream.done()
    stream.drop(row("c", 7, 2, "late"), row("a", None, 7, "null"))
    stream.done()
    expected = [("a", 3, 2, "one"), ("b", 5, 1, "one"), ("c", 1, 3, "again"), ("d", 3, 3, "one")]
    assert stream.table("silver.prices", "id", "v", "seq", "first") == expected
    stream.done("silver.*", full_refresh=True)
    assert stream.table("silver.prices", "id", "v", "seq", "first") == expected
