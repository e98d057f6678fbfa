"""Codes: values by a table in the config, such as ``A`` → ``active``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from lakeloom.cleansing.base import Arguments, Verb, found, null_word, refuse, spelled, unfit
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Scalar = bool | int | float | str | None


class MapConfig(Arguments):
    """Arguments of ``map``.

    Attributes
    ----------
    column : str
    values : dict
        Code → value; a code is compared as text. ``null`` makes a code NULL by choice.
    ignore_case : bool
        Whether ``a`` is ``A``.
    into : str, optional
        The column that gets the value; the code's own where absent.
    otherwise : {'quarantine', 'null', 'fail', 'keep'}
        What becomes of a code that is not in `values`. NULL stays NULL.
    """

    short = ""
    column: str
    values: dict[str, Scalar] = Field(min_length=1)
    ignore_case: bool = False
    into: str | None = None
    otherwise: Annotated[Literal["quarantine", "null", "fail", "keep"], BeforeValidator(null_word)] = "quarantine"

    @model_validator(mode="after")
    def _fits(self) -> MapConfig:
        if self.otherwise == "keep" and kind_of(self.values) != "string":
            raise refuse("the values are not text, so other codes can't be kept beside them", "use another otherwise")
        if self.ignore_case and len({code.lower() for code in self.values}) < len(self.values):
            raise refuse("two codes differ by case only, which 'ignore_case' ignores", "keep one of them")
        return self


class Map(Verb):
    """Replace codes by what they stand for."""

    Config = MapConfig
    name = "map"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the codes replaced."""
        from pyspark.sql import functions as F

        config: MapConfig = self.config
        name, kind = found(frame, config.column)
        if kind.startswith(("array<", "map<", "struct<", "variant", "binary")):
            raise unfit(f"column '{name}' is {kind}, no code", "flatten or explode it first")
        column = F.col(quoted(name)).cast("string")
        of = kind_of(config.values)
        code = F.lower(column) if config.ignore_case else column
        table = {key.lower() if config.ignore_case else key: value for key, value in config.values.items()}
        pairs = [part for key, value in table.items() for part in (F.lit(key), F.lit(value).cast(of))]
        known = F.create_map(*pairs)
        hit = F.coalesce(F.map_contains_key(known, code), F.lit(False))
        value = F.when(hit, F.try_element_at(known, code))
        into = spelled(frame, config.into or name)
        if config.otherwise == "keep":
            return edited(frame, [Edit(into, F.when(hit, value).otherwise(column))], tally)
        fault = column.isNotNull() & ~hit
        edit = Edit(into, value, fault, f"{self.name}:{config.column}", name, config.otherwise)
        return edited(frame, [edit], tally)


def kind_of(values: Mapping[str, Any]) -> str:
    """Return the Spark type that all of the values have: boolean, bigint, double or string."""
    kinds = {type(value) for value in values.values() if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "bigint"
    return "double" if kinds and kinds <= {int, float} else "string"
