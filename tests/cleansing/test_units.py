"""Units: every pair against exact fractions, other kinds refused, units by row."""

import math
from fractions import Fraction

import pytest
from pydantic import ValidationError

from lakeloom.cleansing.spec import VerbSpec
from lakeloom.cleansing.units import _ZERO, UNITS, Convert, factors
from lakeloom.core.errors import CleansingError

VALUES = [None, 0.0, 1.0, -40.0, 32.0, 98.6, 1e-9, 12345.678, -7.25, float("nan"), float("inf")]


def exact(value, source, target):
    units = next(units for units in UNITS.values() if source in units)
    return (Fraction(value) * units[source] + _ZERO.get(source, 0) - _ZERO.get(target, 0)) / units[target]


def test_every_pair_of_units_agrees_with_exact_fractions():
    pairs = 0
    for units in UNITS.values():
        for source in units:
            for target in units:
                times, plus, over = factors(source, target)
                for value in VALUES[1:9]:
                    got, true = (value * times + plus) / over, exact(value, source, target)
                    size = max(abs(Fraction(value) * units[source] / units[target]), abs(true))
                    assert abs(Fraction(got) - true) <= size * Fraction(4, 2**53), (source, target, value)
                pairs += 1
    assert pairs > 700


def test_no_unit_stands_in_two_kinds():
    names = [unit for units in UNITS.values() for unit in units]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("source", "target", "value", "wanted"),
    [
        ("lb", "kg", 1, 0.45359237), ("F", "C", 32, 0), ("F", "C", -40, -40), ("C", "K", 0, 273.15), ("F", "K", 0, 45967 / 180),
        ("mi", "km", 1, 1.609344), ("ft", "in", 1, 12), ("kn", "km/h", 1, 1.852), ("gal_us", "l", 1, 3.785411784), ("mph", "m/s", 1, 0.44704),
        ("acre", "m2", 1, 4046.8564224), ("floz_us", "ml", 1, 29.5735295625), ("KiB", "B", 1, 1024), ("st", "lb", 1, 14), ("hPa", "mbar", 7, 7),
    ],
)  # fmt: skip
def test_well_known_conversions_are_right_to_the_last_bit(source, target, value, wanted):
    times, plus, over = factors(source, target)
    assert (value * times + plus) / over == wanted


def test_converting_on_spark_and_counting(cleansed):
    rows = [(number, value, value, 3) for number, value in enumerate(VALUES)]
    verbs = [
        {"convert": {"column": "a b", "from": "F", "to": "C"}},
        {"convert": {"column": "x", "from": "lb", "to": "kg", "into": "kg"}},
        {"convert": {"column": "n", "from": "t", "to": "t"}},
    ]
    out = cleansed(rows, "id int, `a b` double, x double, n int", verbs)
    for number, value in enumerate(VALUES):
        row = out.rows[number]
        if value is None or not math.isfinite(value):
            assert str(row["a b"]) == str(row["kg"]) == str(value)
        else:
            assert row["a b"] == (value * 5 - 160) / 9 and row["kg"] == value * 45359237 / 100000000
        assert row["n"] == 3.0 and isinstance(row["n"], float)
    assert out.faults == {} and out.changed == {"1_convert": 7, "2_convert": 10, "3_convert": 11}


def test_each_row_in_its_own_unit_and_numbers_too_large(cleansed):
    rows = [
        (1, 1.0, "kg"),
        (2, 16.0, "oz"),
        (3, 1.0, "mile"),
        (4, 1.0, None),
        (5, None, "kg"),
        (6, 1.0, "m"),
        (7, 1e308, "ton_uk"),
    ]
    out = cleansed(
        rows, "id int, w double, unit string", [{"convert": {"column": "w", "from_column": "unit", "to": "lb"}}]
    )
    assert out.by_id("w") == {1: 1 / 0.45359237, 2: 1.0, 3: None, 4: None, 5: None, 6: None, 7: None}
    assert out.faults == {number: ["convert:w"] for number in (3, 4, 6, 7)}
    assert out.unread[4] == [("w", "1.0")] and out.changed == {"1_convert": 2}


@pytest.mark.parametrize(
    ("arguments", "says", "fix"),
    [
        ({"column": "w", "from": "lb", "to": "km"}, "'lb' is mass, 'km' is length", "convert to one of kg"),
        ({"column": "w", "from": "KG", "to": "lb"}, "'KG' is no unit", "use 'kg'"),
        ({"column": "w", "from": "furlong", "to": "m"}, "'furlong' is no unit", ""),
        ({"column": "w", "to": "m"}, "either 'from' or 'from_column'", "give one"),
    ],
)
def test_what_can_not_be_converted(arguments, says, fix):
    with pytest.raises(ValidationError) as caught:
        VerbSpec.model_validate({"convert": arguments})
    error = caught.value.errors()[0]["ctx"]["error"]
    assert error.code == "LL-CLEAN-001" and says in error.message and fix in error.fix


def test_texts_are_parsed_first(cleansed):
    with pytest.raises(CleansingError, match="'w' is string, no number") as caught:
        cleansed([("1",)], "w string", [{"convert": {"column": "w", "from": "lb", "to": "kg"}}])
    assert caught.value.fix == "parse it first" and Convert.name == "convert"
