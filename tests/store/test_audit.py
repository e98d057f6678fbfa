"""The audit's chain: it tells all that became of refs, and whoever lays hands on it is found out."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from lakeloom.core.errors import LakeloomError
from lakeloom.store import audit, refs
from lakeloom.store.tags import tag, untag

AT = datetime(2026, 1, 5, 9, 12, 1, 123456, tzinfo=UTC)


@pytest.fixture
def told(lake):
    """Give a lake with five rows in its audit."""
    write_deltalake(lake.path("silver.a"), pa.table({"n": [1]}))
    refs.publish(lake, {"silver.a": 0, "quarantine.silver__a": 3}, step="silver.a", epoch=1, run="r1", at=AT)
    audit.note(lake)
    tag(lake, "first", {"silver.a": 0}, who="ada", at=AT)
    refs.publish(lake, {"silver.a": 2}, step="restore.silver.a", epoch=1, run="r2", at=AT + timedelta(hours=1))
    audit.note(lake, [{"at": AT, "who": "ada", "action": "branch", "detail": "work"}])
    return lake


def rewritten(lake, change):
    """Write the audit anew with changed rows, as somebody would who can write the files."""
    found = sorted(DeltaTable(lake.path(audit.TABLE)).to_pyarrow_table().to_pylist(), key=lambda row: row["order"])
    schema = DeltaTable(lake.path(audit.TABLE)).to_pyarrow_table().schema
    shutil.rmtree(lake.path(audit.TABLE))
    write_deltalake(lake.path(audit.TABLE), pa.Table.from_pylist(change(found), schema))


def test_each_change_of_a_ref_is_told_once_and_in_order(told):
    rows = audit.entries(told)
    assert [(row["action"], row["table"], row["version"], row["detail"]) for row in rows] == [
        ("publish", "quarantine.silver__a", 3, ""), ("publish", "silver.a", 0, ""), ("tag", "silver.a", 0, "first"),
        ("restore", "silver.a", 2, ""), ("branch", None, None, "work"),
    ]  # fmt: skip
    assert [row["order"] for row in rows] == [0, 1, 2, 3, 4] and rows[2]["who"] == "ada" and rows[1]["at"] == AT
    assert rows[0]["who"] and rows[3]["run"] == "r2"
    assert all(row["previous"] == before["hash"] for before, row in pairwise(rows))
    sound = audit.verify(told)
    assert (sound.broken, sound.rows, sound.pending, sound.head) == ("", 5, 0, rows[-1]["hash"])
    audit.note(told)
    assert len(audit.entries(told)) == 5


def test_what_a_killed_process_left_out_is_told_by_the_next_one(told):
    refs.publish(told, {"silver.a": 3}, step="silver.a", epoch=2, run="r3", at=AT)
    assert audit.verify(told).pending == 1
    assert audit.entries(told)[-1] | {"at": None} == dict.fromkeys(audit.COLUMNS) | {
        "who": audit.entries(told)[-1]["who"], "action": "publish", "table": "silver.a", "version": 3,
        "step": "silver.a", "epoch": 2, "run": "r3", "detail": "", "ref": 4,
    }  # fmt: skip
    untag(told, "first", who="ada", at=AT)
    audit.note(told)
    assert [row["action"] for row in audit.entries(told)[-2:]] == ["publish", "untag"]
    assert (audit.verify(told).pending, audit.verify(told).broken) == (0, "")


def test_many_files_are_put_together_and_the_chain_holds(told):
    DeltaTable(told.path(audit.TABLE)).optimize.compact()
    assert audit.verify(told).broken == ""


def test_no_engine_changes_or_deletes_a_row(told):
    table = DeltaTable(told.path(audit.TABLE))
    for change in (lambda: table.delete(), lambda: table.update(updates={"who": "'x'"})):
        with pytest.raises(CommitFailedError, match="append-only"):
            change()
    assert audit.verify(told).broken == ""


@pytest.mark.parametrize("column", ["who", "action", "table", "version", "at", "detail", "run", "hash", "previous"])
def test_a_row_that_was_changed_is_found(told, column):
    def change(rows):
        value = rows[1][column]
        rows[1][column] = (
            value + 1 if isinstance(value, int) else value + timedelta(1) if column == "at" else f"{value}x"
        )
        return rows

    rewritten(told, change)
    found = audit.verify(told)
    assert found.broken and found.at == 1 and not found.as_dict()["sound"]


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (lambda rows: rows[:2] + rows[3:], 2),
        (lambda rows: rows[1:], 0),
        (lambda rows: rows[:-1], 4),
        (lambda rows: [], 0),
        (lambda rows: [*rows, rows[-1]], 5),
    ],
)
def test_rows_that_were_taken_out_cut_off_or_put_in_are_found(told, change, at):
    rewritten(told, change)
    found = audit.verify(told)
    assert found.broken and found.at == at


def test_a_chain_that_was_made_anew_is_found_by_the_head(told):
    def forged(rows):
        previous = "0" * 64
        for row in rows:
            row["who"] = "nobody"
            row["previous"] = previous
            row["hash"] = previous = audit.digest(row)
        return rows

    rewritten(told, forged)
    assert "not the one that was written" in audit.verify(told).broken
    (told.root / "audit.json").unlink()
    assert "missing" in audit.verify(told).broken
    (told.root / "audit.json").write_text("{")
    with pytest.raises(LakeloomError) as caught:
        audit.verify(told)
    assert caught.value.code == "LL-STORE-005"


def test_refs_that_were_changed_are_found(told):
    table = DeltaTable(told.path(refs.TABLE))
    table.update(predicate="version = 0 AND name = 'good'", updates={"version": "1"})
    assert "meta.refs does not say" in audit.verify(told).broken


def test_of_an_empty_root_there_is_nothing_to_say(lake):
    audit.note(lake)
    assert audit.entries(lake) == [] and audit.verify(lake).broken == "" and not lake.exists(audit.TABLE)


def test_the_whole_table_is_missed(told):
    shutil.rmtree(told.path(audit.TABLE))
    assert audit.verify(told).at == 0
    assert json.loads((told.root / "audit.json").read_text())["order"] == 4
