"""Why a row is there, where the table has been restored, its columns renamed, or versions vacuumed since."""

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.errors import LakeloomError
from lakeloom.flow.restoring import restore_table
from lakeloom.store.identity import identity
from lakeloom.store.vacuumed import Vacuum, note
from tests.flow.stream import Stream

COLUMNS = {"id": "string", "amount": "bigint"}
TABLES = """\
tables:
  silver.orders:
    from: {bronze.changes: new}
    sql: select id, amount, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    on_change: forward
    columns: {id: string, amount: bigint}
  gold.sums:
    from: {silver.orders: whole}
    sql: select sum(amount) as total from silver.orders
    columns: {total: bigint}
"""


def renamed(old, new):
    text = TABLES.replace("id, amount,", f"id, amount as {new},").replace("sum(amount)", f"sum({new})")
    return text.replace("amount: bigint", f"{new}: {{type: bigint, renamed_from: {old}}}")


def told(stream, table, **key):
    """Return how well it is known, whether it was made again, and the bronze rows."""
    found = open_lakehouse(stream.home / "conf").why(table, key)
    (reason,) = found.rows
    return reason.level, reason.reproduced, [tuple(each["position"].values())[::2] for each in found.bronze]


@pytest.mark.long
def test_what_is_published_is_told_whatever_became_of_the_table_since(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    made = Stream(tmp_path, COLUMNS, TABLES)
    made.drop({"id": "a", "amount": 1}, {"id": "b", "amount": 2})
    made.done()
    made.drop({"id": "a", "amount": 10})
    made.done()
    assert told(made, "silver.orders", id="a") == ("rows", True, [(2, 0)])
    # Restored: by the version that is published again, not by the one that was undone.
    restore_table(made.project(), "silver.orders", "previous")
    assert told(made, "silver.orders", id="a") == ("rows", True, [(1, 0)])
    assert told(made, "silver.orders@1", id="a") == ("rows", True, [(2, 0)])
    assert told(made, "gold.sums", total="12") == ("rows", True, [(1, 1), (2, 0)])
    made.done("gold.*")
    assert told(made, "gold.sums", total="3") == ("rows", True, [(1, 0), (1, 1)])
    # Renamed by a run, and once more in the config alone.
    made.declare(renamed("amount", "paid"))
    made.drop({"id": "c", "amount": 7})
    made.done(allow_breaking=True)
    assert told(made, "silver.orders", id="b") == ("rows", True, [(1, 1)])
    made.declare(renamed("paid", "cost"))
    for version in ("@0", ""):
        assert told(made, f"silver.orders{version}", id="b") == ("rows", True, [(1, 1)])
    assert told(made, "silver.orders", id="c") == ("rows", True, [(3, 0)])
    assert told(made, "silver.orders@0", amount="2") == ("rows", True, [(1, 1)])
    assert told(made, "gold.sums@0", total="3") == ("rows", True, [(1, 0), (1, 1)])
    # Vacuumed: as vacuum notes it before it deletes the first file.
    for table, last in (("silver.orders", 1), ("bronze.changes", 0)):
        note(made.lake.root, table, identity(made.lake, table), Vacuum("2026-01-01", ((0, last),)))
    lake = open_lakehouse(made.home / "conf")
    (lost,) = lake.why("gold.sums@0", {"total": "3"}).rows
    assert (lost.level, lost.reproduced, lost.sources, lost.reads) == ("step", None, [], {"silver.orders": 0})
    assert "LL-STORE-012 silver.orders@0 was vacuumed" in lost.notes[0]
    assert "not known" in lost.notes[1]
    with pytest.raises(LakeloomError) as caught:
        lake.why("silver.orders@0", {"id": "b"})
    assert caught.value.code == "LL-STORE-012"
    # Bronze loses no row: what had landed by then is read where it still stands.
    (kept,) = lake.why("silver.orders", {"id": "b"}).rows
    assert (kept.reproduced, kept.sources[0].values["amount"]) == (True, 2)
    assert "bronze.changes@0 was vacuumed: it is read at version 2" in kept.sources[0].notes
