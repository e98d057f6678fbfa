"""Codes: what they become, of which type, and what becomes of others."""

import pytest
from pydantic import ValidationError

from lakeloom.cleansing.spec import VerbSpec

CODES = {"A": "active", "i": "inactive", "": "none", "x`y": "odd", "gone": None}
DATA = [None, "A", "a", "i", "I", "", "x`y", "gone", "Z", " A", "é"]


def test_codes_become_what_they_stand_for_and_others_what_is_said(cleansed):
    kinds = ["quarantine", "null", "keep", "case"]
    verbs = [
        {
            "map": {
                "column": name,
                "values": CODES,
                "otherwise": name if name != "case" else "keep",
                "ignore_case": name == "case",
            }
        }
        for name in kinds
    ]
    rows = [(number, *[code] * 4) for number, code in enumerate(DATA)]
    out = cleansed(rows, "id int, quarantine string, `null` string, keep string, `case` string", verbs)
    strict = [None if code is None else CODES.get(code) for code in DATA]
    assert out.values("quarantine") == out.values("null") == strict
    assert out.values("keep") == [CODES.get(code, code) for code in DATA]
    lower = {code.lower(): value for code, value in CODES.items()}
    assert out.values("case") == [
        code if code is None or code.lower() not in lower else lower[code.lower()] for code in DATA
    ]
    others = {number for number, code in enumerate(DATA) if code is not None and code not in CODES}
    assert set(out.faults) == others and set(map(tuple, out.faults.values())) == {("map:quarantine",)}
    # "gone" is NULL by choice: a change and no fault; what went to quarantine or stayed is none.
    assert out.changed == {"1_map": 5, "2_map": 10, "3_map": 5, "4_map": 7}


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        ({"1": True, "2": False}, "boolean", [True, False, None]),
        ({"1": 10, "2": 20}, "bigint", [10, 20, None]),
        ({"1": 10, "2": 0.5}, "double", [10.0, 0.5, None]),
        ({"1": 10, "2": "x"}, "string", ["10", "x", None]),
    ],
)
def test_the_type_is_that_of_the_values_and_numbers_are_codes_too(cleansed, values, kind, wanted):
    out = cleansed(
        [(1, 1), (2, 2), (3, None)], "id int, n int", [{"map": {"column": "N", "values": values, "into": "made"}}]
    )
    assert out.values("made") == wanted and out.values("n") == [1, 2, None]
    assert {type(value) for value in wanted if value is not None} == {
        type(value) for value in out.values("made") if value is not None
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"values": {"1": 1}, "otherwise": "keep"}, "not text"),
        ({"values": {"a": "x", "A": "y"}, "ignore_case": True}, "by case only"),
    ],
)
def test_arguments_that_contradict_themselves(arguments, says):
    with pytest.raises(ValidationError, match=says):
        VerbSpec.model_validate({"map": {"column": "n"} | arguments})
