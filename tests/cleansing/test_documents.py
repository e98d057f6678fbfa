"""JSON by a schema: what is read, what is malformed, what is kept of keys that nobody expected; and back."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from lakeloom.cleansing.spec import VerbSpec

TYPES = {"a": "int", "b c": "string", "t": "timestamp", "n": "struct<m:int,l:array<string>>"}
GOOD = {
    '{"a": 1, "b c": "x"}': (1, "x", None, None),
    ' {"a":1}\n': (1, None, None, None),
    "{}": (None,) * 4,
    '{"b c": null, "n": {"m": 2, "l": ["p", null]}}': (None, None, None, (2, ["p", None])),
    '{"b c": {"deep": [1]}}': (None, '{"deep":[1]}', None, None),
    '{"t": "2026-01-05T10:00:00"}': (None, None, datetime(2026, 1, 5, 10, tzinfo=UTC), None),
    '{"a": 1, "zz": {"q": [1, "}"]}, "A": null}': (1, None, None, None),
}
BAD = [
    "", " ", "x", "5", '"text"', "[1]", '[{"a":1}]', '{"a": 1', '{"a": "q"}', '{"a": 1.5}', '{"a": 3000000000}', '{"n": {"m": "q"}}', '{"t": "soon"}',
    '{"a":1}{"a":2}', '{"a":1},{"a":2}', '{"a":1} x', '{"a":1},"v":{"a":2}', '{"a":1}],[{"a":1}', "{'a': 1}", '{"a": NaN}', "nul", "tru",
]  # fmt: skip


def test_documents_are_read_by_their_schema_or_not_at_all(spark, cleansed):
    data = [None, "null", *GOOD, *BAD]
    verb = {"from_json": {"column": "doc", "schema": TYPES, "into": "made", "rescue": "rest"}}
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        out = cleansed(list(enumerate(data)), "id int, doc string", [verb])
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    for number, text in enumerate(data):
        row, made = out.rows[number], out.rows[number]["made"]
        if text in GOOD:
            read = (
                made["a"],
                made["b c"],
                made["t"] and made["t"].astimezone(UTC),
                made["n"] and (made["n"]["m"], made["n"]["l"]),
            )
            assert read == GOOD[text], text
        else:
            assert made is None, text
        assert row["doc"] == text
        assert row["rest"] == ({"zz": '{"q":[1,"}"]}', "A": None} if text and '"zz"' in text else None)
    bad = {number for number, text in enumerate(data) if text in BAD}
    assert {data[number] for number in bad ^ set(out.faults)} == set()
    assert set(map(tuple, out.faults.values())) == {("from_json:doc",)} and out.unread[data.index("x")] == [
        ("doc", "x")
    ]
    assert out.changed == {"1_from_json": len(GOOD)}


def test_a_document_may_be_an_array_and_what_follows_is_composed(cleansed):
    rows = [(1, '[{"sku": "a", "n": "2"}, {"sku": " b", "n": "x"}]'), (2, "[]"), (3, "{}")]
    verbs = [
        {"from_json": {"column": "items", "schema": "array<struct<sku:string,n:string>>"}},
        {"explode": "items"},
        {"flatten": "items"},
        {"trim": "items_sku"},
        {"parse": {"column": "items_n", "type": "int"}},
    ]
    out = cleansed(rows, "id int, items string", verbs)
    found = sorted((row["id"], row["items_sku"] or "", row["items_n"], tuple(row["_faults"])) for row in out.rows)
    assert found == [
        (1, "a", 2, ()),
        (1, "b", None, ("parse:items_n",)),
        (2, "", None, ()),
        (3, "", None, ("from_json:items",)),
    ]
    assert list(out.changed.values()) == [2, 1, 2, 1, 1]


def test_what_is_written_as_json_is_read_back(cleansed):
    rows = [(1, (5, ["x", None], None), "t"), (2, None, None), (3, (None, [], 'é"\\\n'), "")]
    kind = "struct<a:int,l:array<string>,s:string>"
    verbs = [
        {"to_json": {"columns": "s", "into": "text"}},
        {"to_json": {"columns": ["id", "t"], "into": "both"}},
        {"from_json": {"column": "text", "schema": kind}},
    ]
    out = cleansed(rows, f"id int, s {kind}, t string", verbs)
    assert out.values("text") == out.values("s") and not out.faults
    assert [json.loads(text) for text in out.values("both")] == [{"id": row[0], "t": row[2]} for row in rows]
    assert out.changed == {"1_to_json": 2, "2_to_json": 3, "3_from_json": 2}


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        ({"from_json": {"column": "a", "schema": {"b": "nubmer"}}}, "no Spark type"),
        ({"from_json": {"column": "a", "schema": "array<int"}}, "no Spark type"),
        ({"from_json": {"column": "a", "schema": "array<int>", "rescue": "b"}}, "schema of keys"),
        ({"to_json": ["a", "b"]}, "'into' is missing"),
    ],
)
def test_arguments_that_are_wrong(verb, says):
    with pytest.raises(ValidationError, match=says):
        VerbSpec.model_validate(verb)
