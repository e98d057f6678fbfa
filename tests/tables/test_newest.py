"""One row a key: the greatest sequence, and the same one on every replay."""

import pytest

from lakeloom.tables.newest import newest, repeated

ROWS = [
    (1, 5, "old"),
    (1, 6, "new"),
    (2, 1, "x"),
    (2, 1, "y"),
    (2, 1, "z"),
    (None, 3, "n"),
    (None, 4, "m"),
    (3, None, "p"),
    (3, 0, "q"),
]


def chosen(spark, rows, sequence, parts):
    frame = spark.createDataFrame(rows, "k int, seq int, value string").repartition(parts)
    return sorted((tuple(row) for row in newest(frame, ("k",), sequence).collect()), key=str)


def test_the_greatest_sequence_wins_and_null_is_a_key_like_any_other(spark):
    found = {row[0]: row[2] for row in chosen(spark, ROWS, "seq", 1)}
    assert found[1] == "new" and found[None] == "m" and found[3] == "q"
    assert len(found) == 4


@pytest.mark.parametrize("sequence", ["seq", None])
def test_a_tie_is_broken_alike_in_every_order_of_arrival(spark, sequence):
    first = chosen(spark, ROWS, sequence, 1)
    assert chosen(spark, ROWS[::-1], sequence, 3) == first


def test_the_row_stays_whole(spark):
    assert all(row in ROWS for row in chosen(spark, ROWS, None, 2))


def test_rows_that_are_keys_alone_are_kept_once(spark):
    frame = spark.createDataFrame([(1,), (1,), (2,)], "k int")
    assert sorted(row.k for row in newest(frame, ("k",), None).collect()) == [1, 2]


@pytest.mark.parametrize(("keys", "wanted"), [(("k",), True), (("k", "value"), False), (("seq",), True)])
def test_a_repeated_key_is_seen(spark, keys, wanted):
    assert repeated(spark.createDataFrame(ROWS, "k int, seq int, value string"), keys) is wanted


def test_two_rows_whose_key_is_null_repeat_it(spark):
    assert repeated(spark.createDataFrame([(None, 1), (None, 2), (1, 3)], "k int, v int"), ("k",))
