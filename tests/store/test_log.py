"""A table's log as it stands, against what Delta and delta-rs say of the same table."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from lakeloom.core.errors import StoreError
from lakeloom.store.foreign import foreign
from lakeloom.store.log import END, live, past, unchanged, vector_file


@pytest.fixture(scope="module")
def table(tmp_path_factory, spark):
    """Give a lake with a table of every kind of commit, with a checkpoint in the midst of its log."""
    from lakeloom.store.lake import Lake

    lake = Lake(tmp_path_factory.mktemp("log"))
    place = f"delta.`{lake.path('silver.t')}`"
    spark.sql(
        f"CREATE TABLE {place} (id BIGINT, day STRING) USING delta PARTITIONED BY (day) TBLPROPERTIES "
        "('delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true', "
        "'delta.checkpointInterval' = '3')"
    )
    spark.sql(f"INSERT INTO {place} SELECT id, if(id < 5, 'a b', 'c/ü') FROM range(10)")  # 1
    spark.sql(f"DELETE FROM {place} WHERE id IN (1, 7)")  # 2
    spark.sql(f"UPDATE {place} SET id = id + 100 WHERE id = 3")  # 3
    spark.sql(f"ALTER TABLE {place} SET TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'id')")  # 4
    spark.sql(f"OPTIMIZE {place}")  # 5
    spark.sql(f"DELETE FROM {place} WHERE id = 4")  # 6
    return lake


def test_the_live_files_of_every_version_are_those_of_delta_rs(table):
    for version in range(7):
        found = live(table, "silver.t", version)
        told = table.delta("silver.t", version).get_add_actions(flatten=True)
        assert sorted(each.size for each in found) == sorted(told.column("size_bytes").to_pylist())
        assert sum(each.rows - each.deleted for each in found) == table.size("silver.t", version).rows
        assert all((Path(table.path("silver.t")) / each.path).is_file() for each in found)
    assert {json.loads(each.partition)[0][1] for each in found} == {"a b", "c/ü"}


def test_when_files_came_and_went_is_what_the_versions_say(table):
    made = past(table, "silver.t")
    assert (made.begin, made.head) == (0, 6)
    for version in range(7):
        data = {path for path, spans in made.spans.items() if any(a <= version < b for a, b in spans)}
        assert {each.path for each in live(table, "silver.t", version)} == {p for p in data if p.endswith(".parquet")}
    vectors = [path for path in made.spans if path.endswith(".bin")]
    assert vectors and all((Path(table.path("silver.t")) / path).is_file() for path in [*vectors, *made.feeds])
    assert set(made.feeds.values()) == {3}
    assert list(made.times.values()) == sorted(made.times.values())


def test_only_commits_that_change_rows_count_as_a_change(table):
    assert unchanged(table, "silver.t", 3, 5)
    assert unchanged(table, "silver.t", 6, 6)
    assert not unchanged(table, "silver.t", 2, 5)  # an update among them
    assert not unchanged(table, "silver.t", 5, 6)
    assert not unchanged(table, "silver.t", 5, 4)
    assert not unchanged(table, "silver.t", 6, 7)  # not there


def test_commits_of_others_are_those_that_touch_rows(table):
    assert foreign(table, "silver.t", 0, 6) == [1, 2, 3, 6]  # neither the property nor OPTIMIZE
    assert foreign(table, "silver.t", 3, 5) == foreign(table, "silver.t", 6, 6) == []


def test_a_log_without_its_beginning_starts_at_its_checkpoint(table, tmp_path):
    import shutil

    from lakeloom.store.lake import Lake

    root = tmp_path / "copy"
    shutil.copytree(table.root, root)
    folder, lake = Path(root) / "tables/silver/t/_delta_log", Lake(root)
    for version in range(3):
        (folder / f"{version:020d}.json").unlink()
    made = past(lake, "silver.t")
    assert (made.begin, made.head) == (3, 6)
    assert {p for p, spans in made.spans.items() if any(b == END for _, b in spans) and p.endswith("parquet")} == {
        each.path for each in live(table, "silver.t", 6)
    }
    assert live(lake, "silver.t", 5) == live(table, "silver.t", 5)
    with pytest.raises(StoreError, match="lacks its commit"):
        live(lake, "silver.t", 2)
    for checkpoint in folder.glob("*.checkpoint.parquet"):
        checkpoint.unlink()
    with pytest.raises(StoreError, match="has a gap before version 3"):
        past(lake, "silver.t")


def test_a_damaged_commit_is_named(table, tmp_path):
    import shutil

    from lakeloom.store.lake import Lake

    root = tmp_path / "copy"
    shutil.copytree(table.root, root)
    (Path(root) / "tables/silver/t/_delta_log" / f"{5:020d}.json").write_text("{not json")
    with pytest.raises(StoreError) as caught:
        live(Lake(root), "silver.t", 5)
    assert caught.value.code == "LL-STORE-005" and "00005.json is damaged" in caught.value.message


def test_a_vectors_file_is_where_the_protocol_says():
    # The example of Delta's protocol: PROTOCOL.md, "Deletion Vector Descriptor Schema".
    mark = {"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": 4}
    assert vector_file(mark) == "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"
    assert (
        vector_file({"storageType": "i", "pathOrInlineDv": "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"})
        is None
    )
    assert vector_file(None) is None


def test_a_checkpoint_whose_files_stand_elsewhere_is_never_read_as_none(lake):
    write_deltalake(lake.path("silver.t"), pa.table({"n": [1]}))
    DeltaTable(lake.path("silver.t")).create_checkpoint()
    file = Path(lake.path("silver.t")) / "_delta_log" / f"{0:020d}.checkpoint.parquet"
    plain = pq.read_table(file)
    assert len(live(lake, "silver.t", 0)) == 1  # the column is there, and says nothing
    place = plain.column_names.index("sidecar")
    kind = plain.schema.field("sidecar").type
    named = pa.array([{"path": "x.parquet"}] + [None] * (plain.num_rows - 1), kind)
    pq.write_table(plain.set_column(place, "sidecar", named), file)
    with pytest.raises(StoreError) as caught:
        live(lake, "silver.t", 0)
    assert caught.value.code == "LL-STORE-005" and "sidecars" in caught.value.message
