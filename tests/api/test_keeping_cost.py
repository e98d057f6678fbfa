"""What history costs, against the files on the disk: who needs what, and what could go."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakeloom.api.keeping_cost import costs
from lakeloom.core.errors import LakeloomError
from lakeloom.store.identity import identity
from lakeloom.store.vacuumed import Vacuum, note


def of(lakehouse, table="silver.orders"):
    return next(each for each in lakehouse.history_cost() if each.table == table)


def test_bytes_beyond_the_newest_version_and_who_needs_them(lakehouse):
    files = {file.name: file.stat().st_size for file in Path(lakehouse.lake.path("silver.orders")).glob("*.parquet")}
    live = lakehouse.lake.size("silver.orders").bytes
    found = of(lakehouse)
    assert (found.version, found.versions, found.oldest) == (2, 3, 0)
    assert found.bytes == live and found.bytes + found.history_bytes == sum(files.values())
    assert found.history_files == 2 and found.pinned == (("1", "last good version"),)
    good = lakehouse.lake.size("silver.orders", 1).bytes
    assert found.free_bytes == found.history_bytes - good  # version 0 is nobody's
    lakehouse.tag("first", "silver.orders@0")
    pinned = of(lakehouse)
    assert pinned.free_bytes == 0 and ("0", "tag first") in pinned.pinned
    assert lakehouse.history_cost()[0].table == "silver.orders"  # the dearest first
    assert lakehouse.history_cost("quarantine.silver__orders")[0].history_bytes == 0


def test_what_was_vacuumed_costs_nothing_and_can_t_be_read(lakehouse):
    lake = lakehouse.lake
    note(lake.root, "silver.orders", identity(lake, "silver.orders"), Vacuum("2026-01-01", ((0, 0),)))
    uri = lake.delta("silver.orders", 0).file_uris()[0]
    Path(uri.removeprefix("file://")).unlink()
    found = of(lakehouse)
    assert (found.oldest, found.versions, found.free_bytes) == (1, 2, 0)


def test_a_table_that_is_not_there_is_named(lakehouse):
    with pytest.raises(LakeloomError) as caught:
        costs(lakehouse.lake, [], datetime.now(UTC), ["silver.order"])
    assert caught.value.code == "LL-STORE-001" and caught.value.fix == "use 'silver.orders'"
