"""The one function that writes: exactly once for a step and epoch, whatever is repeated."""

from datetime import date
from decimal import Decimal

import pytest

from lakeloom.core.errors import StoreError, TableError
from lakeloom.core.names import TableName
from lakeloom.core.secrets import Secret
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Mark, commit, find, restore
from lakeloom.store.manner import Manner

TABLE = TableName("silver", "orders")
SCHEMA = "k int, part string, value string, seq bigint"


class Writer:
    """Commits rows, each time in a session of its own, as a step does."""

    def __init__(self, spark, lake):
        self.spark, self.lake = spark, lake

    def __call__(self, epoch, rows, mode="append", step="silver.orders", schema=SCHEMA, **options):
        with step_session(self.spark) as session:
            frame = session.createDataFrame(rows, schema)
            return commit(session, self.lake, TABLE, frame, Mark(step, epoch, {"run": "r"}), Manner(mode, **options))

    def rows(self, version=None):
        return sorted((tuple(row.values()) for row in self.lake.arrow(TABLE, version).to_pylist()), key=str)


@pytest.fixture
def write(spark, lake):
    return Writer(spark, lake)


def test_the_same_step_and_epoch_write_once_and_another_step_or_epoch_writes(write):
    assert not write(1, [(1, "a", "x", 1)]).already
    again = write(1, [(1, "a", "x", 1)])
    assert again.already and again.version == 0
    assert len(write.rows()) == 1
    assert write(1, [(2, "a", "x", 1)], step="silver.other").version == 1
    assert write(2, [(3, "a", "x", 1)]).version == 2
    assert write(1, [(9, "a", "late", 1)]).already  # an epoch that is over
    assert [row[0] for row in write.rows()] == [1, 2, 3]


def test_delta_itself_drops_a_second_write_that_did_not_see_the_first(write, lake, monkeypatch):
    write(1, [(1, "a", "x", 1)])
    monkeypatch.setattr(type(lake), "epoch", lambda *_: 0)
    assert write(1, [(1, "a", "x", 1)]).version == 0
    assert len(write.rows()) == 1


def test_a_merge_matches_null_keys_and_keeps_the_newer_row(write):
    how = {"mode": "merge", "keys": ("k", "part"), "sequence": "seq"}
    write(1, [(1, None, "old", 5), (None, None, "old", 5), (2, "b", "old", 5)], **how)
    write(2, [(1, None, "new", 6), (None, None, "stale", 4), (3, None, "first", 1)], **how)
    assert write.rows() == sorted(
        [(1, None, "new", 6), (None, None, "old", 5), (2, "b", "old", 5), (3, None, "first", 1)], key=str
    )
    assert write(2, [(1, None, "twice", 9)], **how).already


def test_a_merge_without_keys_is_refused(write):
    with pytest.raises(TableError) as caught:
        write(1, [(1, "a", "x", 1)], mode="merge")
    assert caught.value.code == "LL-TABLE-006"


def test_a_restore_is_not_taken_for_the_steps_commit(write, lake, spark):
    write(1, [(1, "a", "x", 1)])
    write(2, [(2, "a", "y", 1)])
    mark = Mark("silver.orders", 2, {"run": "r"})
    with step_session(spark) as session:
        assert restore(session, lake, TABLE, 0, mark) == 2
    assert [row[0] for row in write.rows()] == [1]
    assert find(lake, TABLE, "silver.orders", 2).version == 1
    assert lake.history(TABLE, 1)[0]["manifest"]["restored"] == 0
    assert write(3, [(3, "a", "z", 1)]).version == 3
    assert [row[0] for row in write.rows()] == [1, 3]


def test_columns_are_added_only_where_the_table_may_evolve(write):
    write(1, [(1, "a", "x", 1)])
    wider = SCHEMA + ", extra string"
    with pytest.raises(TableError, match="extra is not a column") as caught:
        write(2, [(2, "a", "y", 1, "e")], schema=wider)
    assert caught.value.code == "LL-TABLE-004"
    write(2, [(2, "a", "y", 1, "e")], schema=wider, evolve="add")
    assert write.rows() == [(1, "a", "x", 1, None), (2, "a", "y", 1, "e")]


NESTED = "k int, place struct<street:string>, items array<struct<sku:string>>, by_day map<string,struct<n:int>>"
MORE = (
    "k int, place struct<zip:string,street:string>, items array<struct<sku:string,price:double>>,"
    " by_day map<string,struct<n:int,at:date>>"
)
DAY = date(2026, 1, 1)


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_fields_are_added_inside_columns_and_rows_that_lack_them_are_taken(write, lake, mode):
    how = {"mode": mode} | ({"keys": ("k",)} if mode == "merge" else {})
    first, third = ((k, ("s",), [("a",)], {"x": (k,)}) for k in (1, 3))
    second = (2, ("z", "s"), [("a", 1.5), None], {"x": (2, DAY)})
    write(1, [first], schema=NESTED, **how)
    with pytest.raises(
        TableError, match=r"place\.zip is not a field of the table; items\.element\.price is not a field"
    ):
        write(2, [second], schema=MORE, **how)
    write(2, [second], schema=MORE, evolve="add", **how)
    write(3, [third], schema=NESTED, **how)
    assert lake.columns(TABLE) == {
        "k": "int", "place": "struct<street:string,zip:string>", "items": "array<struct<sku:string,price:double>>",
        "by_day": "map<string,struct<n:int,at:date>>",
    }  # fmt: skip

    def lacking(k):
        return (k, {"street": "s", "zip": None}, [{"sku": "a", "price": None}], [("x", {"n": k, "at": None})])

    rows = write.spark.read.format("delta").load(lake.path(TABLE)).orderBy("k").collect()
    full = (2, {"street": "s", "zip": "z"}, [{"sku": "a", "price": 1.5}, None], [("x", {"n": 2, "at": DAY})])
    found = [row.asDict(recursive=True) for row in rows]
    without_spark = sorted(lake.arrow(TABLE, columns=["k", "place", "items"]).to_pylist(), key=lambda row: row["k"])
    assert without_spark == [{name: row[name] for name in ("k", "place", "items")} for row in found]
    assert [(r["k"], r["place"], r["items"], list(r["by_day"].items())) for r in found] == [
        lacking(1),
        full,
        lacking(3),
    ]


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_types_are_widened_inside_columns_and_narrower_rows_are_taken(write, mode):
    how = {"mode": mode} | ({"keys": ("k",)} if mode == "merge" else {})
    narrow = "k int, place struct<no:int>, counts array<int>, by map<string,decimal(5,2)>"
    wide = "k int, place struct<no:bigint>, counts array<bigint>, by map<string,decimal(9,2)>"
    for epoch, kinds, count, amount in ((1, narrow, 1, "1.5"), (2, wide, 2**40, "123456"), (3, narrow, 3, "3.5")):
        row = (epoch, (count,), [count], {"x": Decimal(amount)})
        write(epoch, [row], schema=kinds, evolve="widen", **how)
    rows = write.spark.read.format("delta").load(write.lake.path(TABLE)).orderBy("k")
    assert [kind for _, kind in rows.dtypes] == [
        "int",
        "struct<no:bigint>",
        "array<bigint>",
        "map<string,decimal(9,2)>",
    ]
    assert [(r["place"]["no"], r["counts"], float(r["by"]["x"])) for r in rows.collect()] == [
        (1, [1], 1.5), (2**40, [2**40], 123456.0), (3, [3], 3.5),
    ]  # fmt: skip


def test_fields_in_another_order_keep_their_values(write):
    write(1, [(1, ("s", "z"))], schema="k int, place struct<street:string,zip:string>")
    write(2, [(2, ("Z", "S")), (3, None)], schema="k int, place struct<zip:string,street:string>")
    assert write.rows() == [
        (1, {"street": "s", "zip": "z"}), (2, {"street": "S", "zip": "Z"}), (3, None),
    ]  # fmt: skip


def test_fields_with_odd_names_stand_in_a_table_of_their_own_names(write):
    for epoch in (1, 2):
        write(epoch, [(epoch, ("s",))], schema="k int, place struct<`the street,`:string>")
    assert write.rows() == [(1, {"the street,": "s"}), (2, {"the street,": "s"})]


def test_a_commit_that_is_not_there_is_named_and_a_secret_reaches_no_log(write, lake, spark):
    word = Secret("heron-marble-47").reveal()
    with step_session(spark) as session:
        frame = session.createDataFrame([(1, "a", "x", 1)], SCHEMA)
        commit(session, lake, TABLE, frame, Mark("silver.orders", 1, {"note": word}), Manner("append"))
    with pytest.raises(StoreError) as caught:
        find(lake, TABLE, "silver.orders", 7)
    assert caught.value.code == "LL-STORE-005"
    log = (lake.root / "tables" / "silver" / "orders" / "_delta_log" / "00000000000000000000.json").read_text()
    assert word not in log and "***" in log
