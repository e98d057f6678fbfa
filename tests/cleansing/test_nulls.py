"""NULL policies: what means nothing, what stands in, what must be there."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lakeloom.core.errors import CleansingError


def test_values_that_mean_nothing_become_null_by_choice(cleansed):
    data = [None, "", " ", "n/a", "N/A", "-", "0", "x", "é"]
    rows = [
        (number, text, text, text, float("nan") if number < 2 else 1.5, 0 if number < 3 else 7)
        for number, text in enumerate(data)
    ]
    verbs = [
        {"nullify": "a"},
        {"nullify": {"columns": ["b"], "values": ["n/a", "-"], "ignore_case": True}},
        {"nullify": {"columns": ["x", "n"], "values": [0], "nan": True}},
        {"nullify": {"columns": "*", "values": ["x"]}},
    ]
    out = cleansed(rows, "id int, a string, b string, c string, x double, n int", verbs)
    assert out.values("a") == [None, None, " ", "n/a", "N/A", "-", "0", None, "é"]
    assert out.values("b") == [None, "", " ", None, None, None, "0", None, "é"]
    assert out.values("c") == [None, "", " ", "n/a", "N/A", "-", "0", None, "é"]
    assert out.values("x") == [None, None, *[1.5] * 7] and out.values("n") == [None] * 3 + [7] * 6
    assert out.changed == {"1_nullify": 1, "2_nullify": 3, "3_nullify": 3, "4_nullify": 1}


def test_what_is_missing_is_filled_in_the_columns_type(cleansed):
    schema = (
        "id int, `or der` string, n tinyint, x float, c decimal(5,2), b boolean, d date, t timestamp, w timestamp_ntz"
    )
    fill = {
        "or der": "none",
        "n": -128,
        "x": 1,
        "C": 2.5,
        "b": False,
        "d": "2026-01-05",
        "t": "2026-01-05T10:00:00+01:00",
        "w": "2026-01-05 10:00:00",
    }
    out = cleansed(
        [(1, *[None] * 8), (2, "", 0, float("nan"), Decimal(0), True, date(2000, 1, 1), None, None)],
        schema,
        [{"fill": fill}],
    )
    moment, wall = datetime(2026, 1, 5, 9, tzinfo=UTC), datetime(2026, 1, 5, 10)
    row = out.rows[0]
    assert [row[name] for name in ("or der", "n", "x", "c", "b", "d", "w")] == [
        "none",
        -128,
        1.0,
        Decimal("2.50"),
        False,
        date(2026, 1, 5),
        wall,
    ]
    assert row["t"].astimezone(UTC) == out.rows[1]["t"].astimezone(UTC) == moment
    assert out.rows[1]["or der"] == "" and out.rows[1]["x"] != out.rows[1]["x"] and out.changed == {"1_fill": 2}


@pytest.mark.parametrize(
    "fill", [{"n": "x"}, {"n": 128}, {"n": 1.5}, {"n": True}, {"b": 1}, {"d": "soon"}, {"s": True}, {"a": "x"}]
)
def test_a_value_of_another_type_fills_nothing(cleansed, fill):
    with pytest.raises(CleansingError, match="is no value of it") as caught:
        cleansed([], "n tinyint, b boolean, d date, s string, a array<string>", [{"fill": fill}])
    assert caught.value.code == "LL-CLEAN-002"


def test_the_first_that_is_there_and_rows_that_lack_what_they_need(cleansed):
    rows = [(1, None, "b", "c"), (2, "a", None, None), (3, None, None, None)]
    verbs = [
        {"coalesce": {"columns": ["x", "y", "z"], "into": "best"}},
        {"coalesce": {"columns": ["z", "x"], "into": "x"}},
        {"require": ["Best", "y"]},
    ]
    out = cleansed(rows, "id int, x string, y string, z string", verbs)
    assert out.values("best") == ["b", "a", None] and out.values("x") == ["c", "a", None]
    assert out.faults == {2: ["require:y"], 3: ["require:Best", "require:y"]}
    assert out.changed == {"1_coalesce": 2, "2_coalesce": 1, "3_require": 0}
    with pytest.raises(CleansingError, match="not of one type"):
        cleansed([], "a int, b string", [{"coalesce": {"columns": ["a", "b"], "into": "c"}}])
