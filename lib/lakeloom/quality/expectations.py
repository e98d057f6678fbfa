"""The expectations that a rule can name: what each is called, takes and does with NULL.

Great-expectations' own names are taken beside short ones, so that a suite can be moved over line by
line. NULL follows great-expectations: a value check looks at non-NULL values only, and its shares
(``mostly``) are shares of those. Those that can't be said in Spark's own expressions run in
great-expectations itself, after the commit. Anything else is refused by name, with the nearest valid one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["row", "table"]
On = Literal["column", "columns", "pair", "table", "names", "any"]


@dataclass(frozen=True)
class Expectation:
    """What a rule may expect.

    Attributes
    ----------
    name : str
        The short name; it stands in rule names and reasons.
    official : str
        Great-expectations' name; empty for what only lakeloom has.
    scope : {'row', 'table'}
        Whether one row decides or the whole table.
    takes : tuple of str
        The arguments it understands.
    needs : tuple of str
        Those of which at least one must be given.
    on : {'column', 'columns', 'pair', 'table', 'names', 'any'}
        Whether it names one column, several, two, none, or lists names that need not be there.
    also : tuple of str
        Further short names.
    nulls : str
        What it does with NULL, in words for the guide.
    skips_null : bool
        True where NULL is no value to check, which ``nulls:`` may change.
    counts : bool
        Whether it counts rows, of which a share (``at_most``) may break it.
    compiled : bool
        False where great-expectations itself runs it.
    level : {'warn', 'fail'}
        What a table rule asks for where it says nothing.
    beyond : bool
        Whether it looks beyond the table: at another one, at the clock, or at what was before.
    """

    name: str
    official: str
    scope: Scope = "row"
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    on: On = "column"
    also: tuple[str, ...] = ()
    nulls: str = "skipped"
    skips_null: bool = False
    counts: bool = True
    compiled: bool = True
    level: Literal["warn", "fail"] = "fail"
    beyond: bool = False


def _value(name: str, official: str, takes: str = "", needs: str | None = None, also: str = "") -> Expectation:
    """Return an expectation on one value of a row, which skips NULL."""
    words = tuple(takes.split())
    wanted = words[:1] if needs is None else tuple(needs.split())
    return Expectation(name, official, "row", words, wanted, also=tuple(also.split()), skips_null=True)


def _figure(name: str, official: str, nulls: str = "skipped; without values it is broken") -> Expectation:
    """Return an expectation that holds a figure of a column against bounds."""
    return Expectation(name, official, "table", _BOUNDS, _MIN_MAX, nulls=nulls, counts=False)


_BOUNDS = ("min", "max", "strict_min", "strict_max")
_MIN_MAX = ("min", "max")
_HISTORY = ("threshold", "versions", "at_least", "floor")
_ALL = "a row of NULLs only is skipped (ignore:)"
_BOTH = "a row is skipped where both are NULL (ignore:)"
_SHAPE = "no rows are read"

# fmt: off
EXPECTATIONS: tuple[Expectation, ...] = (
    # one value of a row
    Expectation("values_between", "expect_column_values_to_be_between", "row", _BOUNDS, _MIN_MAX,
                also=("between",), skips_null=True),
    Expectation("not_null", "expect_column_values_to_not_be_null", also=("values_not_null",), nulls="broken"),
    Expectation("is_null", "expect_column_values_to_be_null", also=("values_null",), nulls="holds"),
    _value("in_set", "expect_column_values_to_be_in_set", "values", also="values_in_set"),
    _value("not_in_set", "expect_column_values_to_not_be_in_set", "values", also="values_not_in_set"),
    _value("match_regex", "expect_column_values_to_match_regex", "pattern", also="values_match_regex"),
    _value("not_match_regex", "expect_column_values_to_not_match_regex", "pattern"),
    _value("match_regex_list", "expect_column_values_to_match_regex_list", "patterns match_on"),
    _value("not_match_regex_list", "expect_column_values_to_not_match_regex_list", "patterns"),
    _value("match_like", "expect_column_values_to_match_like_pattern", "pattern escape"),
    _value("not_match_like", "expect_column_values_to_not_match_like_pattern", "pattern escape"),
    _value("match_like_list", "expect_column_values_to_match_like_pattern_list", "patterns match_on escape"),
    _value("not_match_like_list", "expect_column_values_to_not_match_like_pattern_list", "patterns escape"),
    Expectation("length_between", "expect_column_value_lengths_to_be_between", "row", _BOUNDS, _MIN_MAX,
                also=("value_lengths_between",), skips_null=True),
    _value("length_equals", "expect_column_value_lengths_to_equal", "value"),
    _value("json_parseable", "expect_column_values_to_be_json_parseable"),
    _value("date_parseable", "expect_column_values_to_be_dateutil_parseable"),
    _value("match_format", "expect_column_values_to_match_strftime_format", "format"),
    # several columns of a row
    Expectation("pair_equal", "expect_column_pair_values_to_be_equal", "row", ("ignore",), on="pair",
                nulls=_BOTH + "; one NULL is broken"),
    Expectation("pair_greater", "expect_column_pair_values_a_to_be_greater_than_b", "row", ("or_equal", "ignore"),
                on="pair", nulls=_BOTH + "; one NULL holds"),
    Expectation("pair_in_set", "expect_column_pair_values_to_be_in_set", "row", ("pairs", "ignore"), ("pairs",),
                on="pair", nulls=_BOTH + "; NULL may stand in a pair"),
    Expectation("columns_equal", "expect_multicolumn_values_to_be_equal", "row", ("ignore",), on="columns",
                nulls=_ALL + "; some NULLs are broken"),
    Expectation("columns_differ", "expect_select_column_values_to_be_unique_within_record", "row", ("ignore",),
                on="columns", nulls=_ALL + "; two NULLs are equal"),
    Expectation("columns_sum_to", "expect_multicolumn_sum_to_equal", "row", ("total", "ignore"), ("total",),
                on="columns", nulls=_ALL + "; NULL counts as 0"),
    # rows against the other rows
    Expectation("unique", "expect_column_values_to_be_unique", "table", also=("values_unique",)),
    Expectation("unique_together", "expect_compound_columns_to_be_unique", "table", ("ignore",), on="columns",
                also=("compound_columns_unique",), nulls=_ALL + "; NULLs are equal"),
    Expectation("z_score_below", "expect_column_value_z_scores_to_be_less_than", "table",
                ("threshold", "double_sided"), ("threshold",)),
    Expectation("not_outliers", "expect_column_values_to_not_be_outliers", "table", ("method", "multiplier")),
    Expectation("increasing", "expect_column_values_to_be_increasing", "table", ("strictly", "order_by"),
                ("order_by",)),
    Expectation("decreasing", "expect_column_values_to_be_decreasing", "table", ("strictly", "order_by"),
                ("order_by",)),
    # a figure of a column
    _figure("mean_between", "expect_column_mean_to_be_between"),
    _figure("median_between", "expect_column_median_to_be_between"),
    _figure("min_between", "expect_column_min_to_be_between"),
    _figure("max_between", "expect_column_max_to_be_between"),
    _figure("sum_between", "expect_column_sum_to_be_between"),
    _figure("stdev_between", "expect_column_stdev_to_be_between"),
    _figure("distinct_count_between", "expect_column_unique_value_count_to_be_between", "skipped"),
    _figure("unique_share_between", "expect_column_proportion_of_unique_values_to_be_between",
            "skipped; without values the share is 0"),
    _figure("non_null_share_between", "expect_column_proportion_of_non_null_values_to_be_between", "what is measured"),
    Expectation("quantiles_between", "expect_column_quantile_values_to_be_between", "table", ("quantiles",),
                ("quantiles",), nulls="skipped; without values it is broken", counts=False),
    # the values that occur
    Expectation("distinct_in_set", "expect_column_distinct_values_to_be_in_set", "table", ("values",), ("values",),
                counts=False),
    Expectation("distinct_contain_set", "expect_column_distinct_values_to_contain_set", "table", ("values",),
                ("values",), counts=False),
    Expectation("distinct_equal_set", "expect_column_distinct_values_to_equal_set", "table", ("values",),
                ("values",), counts=False),
    Expectation("most_common_in_set", "expect_column_most_common_value_to_be_in_set", "table", ("values", "ties"),
                ("values",), counts=False),
    # the table
    Expectation("row_count_between", "expect_table_row_count_to_be_between", "table", _BOUNDS, _MIN_MAX,
                on="table", nulls="counted", counts=False),
    Expectation("row_count_equals", "expect_table_row_count_to_equal", "table", ("value",), ("value",),
                on="table", nulls="counted", counts=False),
    Expectation("column_exists", "expect_column_to_exist", "table", ("index",), on="names", nulls=_SHAPE,
                counts=False),
    Expectation("column_type", "expect_column_type_to_be", "table", ("type",), ("type",), nulls=_SHAPE, counts=False),
    Expectation("of_type", "expect_column_values_to_be_of_type", "table", ("type",), ("type",), nulls=_SHAPE,
                counts=False),
    Expectation("in_type_list", "expect_column_values_to_be_in_type_list", "table", ("types",), ("types",),
                nulls=_SHAPE, counts=False),
    Expectation("column_count_between", "expect_table_column_count_to_be_between", "table", _MIN_MAX, _MIN_MAX,
                on="table", nulls=_SHAPE, counts=False),
    Expectation("column_count_equals", "expect_table_column_count_to_equal", "table", ("value",), ("value",),
                on="table", nulls=_SHAPE, counts=False),
    Expectation("columns_match_list", "expect_table_columns_to_match_ordered_list", "table", on="names",
                nulls=_SHAPE, counts=False),
    Expectation("columns_match_set", "expect_table_columns_to_match_set", "table", ("exact",), on="names",
                nulls=_SHAPE, counts=False),
    Expectation("no_unexpected_rows", "unexpected_rows_expectation", "table", ("query",), ("query",), on="table",
                nulls="as the query says", counts=False),
    # beyond the table: lakeloom's own
    Expectation("references", "", "row", ("to", "to_columns"), ("to",), on="any", beyond=True,
                nulls="a key with a NULL is skipped"),
    Expectation("reconciles", "", "table", ("to", "sums", "by", "tolerance", "relative"), ("to",), on="table",
                beyond=True, nulls="a sum without values is 0; NULL is a group"),
    Expectation("fresh", "", "table", ("within",), ("within",), counts=False, level="warn", beyond=True,
                nulls="skipped; without values it is broken"),
    Expectation("volume", "", "table", ("of", *_HISTORY), on="table", counts=False, level="warn", beyond=True,
                nulls="counted"),
    Expectation("distribution", "", "table", _HISTORY, counts=False, level="warn", beyond=True,
                nulls="its share is compared too"),
    # what great-expectations runs itself
    Expectation("match_json_schema", "expect_column_values_to_match_json_schema", "table", ("options",), ("options",),
                compiled=False),
    Expectation("kl_divergence_below", "expect_column_kl_divergence_to_be_less_than", "table",
                ("threshold", "min", "max", "options"), ("options",), counts=False, compiled=False),
)
# fmt: on

BY_NAME: dict[str, Expectation] = {
    name: expectation
    for expectation in EXPECTATIONS
    for name in (expectation.name, *filter(None, (expectation.official,)), *expectation.also)
}
# Great-expectations' names of what it can't do on Spark either, or what reads another data source: why not.
NOT_TAKEN: dict[str, str] = {
    "expect_table_row_count_to_equal_other_table": "write {expect: reconciles, to: <table>}",
    "expect_query_results_to_match_comparison": "it needs another data source; write {expect: reconciles} or a join",
    "expect_multicolumn_values_to_be_unique": "great-expectations withdrew it; write columns_differ",
    "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than": "great-expectations does not carry it out",
    "expect_column_chisquare_test_p_value_to_be_greater_than": "great-expectations does not carry it out",
    "expect_column_pair_cramers_phi_value_to_be_less_than": "great-expectations does not carry it out",
    "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than": (
        "great-expectations does not carry it out"
    ),
}
