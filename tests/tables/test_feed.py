"""Streams of changes in others' forms: what they say is taken, and what can't be goes to quarantine with its reason."""

import json

import pytest
from pydantic import ValidationError

from lakeloom.tables.feed import ChangesSpec, unwrapped
from lakeloom.tables.spec import ColumnSpec

COLUMNS = {
    "id": ColumnSpec(type="bigint"),
    "name": ColumnSpec(type="string"),
    "amount": ColumnSpec(type="decimal(10,2)"),
}
EVENTS = [
    {
        "before": None,
        "after": {"id": 1, "name": "Ada", "amount": "10.50"},
        "op": "c",
        "ts_ms": 1,
        "source": {"lsn": 11},
    },
    {
        "before": {"id": 1},
        "after": {"id": 1, "name": "Ada", "amount": "12.5"},
        "op": "u",
        "ts_ms": 2,
        "source": {"lsn": 12},
    },
    {"before": {"id": 1, "name": "Ada"}, "after": None, "op": "d", "ts_ms": 3, "source": {"lsn": 13}},
    {
        "before": None,
        "after": {"id": "two", "name": "Bo", "amount": "1.005"},
        "op": "r",
        "ts_ms": 4,
        "source": {"lsn": 14},
    },
    {"before": None, "after": None, "op": "u", "ts_ms": 5, "source": {"lsn": 15}},
    {"before": None, "after": None, "op": "t", "ts_ms": 6, "source": {"lsn": 16}},
    {"before": None, "after": {"id": 3, "name": None, "amount": None}, "op": "u", "ts_ms": None, "source": {}},
    {"before": None, "after": None, "op": None, "ts_ms": None, "source": None},
]
WANTED = [
    (1, "Ada", "10.50", 11, False, []),
    (1, "Ada", "12.50", 12, False, []),
    (1, "Ada", None, 13, True, []),
    (None, "Bo", None, 14, False, ["contract:id", "contract:amount"]),
    (None, None, None, 15, False, ["changes:row"]),
    (None, None, None, 16, False, ["changes:operation"]),
    (3, None, None, None, False, ["changes:sequence"]),
]


def rows(frame):
    def plain(value):
        return str(value) if value is not None else None

    return [
        (row["id"], row["name"], plain(row["amount"]), row["_sequence"], row["_deleted"], row["_faults"])
        for row in frame.orderBy("_n").collect()
    ]


def text(value):
    return None if value is None else json.dumps(value)


@pytest.mark.parametrize("form", ["json columns", "payload", "structs"])
def test_debezium_in_each_form_gives_the_same_rows(spark, form):
    spec = ChangesSpec(format="debezium", sequence="source.lsn")
    if form == "payload":
        data = [(n, text({"schema": {}, "payload": event})) for n, event in enumerate(EVENTS)]
        frame = spark.createDataFrame(data, "_n int, value string")
        frame = frame.selectExpr("_n", "get_json_object(value, '$.payload') as payload")
    else:
        data = [
            (n, text(e["before"]), text(e["after"]), e["op"], e["ts_ms"], text(e["source"]))
            for n, e in enumerate(EVENTS)
        ]
        frame = spark.createDataFrame(
            data, "_n int, before string, after string, op string, ts_ms bigint, source string"
        )
    if form == "structs":
        kind = "struct<id:string,name:string,amount:string>"
        frame = frame.selectExpr("_n", f"from_json(before, '{kind}') before", f"from_json(after, '{kind}') after",
                                 "op", "ts_ms", "from_json(source, 'struct<lsn:bigint>') source")  # fmt: skip
    assert rows(unwrapped(frame, spec, COLUMNS)) == WANTED


def test_by_default_the_order_is_the_time_of_the_connector(spark):
    event = EVENTS[1]
    frame = spark.createDataFrame([(text(event),)], "payload string")
    (row,) = unwrapped(frame, ChangesSpec.model_validate("debezium"), COLUMNS).collect()
    assert row["_sequence"] == event["ts_ms"]


def test_a_generic_stream_says_what_was_done_in_a_column_of_its_own(spark):
    data = [(1, "I", 5), (2, "X", 6), (3, None, 7), (4, "rm", 8), (5, "U", None)]
    spec = ChangesSpec(format="generic", operation="what", delete=("rm",), sequence="at")
    found = unwrapped(spark.createDataFrame(data, "id int, what string, at bigint"), spec, {})
    assert "what" not in found.columns
    assert [(r["id"], r["_deleted"], r["_sequence"], r["_faults"]) for r in found.orderBy("id").collect()] == [
        (1, False, 5, []), (2, False, 6, ["changes:operation"]), (3, False, 7, ["changes:operation"]), (4, True, 8, []),
        (5, False, None, ["changes:sequence"]),
    ]  # fmt: skip


def test_deltas_own_feed_has_no_images_of_before(spark):
    data = [(1, "insert", 3), (1, "update_preimage", 4), (2, "update_postimage", 4), (2, "delete", 5)]
    frame = spark.createDataFrame(data, "id int, _change_type string, _commit_version bigint")
    found = unwrapped(frame, ChangesSpec(format="delta"), {})
    assert sorted(tuple(row) for row in found.select("id", "_deleted", "_sequence").collect()) == [
        (1, False, 3), (2, False, 4), (2, True, 5),
    ]  # fmt: skip
    assert not [name for name in found.columns if name.startswith("_c")]


def test_an_unknown_form_is_refused():
    with pytest.raises(ValidationError):
        ChangesSpec.model_validate("maxwell")
