"""Values as people write them: each type takes text and its own kind of value, and refuses what would lose."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lakeloom.tables.literals import inferred, typed


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("string", 5, "5"), ("string", True, "true"), ("string", "05", "05"), ("string", None, None),
        ("bigint", "12", 12), ("int", 12.0, 12), ("integer", "-2147483648", -(2**31)), ("tinyint", 127, 127),
        ("double", "1e-4", 1e-4), ("double", 3, 3.0), ("float", "Infinity", float("inf")),
        ("boolean", "TRUE", True), ("boolean", False, False),
        ("decimal(10,2)", 1.2, Decimal("1.20")), ("decimal(10,2)", "1.20", Decimal("1.20")), ("decimal", 7, Decimal(7)),
        ("date", "2026-01-05", date(2026, 1, 5)),
        ("timestamp", "2026-01-05 09:12:00", datetime(2026, 1, 5, 9, 12, tzinfo=UTC)),
        ("timestamp", "2026-01-05T09:12:00-05:00", datetime(2026, 1, 5, 14, 12, tzinfo=UTC)),
        ("timestamp_ntz", "2026-01-05 09:12", datetime(2026, 1, 5, 9, 12)),
        ("binary", "/w==", b"\xff"),
        ("array<int>", ["1", None], [1, None]), ("map<string,double>", {"a": 1}, {"a": 1.0}),
        ("struct<a:int,b:array<date>>", {"b": ["2026-01-05"]}, {"a": None, "b": [date(2026, 1, 5)]}),
    ],
)  # fmt: skip
def test_values_become_what_the_table_holds(kind, value, wanted):
    found = typed(value, kind)
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("bigint", "soon", "'soon' is no bigint"), ("int", 1.5, "1.5 is no int"), ("int", True, "True is no int"),
        ("int", 2**31, "out of the range of int"), ("double", "x", "no double"), ("double", True, "no double"),
        ("boolean", 1, "1 is no boolean"), ("decimal(4,2)", 1.234, "no decimal"), ("decimal(4,2)", 123.45, "no decimal"),
        ("date", "2026-02-30", "no date"), ("timestamp", 5, "no timestamp"),
        ("timestamp_ntz", "2026-01-05T09:12:00Z", "no timestamp_ntz"), ("binary", "*", "no binary"),
        ("string", ["a"], "no string"), ("array<int>", 5, "no array<int>"), ("array<int>", ["x"], "'x' is no int"),
        ("struct<a:int>", {"b": 1}, "has no field b"), ("map<string,int>", [], "no map<string,int>"),
        ("interval day to second", "1", "no type"), ("nonsense", 1, "no type"),
    ],
)  # fmt: skip
def test_what_would_lose_something_is_refused(kind, value, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        typed(value, kind)


def test_types_are_inferred_where_there_is_no_contract():
    assert [inferred(values) for values in ([1, None], [1, 2.5], [True], ["a", 1], [None], [True, 1])] == [
        "bigint", "double", "boolean", "string", "string", "string",
    ]  # fmt: skip
