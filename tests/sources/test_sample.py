"""A share of a landing's rows, by hash: of a place, of columns; nested, whole where it is small."""

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.landing import BROKEN, Landing
from lakeloom.sources.sample import SMALL_ROWS, Sample, sampled

ROWS = 4 * SMALL_ROWS


@pytest.fixture(scope="module")
def landing(spark):
    """Give a landing of many rows of 2,000 customers, with broken records and a file that can't be read."""
    good = spark.range(ROWS).selectExpr(
        "id", "concat('c', id % 2000) as customer", "cast(null as string) as nothing",
        "'in/a.csv' as _file", "0 as _file_no", "id as _record",
    )  # fmt: skip
    records = spark.range(1000).selectExpr(
        "'x' as raw", "cast(null as binary) as bytes", "array('malformed') as reasons", "'in/a.csv' as _file",
        "0 as _file_no", "id as _record",
    )  # fmt: skip
    file = spark.sql(
        "select null as raw, X'00' as bytes, array('truncated') as reasons, 'in/b.csv' as _file, 1 as _file_no, 0L as _record"
    )
    return Landing(good, records.unionByName(file).selectExpr(*[f"cast({each.split()[0]} as {each.split(maxsplit=1)[1]}) as {each.split()[0]}" for each in BROKEN.split(", ")]))  # fmt: skip


def ids(frame):
    return {row[0] for row in frame.select("id").collect()}


def test_a_share_of_rows_is_the_same_each_time_and_lies_in_a_larger_one(landing):
    five, ten = (ids(sampled(landing, Sample(share, "rows")).good) for share in (0.05, 0.1))
    assert ids(sampled(landing, Sample(0.05, "rows")).good) == five < ten
    assert 0.045 * ROWS < len(five) < 0.055 * ROWS


def test_by_columns_all_rows_of_a_value_are_in_or_out_as_number_or_text(landing):
    found = sampled(landing, Sample(0.1, ("CUSTOMER",))).good
    counts = {row["customer"]: row["count"] for row in found.groupBy("customer").count().collect()}
    assert 140 < len(counts) < 260 and set(counts.values()) == {ROWS // 2000}
    numbers, texts = (
        {int(row[0]) for row in sampled(Landing(landing.good.selectExpr(f"cast(id as {kind}) as id", "_file", "_file_no", "_record"), None), Sample(0.1, ("id",))).good.select("id").collect()}
        for kind in ("int", "string")
    )  # fmt: skip
    assert numbers == texts


def test_rows_without_a_value_are_taken_one_by_one(landing):
    assert 0.08 * ROWS < sampled(landing, Sample(0.1, ("nothing",))).good.count() < 0.12 * ROWS


def test_broken_records_are_sampled_and_broken_files_kept(landing):
    broken = sampled(landing, Sample(0.1, ("customer",))).broken.collect()
    assert [row["_file"] for row in broken if row["bytes"] is not None] == ["in/b.csv"]
    assert 60 < len(broken) < 140


def test_without_a_word_a_small_batch_is_whole_and_a_large_one_goes_by_keys_or_rows(landing):
    small = Landing(landing.good.limit(SMALL_ROWS), None)
    assert sampled(small, Sample(0.1)) is small
    assert sampled(landing, Sample(0.1, "whole")) is landing
    assert ids(sampled(landing, Sample(0.1)).good) == ids(sampled(landing, Sample(0.1, "rows")).good)
    by_key = sampled(landing, Sample(0.1, None, ("customer",))).good
    assert ids(by_key) == ids(sampled(landing, Sample(0.1, ("customer",))).good)


def test_a_column_that_is_not_there_is_told(landing):
    with pytest.raises(SourceError) as caught:
        sampled(landing, Sample(0.1, ("custmer",)), "bronze.orders")
    assert (caught.value.code, caught.value.fix) == ("LL-SOURCE-003", "use 'customer'")
    assert caught.value.where == "bronze.orders"


def test_a_sample_stands_in_a_batch():
    for sample in (Sample(0.01), Sample(0.5, "rows"), Sample(0.5, ("a", "b"), ("k",))):
        assert Sample.of(sample.as_dict()) == sample
