"""Groups of rows that replace each other: the newest delivery of each stays, whatever comes together or late."""

import random

import pytest

from lakeloom.core.errors import TableError
from lakeloom.tables.replacing import need_order, newest_groups, not_overtaken, order_of
from lakeloom.tables.writing import WriteSpec

BY_DAY = WriteSpec(mode="replace", by=("day",))
SCHEMA = "day string, `the shop` string, seq int, v int"
BY = ("day", "the shop")


def plain(rows):
    """Return what the newest delivery of each group is, NULL older than all."""
    place = lambda row: (row[2] is not None, row[2] or 0)  # noqa: E731 - the order of deliveries
    newest = {}
    for row in rows:
        newest[row[:2]] = max(place(row), newest.get(row[:2], (False, 0)))
    return newest, lambda row: place(row) == newest[row[:2]]


def some(chance, count, most):
    groups = [(day, shop, chance.randint(1, most)) for day in (None, "a", "b") for shop in (None, "x")]
    told = ((*group, latest) for *group, latest in (chance.choice(groups) for _ in range(count)))
    return [(*group, chance.choice([None, latest, latest - 1]), at) for at, (*group, latest) in enumerate(told)]


def found(frame):
    return sorted((tuple(row) for row in frame.collect()), key=lambda row: row[3])


@pytest.mark.parametrize("seed", range(3))
def test_the_newest_delivery_of_each_group_stays_among_the_rows_and_in_the_table(spark, seed):
    chance = random.Random(seed)
    rows, there = some(chance, 30, 3), some(chance, 12, 4)
    frame = spark.createDataFrame(rows, SCHEMA)
    newest, stays = plain(rows)
    kept = [row for row in rows if stays(row)]
    assert found(newest_groups(frame, BY, "`seq`")) == kept
    held = plain(there)[0]
    fresh = [row for row in kept if newest[row[:2]] >= held.get(row[:2], (False, 0))]
    table = spark.createDataFrame(there, SCHEMA)
    assert found(not_overtaken(newest_groups(frame, BY, "`seq`"), table, BY, "`seq`")) == fresh
    assert 0 < len(fresh) < len(kept) < len(rows)


def test_the_order_is_named_or_that_of_landing_and_else_is_missed():
    named = BY_DAY.model_copy(update={"sequence_by": "the `day`"})
    assert order_of(named, {"bronze.a": "new"}, ()) == "`the ``day```"
    assert order_of(named.model_copy(update={"sequence_by": "_position"}), {}, ()) == "_position.epoch"
    assert order_of(BY_DAY, {"bronze.a": "new"}, ("_position",)) == "_position.epoch"
    # Landings of two tables are in no order; what is read whole is no delivery at all.
    assert order_of(BY_DAY, {"bronze.a": "new", "bronze.b": "new"}, ("_position",)) is None
    assert need_order(BY_DAY, {"silver.a": "whole"}, ("_position",), "silver.t") is None
    for reads in ({"bronze.a": "new"}, {"silver.a": "changes"}):
        with pytest.raises(TableError, match=r"two deliveries of day is the newer") as caught:
            need_order(BY_DAY, reads, ("day",), "silver.t")
        assert caught.value.code == "LL-TABLE-010" and "sequence_by" in caught.value.fix
