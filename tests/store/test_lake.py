"""The tables under a root: which versions there are, and which paths are refused."""

import json
import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeloom.core.errors import LakeloomError, StoreError
from lakeloom.core.names import TableRef

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def put(lake, table, *batches):
    for batch in batches:
        write_deltalake(lake.path(table), pa.table({"n": batch}), mode="append")


def test_a_version_is_what_stood_there_then(lake):
    put(lake, "gold.t", [1], [2, 3])
    assert lake.version("gold.t") == 1
    assert lake.arrow("gold.t", 0).to_pylist() == [{"n": 1}]
    assert (lake.size("gold.t", 0).rows, lake.size("gold.t").rows) == (1, 3)
    assert lake.columns("gold.t") == {"n": "bigint"}
    assert lake.resolve(TableRef.parse("gold.t"), 0) == 0
    assert lake.resolve(TableRef.parse("gold.t@1"), 0) == 1


@pytest.mark.parametrize(
    ("table", "version", "code"), [("gold.u", None, "LL-STORE-001"), ("gold.t", 9, "LL-STORE-002")]
)
def test_what_is_not_there_is_named(lake, table, version, code):
    put(lake, "gold.t", [1])
    with pytest.raises(StoreError) as caught:
        lake.arrow(table, version)
    assert caught.value.code == code


def test_a_damaged_log_is_named(lake):
    put(lake, "gold.t", [1])
    (lake.root / "tables" / "gold" / "t" / "_delta_log" / "00000000000000000000.json").write_text("{broken")
    with pytest.raises(StoreError) as caught:
        lake.version("gold.t")
    assert caught.value.code == "LL-STORE-005"


def test_a_table_behind_a_link_out_of_the_root_is_refused(lake, tmp_path):
    put(lake, "gold.t", [1])
    (tmp_path / "elsewhere").mkdir()
    (lake.root / "tables" / "gold" / "out").symlink_to(tmp_path / "elsewhere")
    for ask in (lake.path, lake.exists, lake.version):
        with pytest.raises(StoreError) as caught:
            ask("gold.out")
        assert caught.value.code == "LL-STORE-003"


@pytest.mark.parametrize(
    "name", ["gold.../../x", "gold.a/b", "silver.`x`", "gold.x;drop", "nowhere.t", "gold.", "gold"]
)
def test_a_name_that_could_be_a_path_or_sql_is_refused(lake, name):
    with pytest.raises(LakeloomError) as caught:
        lake.path(name)
    assert caught.value.code == "LL-TABLE-001"


def written_at(lake, table, *hours):
    """Let the commits of a table say that they were written so many hours after `DAY`."""
    for version, after in enumerate(hours):
        file = lake.root / "tables" / table.replace(".", "/") / "_delta_log" / f"{version:020d}.json"
        entries = [json.loads(line) for line in file.read_text().splitlines()]
        for entry in entries:
            if "commitInfo" in entry:
                entry["commitInfo"]["timestamp"] = int((DAY + timedelta(hours=after)).timestamp() * 1000)
        file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


@pytest.mark.parametrize("seed", range(5))
def test_a_time_means_the_newest_version_that_was_there_also_where_the_clock_went_back(lake, seed):
    chance = random.Random(seed)
    hours = [chance.randint(0, 12) for _ in range(6)]
    for _ in hours:
        put(lake, "gold.t", [1])
    written_at(lake, "gold.t", *hours)
    for half in range(-1, 26, 3):
        at = DAY + timedelta(minutes=30 * half + 10)
        there = [version for version in range(6) if DAY + timedelta(hours=max(hours[: version + 1])) <= at]
        if there:
            assert lake.delta("gold.t", at).version() == max(there)
            continue
        with pytest.raises(StoreError) as caught:
            lake.delta("gold.t", at)
        assert caught.value.code == "LL-STORE-002" and "was not there" in caught.value.message
