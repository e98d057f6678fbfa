"""Values of JSON read as text keep every digit that a decimal has room for, and nothing else changes."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from lakeloom.cleansing.json_texts import read_as, text_at, texts_of

LONG = "12345678901234567890.123456789"
DOCUMENTS = [
    '{"a": 1, "b": "two", "c": 1.5, "d": null, "e": {"z": 1, "a": [1, 2]}, "f": true}',
    '{"a": "12345678901234567890.10", "b": 123456789012345678901234567890123456789012345678}',
    '{"e": {"x": 1, "x": 12345678901234567.5}, "a": 1}',
    '{"a": "1.50", "b": "2013-01-01 00:00:00.0000000000"}',
    "[12345678901234567.89]",
    "12345678901234567.89",
    '{"a": 12345678901234567.89',
    "nonsense 12345678901234567.89",
    "",
    "{}",
    None,
]


def of(spark, texts, *columns):
    frame = spark.createDataFrame([(number, text) for number, text in enumerate(texts)], "n int, d string")
    return frame.select("n", *[each.alias(f"c{at}") for at, each in enumerate(columns)]).orderBy("n").collect()


def test_what_has_no_such_number_is_read_as_spark_reads_it(spark):
    plain = F.from_json("d", "map<string,string>")
    for row in of(
        spark, DOCUMENTS, texts_of(F.col("d")), plain, text_at(F.col("d"), "$.e"), F.get_json_object("d", "$.e")
    ):
        assert row["c0"] == row["c1"], DOCUMENTS[row["n"]]
        assert row["c2"] == row["c3"], DOCUMENTS[row["n"]]


@settings(max_examples=4, deadline=None)
@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**28), max_value=10**28), min_size=20
    )
)
def test_every_digit_of_a_decimal_is_kept_wherever_it_stands(spark, numbers):
    texts = [f'{{"a": {n:f}, "e": {{"x": [{n:f}], "y": "{n:f}"}}, "s": "{n:f}"}}' for n in numbers]
    d = F.col("d")
    kind = "struct<x:array<string>,y:string>"
    columns = texts_of(d), text_at(d, "$.a"), text_at(d, "$.e.x"), read_as(texts_of(d)["e"], kind)
    for row, number in zip(of(spark, texts, *columns), numbers, strict=True):
        assert Decimal(row["c0"]["a"]) == Decimal(row["c1"]) == number
        assert row["c0"]["s"] == row["c3"]["y"] == f"{number:f}"
        assert Decimal(row["c3"]["x"][0]) == number
        assert json.loads(row["c2"], parse_float=Decimal, parse_int=Decimal) == [number]


@pytest.mark.parametrize(
    "text", [f'{{"e": {{"x": {LONG}}}, "o": "}} 1.5"}}', f'{{"o": "}} 1.5", "e": {{"x": {LONG}}}}}']
)
def test_what_stands_beside_it_is_as_it_was(spark, text):
    (row,) = of(spark, [text], texts_of(F.col("d")))
    assert row["c0"] == {"e": f'{{"x":{LONG}}}', "o": "} 1.5"}


def test_a_document_of_another_kind_is_none(spark):
    rows = of(spark, ["[1]", f'{{"x": {LONG}}}', "nonsense"], read_as(F.col("d"), "struct<x:string>"))
    assert [row["c0"] and row["c0"]["x"] for row in rows] == [None, LONG, None]


def test_of_keys_that_repeat_the_first_counts_as_in_any_map_of_spark(spark):
    texts = ['{"a": 1, "a": 2}', '{"a": 1, "a": 12345678901234567}', '{"a": 1.5, "a": 12345678901234567.5}']
    for row in of(spark, texts, texts_of(F.col("d"))["a"], F.from_json("d", "map<string,string>")["a"]):
        assert row["c0"] == row["c1"] in ("1", "1.5")
