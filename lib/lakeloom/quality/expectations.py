"""The expectations that a rule can name: what each is called, takes and does with NULL.

Great-expectations' own names are taken beside short ones, so that a suite can be moved over line by
line. NULL follows great-expectations: a value check looks at non-NULL values only, and its shares
(``mostly``) are shares of those. Anything else is refused by name, with the nearest valid one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["row", "table"]


@dataclass(frozen=True)
class Expectation:
    """What a rule may expect.

    Attributes
    ----------
    name : str
        The short name; it stands in rule names and reasons.
    official : str
        Great-expectations' name.
    scope : {'row', 'table'}
        Whether one row decides or the whole table.
    takes : tuple of str
        The arguments it understands.
    needs : tuple of str
        Those of which at least one must be given.
    on : {'column', 'columns', 'table'}
        Whether it names one column, several or none.
    also : tuple of str
        Further short names.
    skips_null : bool
        True where NULL is no value to check; great-expectations' rule for value checks.
    """

    name: str
    official: str
    scope: Scope
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    on: Literal["column", "columns", "table"] = "column"
    also: tuple[str, ...] = ()
    skips_null: bool = True


_BOUNDS = ("min", "max", "strict_min", "strict_max")
_MIN_MAX = ("min", "max")

EXPECTATIONS: tuple[Expectation, ...] = (
    Expectation("values_between", "expect_column_values_to_be_between", "row", _BOUNDS, _MIN_MAX, also=("between",)),
    Expectation("not_null", "expect_column_values_to_not_be_null", "row", also=("values_not_null",), skips_null=False),
    Expectation("is_null", "expect_column_values_to_be_null", "row", also=("values_null",), skips_null=False),
    Expectation(
        "in_set", "expect_column_values_to_be_in_set", "row", ("values",), ("values",), also=("values_in_set",)
    ),
    Expectation(
        "not_in_set",
        "expect_column_values_to_not_be_in_set",
        "row",
        ("values",),
        ("values",),
        also=("values_not_in_set",),
    ),
    Expectation(
        "match_regex",
        "expect_column_values_to_match_regex",
        "row",
        ("pattern",),
        ("pattern",),
        also=("values_match_regex",),
    ),
    Expectation("not_match_regex", "expect_column_values_to_not_match_regex", "row", ("pattern",), ("pattern",)),
    Expectation(
        "length_between",
        "expect_column_value_lengths_to_be_between",
        "row",
        _BOUNDS,
        _MIN_MAX,
        also=("value_lengths_between",),
    ),
    Expectation("unique", "expect_column_values_to_be_unique", "table", also=("values_unique",)),
    Expectation(
        "unique_together",
        "expect_compound_columns_to_be_unique",
        "table",
        on="columns",
        also=("compound_columns_unique",),
    ),
    Expectation("row_count_between", "expect_table_row_count_to_be_between", "table", _BOUNDS, _MIN_MAX, on="table"),
    Expectation("mean_between", "expect_column_mean_to_be_between", "table", _BOUNDS, _MIN_MAX),
    Expectation("min_between", "expect_column_min_to_be_between", "table", _BOUNDS, _MIN_MAX),
    Expectation("max_between", "expect_column_max_to_be_between", "table", _BOUNDS, _MIN_MAX),
    Expectation("sum_between", "expect_column_sum_to_be_between", "table", _BOUNDS, _MIN_MAX),
    Expectation("stdev_between", "expect_column_stdev_to_be_between", "table", _BOUNDS, _MIN_MAX),
    Expectation("distinct_count_between", "expect_column_unique_value_count_to_be_between", "table", _BOUNDS, _MIN_MAX),
)

BY_NAME: dict[str, Expectation] = {
    name: expectation
    for expectation in EXPECTATIONS
    for name in (expectation.name, expectation.official, *expectation.also)
}
