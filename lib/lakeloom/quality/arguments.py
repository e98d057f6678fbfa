"""What a rule can say beside its expectation: bounds, sets, patterns …, in short words.

Great-expectations' names of the same arguments (`OFFICIAL`) are taken as well. Which expectation
understands which argument stands in `lakeloom.quality.expectations`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)

Bound = bool | int | float | str
Range = tuple[Bound | None, Bound | None]

# Great-expectations' name → the short one; what is the same in both is not listed.
OFFICIAL: dict[str, str] = {
    "min_value": "min",
    "max_value": "max",
    "value_set": "values",
    "regex": "pattern",
    "like_pattern": "pattern",
    "regex_list": "patterns",
    "like_pattern_list": "patterns",
    "strftime_format": "format",
    "column_list": "columns",
    "column_set": "columns",
    "column_index": "index",
    "type_": "type",
    "type_list": "types",
    "value_pairs_set": "pairs",
    "ignore_row_if": "ignore",
    "sum_total": "total",
    "ties_okay": "ties",
    "exact_match": "exact",
    "unexpected_rows_query": "query",
}
# What rules could say from the start; the others are left out of a dump where they are not given, so
# that a project's steps keep their code when a release brings new arguments.
_FIRST = ("min", "max", "strict_min", "strict_max", "values", "pattern")


def share(value: Any) -> Any:
    """Read ``1 %`` as 0.01; what is no such text is left to pydantic."""
    if isinstance(value, str) and value.rstrip().endswith("%"):
        try:
            return round(float(value.rstrip().removesuffix("%")) / 100, 12)
        except ValueError:
            return value
    return value


def _paired(value: Any) -> Any:
    """Read a list of names as pairs of the same."""
    return {str(name): str(name) for name in value} if isinstance(value, list | tuple) else value


_SHARE = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}], "examples": ["1 %"]}
Share = Annotated[float, BeforeValidator(share), Field(ge=0, le=1), WithJsonSchema(_SHARE)]


class Arguments(BaseModel):
    """The arguments of an expectation.

    Attributes
    ----------
    min, max : bound, optional
        Inclusive bounds, unless `strict_min` or `strict_max`; dates and times as ISO text.
    values : tuple, optional
        A set of values.
    value : int, optional
        The one length or count.
    pattern, patterns : str, tuple of str, optional
        Regular expressions, found anywhere in the value unless anchored; for LIKE a whole pattern.
    match_on : {'any', 'all'}
        How many of `patterns` must match.
    escape : str, optional
        The character that takes ``%`` and ``_`` literally; a backslash by default, as in Spark.
    format : str, optional
        A format of Python's ``strptime``.
    type, types : str, tuple of str, optional
        Spark types by the names of `pyspark.sql.types` (``LongType``) or of SQL (``bigint``).
    pairs : tuple of pairs, optional
        Allowed values of two columns; None stands for NULL.
    or_equal : bool
        Whether equal values are fine.
    ignore : str, optional
        Which rows of several columns are not looked at: where all or any of their values are NULL, or none.
    total : float, optional
        What the columns of a row sum up to.
    quantiles : dict, optional
        Quantile → its lowest and highest value, None without that bound.
    ties : bool
        Whether several values may be the most common one.
    exact : bool
        Whether no other column may be there.
    index : int, optional
        The column's place, from 0.
    threshold, double_sided : float, bool
        The largest z-score, and whether its sign does not matter.
    method, multiplier : {'iqr', 'std'}, float
        How outliers are told, and how many quartile distances or standard deviations are none.
    strictly, order_by : bool, str
        Whether equal neighbours are wrong; the column that says what the neighbour is.
    query : str, optional
        SQL whose rows are the unexpected ones; ``{batch}`` is the table, and it reads no other.
    to, to_columns : str, tuple of str
        Another table (``silver.customers``, or ``sources.orders`` for what lies at a JDBC source), and its
        columns that are the keys; those of the rule's own names by default.
    sums, by : dict
        Own columns → those of the other table: what is summed up, and by what both are grouped; a list where
        they are called the same.
    tolerance, relative : float
        How far two figures may be apart: as a number, and as a share of the other table's.
    within : str, optional
        How old the newest value may be, such as ``6 hours``.
    of : {'table', 'execution'}
        Whether the rows of the whole table count, or those that one execution wrote.
    versions, at_least : int
        With how many executions before it a figure is compared, and how many there must be.
    floor : float
        The smallest spread that counts, as a share: of the figure, or of the column's range.
    options : dict
        Further arguments, by great-expectations' names, of what runs in great-expectations itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: Bound | None = None
    max: Bound | None = None
    strict_min: bool = False
    strict_max: bool = False
    values: tuple[Bound, ...] | None = None
    value: int | None = None
    pattern: str | None = None
    patterns: tuple[str, ...] | None = Field(default=None, min_length=1)
    match_on: Literal["any", "all"] = "any"
    escape: str | None = Field(default=None, min_length=1, max_length=1)
    format: str | None = None
    type: str | None = None
    types: tuple[str, ...] | None = Field(default=None, min_length=1)
    pairs: tuple[Range, ...] | None = Field(default=None, min_length=1)
    or_equal: bool = False
    ignore: (
        Literal[
            "both_values_are_missing",
            "either_value_is_missing",
            "neither",
            "all_values_are_missing",
            "any_value_is_missing",
            "never",
        ]
        | None
    ) = None
    total: float | None = None
    quantiles: dict[Annotated[float, Field(ge=0, le=1)], Range] | None = Field(default=None, min_length=1)
    ties: bool = False
    exact: bool = True
    index: int | None = None
    threshold: float | None = None
    double_sided: bool = True
    method: Literal["iqr", "std"] = "iqr"
    multiplier: float = Field(default=1.5, ge=0)
    strictly: bool = False
    order_by: str | None = None
    query: str | None = None
    to: str | None = None
    to_columns: tuple[str, ...] = ()
    sums: Annotated[dict[str, str], BeforeValidator(_paired)] = {}
    by: Annotated[dict[str, str], BeforeValidator(_paired)] = {}
    tolerance: float = Field(default=0.0, ge=0)
    relative: Share = 0.0
    within: str | None = None
    of: Literal["table", "execution"] = "table"
    versions: int = Field(default=20, ge=2, le=1000)
    at_least: int = Field(default=5, ge=2)
    floor: Share = 0.05
    options: dict[str, Any] = {}

    @model_serializer(mode="wrap")
    def _said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dump: dict[str, Any] = handler(self)
        later = set(Arguments.model_fields) - set(_FIRST)
        return {key: value for key, value in dump.items() if key not in later or key in self.model_fields_set}


ARGUMENTS: tuple[str, ...] = tuple(Arguments.model_fields)


def in_short(data: dict[str, Any]) -> dict[str, Any]:
    """Return a rule's arguments under their short names.

    Raises
    ------
    ValueError
        Where an argument stands there twice, or a form of great-expectations' is malformed.
    """
    found = dict(data)
    for official, short in OFFICIAL.items():
        if official in found:
            if short in found:
                raise ValueError(f"'{official}' and '{short}' say the same; give one of them")
            found[short] = found.pop(official)
    if "column_A" in found or "column_B" in found:
        pair = [found.pop("column_A", None), found.pop("column_B", None)]
        if "columns" in found or None in pair:
            raise ValueError("a pair is 'column_A' and 'column_B', or 'columns'")
        found["columns"] = pair
    if "quantile_ranges" in found:
        found["quantiles"] = _quantiles(found.pop("quantile_ranges"))
    return found


def _quantiles(ranges: Any) -> dict[float, Any]:
    if isinstance(ranges, dict):
        quantiles, bounds = ranges.get("quantiles"), ranges.get("value_ranges")
        if isinstance(quantiles, list) and isinstance(bounds, list) and len(quantiles) == len(bounds):
            return dict(zip(quantiles, bounds, strict=True))
    raise ValueError("'quantile_ranges' has 'quantiles' and as many 'value_ranges'")
