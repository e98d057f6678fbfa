"""Two versions of a table compared: against rows in Python, by both engines, and reading no file that both share."""

from collections import Counter
from pathlib import Path
from statistics import mean, median, stdev
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from lakeloom.core.errors import LakeloomError
from lakeloom.core.names import TableName
from lakeloom.flow.compare import compare
from lakeloom.store.between import Place, between
from lakeloom.store.excerpt import absolute
from lakeloom.store.lake import Lake
from lakeloom.tables.comparing import columns

T = TableName("silver", "t")
SCHEMA = pa.schema(
    [("k", pa.int64()), ("v", pa.string()), ("x", pa.float64()), ("s", pa.struct([("a", pa.int64())])),
     ("m", pa.map_(pa.string(), pa.int64())), ("e_mail", pa.string()), ("_run", pa.string()),
     ("p", pa.int64()), ("a", pa.int64())]
)  # fmt: skip


def row(k, v="a", run="r1", x=1.0):
    nested = {"s": {"a": 1}, "m": [("a", 1)]} if v else {"s": None, "m": None}
    return {"k": k, "v": v, "x": x, "e_mail": f"{v}@example.org", "_run": run, "p": 1, "a": 1} | nested


def put(lake, rows, mode="append", schema=SCHEMA, **options):
    write_deltalake(lake.path(T), pa.Table.from_pylist(rows, schema), mode=mode, **options)


def no_spark():
    raise AssertionError("Spark was started")


def compared(lake, before, after, keys=("k",), spark=no_spark, **options):
    return compare(Place(lake, T, before), Place(lake, T, after), keys, spark=spark, **options)


def facts(rows):
    """Return rows as what is compared of them."""
    return Counter((each["k"], each["v"], repr(each["x"]), bool(each["s"])) for each in rows)


ROWS = st.lists(
    st.builds(row, st.one_of(st.none(), st.integers(0, 5)), st.sampled_from(["a", "b", None]),
              st.sampled_from(["r1", "r2"]), st.sampled_from([0.5, float("nan"), None])),
    max_size=8,
)  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(kept=ROWS, before=ROWS, after=ROWS)
def test_what_differs_is_what_the_rows_say_with_keys_and_without(kept, before, after):
    """The rows of `kept` lie in a file that both versions have, the others are written anew."""
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        put(lake, before)
        put(lake, kept)
        put(lake, [*kept, *after], mode="overwrite")
        then, now = facts([*before, *kept]), facts([*kept, *after])
        came, went = now - then, then - now
        found = compared(lake, 1, 2, keys=())
        assert (found.added, found.removed, found.changed) == (came.total(), went.total(), None)
        keyed = compared(lake, 1, 2)
        by = [Counter(), Counter()]
        for side, rows in zip(by, (came, went), strict=True):
            for (key, *_), count in rows.items():
                side[key] += count
        changed = (by[0] & by[1]).total()
        assert (keyed.added, keyed.removed, keyed.changed) == (
            by[0].total() - changed,
            by[1].total() - changed,
            changed,
        )
        assert keyed.same is found.same is (then == now)
        assert (keyed.before["rows"], keyed.after["rows"]) == (then.total(), now.total())


@pytest.fixture
def grown(lake):
    """Give a table of three files: of the second a row changed, of the third nothing but who wrote it."""
    put(lake, [row(k) for k in range(10)])
    put(lake, [row(k) for k in range(10, 20)])
    put(lake, [row(k) for k in range(20, 30)])
    table = DeltaTable(lake.path(T))
    table.update(predicate="k = 13", updates={"v": "'b'", "x": "2.0", "e_mail": "'x'"})
    table.delete("k = 14")
    table.update(predicate="k = 23", updates={"_run": "'r2'"})
    put(lake, [row(99)])
    return lake


def test_rows_columns_and_values_that_differ_are_told(grown):
    found = compared(grown, 2, 6, hidden={"e_mail"}, examples=5)
    assert (found.added, found.removed, found.changed, found.same) == (1, 1, 1, False)
    assert found.columns == {"v": 1, "x": 1, "e_mail": 1}
    assert (found.before["rows"], found.after["rows"], found.engine) == (30, 30, "delta")
    assert found.spread["x"]["before"] == {"nulls": 0, "distinct": 1, "min": 1.0, "max": 1.0, "mean": 1.0}
    assert found.spread["x"]["after"] == {"nulls": 0, "distinct": 2, "min": 1.0, "max": 2.0, "mean": 1.5}
    assert found.spread["v"]["after"] == {"nulls": 0, "distinct": 2}
    assert [each["k"] for each in found.examples["added"]] == [99]
    assert [each["k"] for each in found.examples["removed"]] == [14]
    assert found.examples["changed"] == [{"key": {"k": 13}, "values": {"v": ["a", "b"], "x": [1.0, 2.0]}}]
    # Nothing of what may be personal, in whatever place.
    assert found.hidden == ("e_mail",) and "example.org" not in str(found.as_dict())
    assert found.spread["e_mail"]["after"] == {"nulls": 0, "distinct": 2}


@pytest.mark.parametrize("engine", ["delta", "spark"])
def test_the_distribution_of_all_rows_is_told_where_it_is_asked_for(grown, spark, engine):
    assert compared(grown, 2, 6).whole == {}
    found = compared(grown, 2, 6, hidden={"e_mail"}, whole=True, engine=engine, spark=lambda: spark)
    told = found.whole["k"]
    keys = {name: sorted(grown.arrow(T, version)["k"].to_pylist())
            for name, version in (("before", 2), ("after", 6))}  # fmt: skip
    assert keys["before"] != keys["after"]
    for name, rows in keys.items():
        assert (told[name]["nulls"], told[name]["min"], told[name]["max"]) == (0, rows[0], rows[-1])
        assert told[name]["mean"] == pytest.approx(mean(rows))
        assert told[name]["deviation"] == pytest.approx(stdev(rows))
        assert told[name]["median"] == pytest.approx(median(rows), abs=1)
        assert told[name]["distinct"] == pytest.approx(len(rows), rel=0.05)
    assert found.whole["x"]["after"]["max"] == 2.0  # of one row in thirty
    assert set(found.whole["v"]["after"]) == {"nulls", "distinct"}
    assert set(found.whole["e_mail"]["after"]) == {"nulls", "distinct"}
    assert found.read["files"] == found.before["files"] + found.after["files"]
    assert (found.spread, found.columns) == ((plain := compared(grown, 2, 6, hidden={"e_mail"})).spread, plain.columns)


def test_a_key_that_may_be_personal_is_not_shown_either(grown):
    found = compared(grown, 2, 6, keys=("e_mail", "k"), hidden={"e_mail"}, examples=5)
    assert "example.org" not in str(found.as_dict()) and [each["k"] for each in found.examples["added"]] == [13, 99]


def test_only_files_that_differ_are_read(grown):
    old, new = between(Place(grown, T, 2), Place(grown, T, 6))
    shared = {add["path"] for add in old.snapshot.adds.values()} & {add["path"] for add in new.snapshot.adds.values()}
    assert len(shared) == 1 and len(old.own) == 2
    # Without the file that both have, every row of it would be missing if it were read.
    [(Path(grown.path(T)) / path).unlink() for path in shared]
    found = compared(grown, 2, 6)
    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert found.read["files"] == len(old.own) + len(new.own) == 5
    # And of one that differs, the damage is told.
    (Path(grown.path(T)) / new.own[0]["path"]).unlink()
    with pytest.raises(LakeloomError) as caught:
        compared(grown, 2, 6)
    assert caught.value.code == "LL-STORE-005"


def test_what_only_moved_its_rows_to_other_files_differs_in_nothing(grown):
    DeltaTable(grown.path(T)).optimize.compact()
    found = compared(grown, 6, 7)
    assert (found.same, found.engine, found.read["files"]) == (True, "log", 0)
    back = compared(grown, 7, 2)  # over the compaction, and backwards
    assert (back.added, back.removed, back.changed) == (1, 1, 1)
    assert compared(grown, 5, 5).same


def test_columns_that_came_went_or_changed_their_type(lake):
    put(lake, [{"k": 1, "old": 1, "x": 1, "p": "1"}], schema=None)
    wanted = pa.schema([("k", pa.int64()), ("new", pa.string()), ("x", pa.float64()), ("p", pa.int64())])
    put(lake, [{"k": 1, "new": "a", "x": 1.0, "p": 1}, {"k": 2, "new": "b", "x": 2.0, "p": 2}], "overwrite", wanted,
        schema_mode="overwrite")  # fmt: skip
    found = compared(lake, 0, 1)
    assert (found.schema.added, found.schema.dropped) == ({"new": "string"}, {"old": "bigint"})
    assert found.schema.retyped == {"x": ("bigint", "double"), "p": ("string", "bigint")}
    # The values are the same ones, in another type.
    assert (found.added, found.removed, found.changed) == (1, 0, 0)
    # Keys that one version does not have tell no rows apart.
    assert compared(lake, 0, 1, keys=("new",)).keys == ()


def test_columns_of_different_kinds_are_not_compared():
    def told(name, kind):
        return {"name": name, "type": kind, "metadata": {}}

    nested = {"type": "struct", "fields": [told("a", "long")]}
    change, found = columns([told("k", "long"), told("s", nested)], [told("k", "long"), told("s", "string")], ("k",))
    assert [each.name for each in found] == ["k"]
    assert change.retyped == {"s": ("struct<a:bigint>", "string")}


def test_versions_that_were_vacuumed_are_refused(grown):
    from lakeloom.store.identity import identity
    from lakeloom.store.vacuumed import Vacuum, note

    note(grown.root, T, identity(grown, T), Vacuum("2026-01-01", ((2, 2),)))
    with pytest.raises(LakeloomError) as caught:
        compared(grown, 2, 6)
    assert caught.value.code == "LL-STORE-012"


def test_paths_in_a_log_become_addresses():
    assert absolute("p=a%20b/x.parquet", "/a b/t") == "file:///a%20b/t/p=a%20b/x.parquet"
    assert absolute("file:///x.parquet", "/t") == "file:///x.parquet"


def test_a_rename_is_told_also_where_columns_were_mapped_for_it():
    """Before that they have no ids; their names in the files stay as they were."""

    def mapped(name, file):
        return {"name": name, "type": "long", "metadata": {"delta.columnMapping.physicalName": file}}

    before = [{"name": "k", "type": "long", "metadata": {}}, {"name": "v", "type": "long", "metadata": {}}]
    change, found = columns(before, [mapped("k", "k"), mapped("w", "v"), mapped("x", "col-1")], ("k",))
    assert (change.renamed, change.added, change.dropped) == ({"v": "w"}, {"x": "bigint"}, {})
    assert [(each.before, each.name) for each in found] == [("k", "k"), ("v", "w")]


def test_deletion_vectors_renamed_columns_and_partitions_by_both_engines(lake, spark):
    """Written by Spark; read by deltalake and by Spark."""
    place = f"delta.`{lake.path(T)}`"
    spark.sql(
        f"CREATE TABLE {place} (k INT, v STRING, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES"
        " ('delta.enableDeletionVectors' = true, 'delta.columnMapping.mode' = 'name')"
    )
    spark.range(0, 100, 1, 1).selectExpr("cast(id as int) k", "'a' v", "if(id < 50, 'x y', null) p").write.format(
        "delta"
    ).mode("append").save(lake.path(T))
    spark.sql(f"DELETE FROM {place} WHERE k IN (1, 2)")  # 2
    spark.sql(f"UPDATE {place} SET v = 'b' WHERE k IN (3, 60)")  # 3
    spark.sql(f"ALTER TABLE {place} RENAME COLUMN v TO w")  # 4
    spark.sql(f"DELETE FROM {place} WHERE k = 4")  # 5
    assert any(add.get("deletionVector") for add in between(Place(lake, T, 1), Place(lake, T, 5))[1].own)
    for engine in ("delta", "spark"):
        found = compared(lake, 1, 5, engine=engine, spark=lambda: spark, examples=9)
        assert (found.added, found.removed, found.changed, found.engine) == (0, 3, 2, engine)
        assert found.schema.renamed == {"v": "w"} and found.columns == {"w": 2}
        assert found.examples["changed"][1] == {"key": {"k": 60}, "values": {"w": ["a", "b"]}}
        assert [each["k"] for each in found.examples["removed"]] == [1, 2, 4]
        assert (found.before["rows"], found.after["rows"]) == (100, 97)
        whole = compared(lake, 1, 5, engine=engine, spark=lambda: spark, whole=True).whole
        assert [whole["k"][side]["mean"] for side in ("before", "after")] == [49.5, (4950 - 7) / 97]
        assert set(whole) == {"k", "w", "p"} and whole["w"]["after"]["nulls"] == 0
    [file.unlink() for file in Path(lake.path(T)).rglob("deletion_vector_*.bin")]
    for read in (
        lambda: compared(lake, 1, 5, engine="delta"),
        lambda: compared(lake, 1, 5, engine="spark", spark=lambda: spark),
        lambda: lake.arrow(T, 5),
    ):
        with pytest.raises(LakeloomError) as caught:
            read()
        assert (caught.value.code, "deletion_vector_" in caught.value.message) == ("LL-STORE-005", True)


@pytest.mark.long
def test_what_deltalake_can_t_read_spark_does(lake, spark):
    place = f"delta.`{lake.path(T)}`"
    spark.sql(f"CREATE TABLE {place} (k INT, v VARIANT) USING delta")
    spark.sql(f"INSERT INTO {place} SELECT 3, parse_json('{{\"a\": 1}}')")
    found = compared(lake, 0, 1, spark=lambda: spark)
    assert (found.added, found.removed, found.changed, found.engine) == (1, 0, 0, "spark")
    with pytest.raises(LakeloomError) as caught:
        compared(lake, 0, 1, engine="delta")
    assert caught.value.code == "LL-STORE-009"
