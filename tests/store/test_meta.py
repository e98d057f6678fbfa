"""The platform's own tables: appended without a JVM, compacted before they are many small files."""

from datetime import UTC, datetime

from lakeloom.core.names import TableName
from lakeloom.store import meta

TABLE = TableName("meta", "steps")
COLUMNS = {"step": "string", "rows": "long", "seconds": "double", "ok": "boolean", "at": "timestamp"}


def test_rows_come_back_with_their_types_and_what_is_missing_is_null(lake):
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    meta.append(lake, TABLE, COLUMNS, [{"step": "a", "rows": 3, "seconds": 0.5, "ok": True, "at": at}, {"step": "b"}])
    assert sorted(meta.rows(lake, TABLE), key=lambda row: row["step"]) == [
        {"step": "a", "rows": 3, "seconds": 0.5, "ok": True, "at": at},
        {"step": "b", "rows": None, "seconds": None, "ok": None, "at": None},
    ]


def test_nothing_to_append_makes_no_table(lake):
    meta.append(lake, TABLE, COLUMNS, [])
    assert not lake.exists(TABLE)
    assert meta.rows(lake, TABLE) == []


def test_many_small_files_become_few_and_no_row_is_lost(lake, monkeypatch):
    monkeypatch.setattr(meta, "_COMPACT_AT", 5)
    for number in range(12):
        meta.append(lake, TABLE, COLUMNS, [{"step": f"s{number:02d}", "rows": number}])
    assert lake.size(TABLE).files <= 6
    assert sorted(row["rows"] for row in meta.rows(lake, TABLE)) == list(range(12))


def test_columns_that_came_later_are_added_and_older_rows_have_null_there(lake):
    meta.append(lake, TABLE, COLUMNS, [{"step": "old"}])
    meta.append(lake, TABLE, COLUMNS | {"tasks": "long"}, [{"step": "new", "tasks": 4}])
    meta.append(lake, TABLE, COLUMNS, [{"step": "older lakeloom"}])
    assert {row["step"]: row["tasks"] for row in meta.rows(lake, TABLE)} == {
        "old": None, "new": 4, "older lakeloom": None,
    }  # fmt: skip
