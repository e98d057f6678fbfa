"""Counts of bits are those of counting them one by one, two to a number, and never a number that ran over."""

import pytest
from pyspark.sql import functions as F

from lakeloom.quality.lanes import MOST, Bit, Lanes


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_each_bit_has_its_own_count(spark, number):
    bits = tuple(Bit(f"{word}_{at}", word, at) for at, word in [(0, "a"), (61, "a"), (2, "b"), (7, "a"), (0, "b")])
    lanes = Lanes(bits[:number])
    rows = spark.range(1000).selectExpr("xxhash64(id) & 4611686018427387903 as a", "xxhash64(id, 1) & 7 as b")
    plain = rows.agg(F.count("*").alias("n"), *[F.count_if(F.expr(f"{bit} = 1")).alias(bit.name) for bit in bits])
    told = plain.first().asDict()
    assert all(0 < told[bit.name] < 1000 for bit in bits)
    row = rows.agg(F.count("*").alias("n"), *lanes.aggregates()).first().asDict()
    assert len(row) == 1 + -(-number // 2)
    assert lanes.counts(row, 1000) == {bit.name: told[bit.name] for bit in lanes.bits}


def test_no_row_counts_as_none(spark):
    lanes = Lanes((Bit("one", "a", 0), Bit("other", "a", 1)))
    row = spark.range(0).selectExpr("id as a").agg(*lanes.aggregates()).first().asDict()
    assert lanes.counts(row, 0) == {"one": 0, "other": 0}


def test_as_many_rows_as_there_is_room_for_and_no_more(spark):
    lanes = Lanes((Bit("one", "a", 0), Bit("other", "a", 1)))
    full = MOST * (1 + (1 << 31))  # every row has both
    assert lanes.counts({"lanes_0": full}, MOST) == {"one": MOST, "other": MOST}
    assert lanes.counts({"lanes_0": full + 1 + (1 << 31)}, MOST + 1) is None
