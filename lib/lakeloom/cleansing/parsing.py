"""Parsing: text → numbers, truth values, dates and times; strictly, so that nothing is read by half.

What Spark's casts let pass is refused here: ``12d`` and ``0x1p3`` as numbers, a double too large to be
one, digits that a decimal would round away, a time of day that becomes today's. Surrounding white space
is no part of a value. An empty text is no number and no time: `nullify` says where it means nothing.
How times are read stands in `lakeloom.cleansing.times`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lakeloom.cleansing import times
from lakeloom.cleansing.base import Arguments, Columns, Otherwise, Verb, found, has, refuse, spelled, unfit
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.cleansing.text import SPACES
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

WHOLE = ("tinyint", "smallint", "int", "bigint")
TIMES = ("date", "timestamp", "timestamp_ntz")
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_SYNONYMS = {"integer": "int", "long": "bigint", "bool": "boolean"}
_MOST_DIGITS = 38


def _type(value: str) -> str:
    kind = _SYNONYMS.get(value.strip().lower(), value.strip().lower().replace(" ", ""))
    digits = _DECIMAL.fullmatch(kind)
    if digits and 0 < int(digits[1]) <= _MOST_DIGITS and int(digits[2]) <= int(digits[1]):
        return kind
    known = (*WHOLE, "float", "double", "boolean", *TIMES)
    if kind not in known:
        raise refuse(f"'{value}' is no type to parse; there are {', '.join(known)}, decimal(p,s)", "use one of them")
    return kind


class ParseConfig(Arguments):
    """Arguments of ``parse``.

    Attributes
    ----------
    columns : tuple of str
        The text columns; ``column`` for a single one.
    type : str
        tinyint, smallint, int, bigint, float, double, decimal(p,s), boolean, date, timestamp or timestamp_ntz.
    formats : tuple of str
        Of dates and times: Spark's patterns, tried in this order, or ``unix`` and ``unix_ms``; ISO 8601 where absent.
    zone : str
        Of timestamps whose text names no zone: where they were written.
    gap : {'otherwise', 'shift'}
        What becomes of a time that the clocks jumped over in spring: none, or moved on by the jump.
    overlap : {'earlier', 'later', 'otherwise'}
        Which of two moments a time is that the clocks showed twice in autumn.
    decimal, group : str
        Of numbers: the sign before the fraction, and between the thousands.
    words : dict
        Of truth values: word → true or false, in whichever case; Spark's words (true, yes, y, t, 1 …) where absent.
    into : str, optional
        The column that gets the value; the text's own where absent.
    otherwise : {'quarantine', 'null', 'fail'}
        What becomes of a text that is none of the type.
    """

    short = ""
    columns: Columns = Field(alias="columns")
    type: Annotated[str, AfterValidator(_type)]
    formats: Columns | None = None
    zone: str = "UTC"
    gap: Literal["otherwise", "shift"] = "otherwise"
    overlap: Literal["earlier", "later", "otherwise"] = "earlier"
    decimal: Annotated[str, Field(min_length=1, max_length=1)] = "."
    group: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    words: dict[str, bool] | None = None
    into: str | None = None
    otherwise: Otherwise = "quarantine"

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        if isinstance(value, dict) and "column" in value and "columns" not in value:
            value = {("columns" if key == "column" else key): item for key, item in value.items()}
        return value

    @model_validator(mode="after")
    def _fits(self) -> ParseConfig:
        if self.into is not None and len(self.columns) > 1:
            raise refuse("'into' is one column, 'columns' are several", "leave 'into' out, or parse one column")
        number = self.type in WHOLE or self.type.startswith(("decimal", "float", "double"))
        allowed = {
            "formats": self.type in TIMES,
            "zone": self.type in ("timestamp", "date"),
            "gap": self.type == "timestamp",
            "overlap": self.type == "timestamp",
            "decimal": number,
            "group": number,
            "words": self.type == "boolean",
        }
        for name, fits in allowed.items():
            if name in self.model_fields_set and not fits:
                raise refuse(f"'{name}' says nothing about {self.type}", f"take {name} out")
        if self.decimal == self.group or any(
            sign.isalnum() or sign in "+-" for sign in (self.decimal, self.group or " ")
        ):
            raise refuse("'decimal' and 'group' are two signs, neither letters, digits nor + and -", "write , and .")
        times.require_zone(self.zone)
        for pattern in self.formats or ():
            times.require_pattern(pattern, self.type)
        return self


class Parse(Verb):
    """Read texts as another type."""

    Config = ParseConfig
    name = "parse"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the texts read."""
        from pyspark.sql import functions as F

        config: ParseConfig = self.config
        edits = []
        for asked in config.columns:
            name, kind = found(frame, asked)
            if kind == config.type and config.into is None:
                continue
            if kind not in ("string", *WHOLE, "float", "double", "boolean") and not kind.startswith("decimal"):
                raise unfit(f"column '{name}' is {kind}; parse reads texts and numbers", "take it out of columns")
            column = F.col(quoted(name))
            value = self.value(F.btrim(column.cast("string"), F.lit(SPACES)))
            fault = column.isNotNull() & value.isNull()
            into = spelled(frame, config.into or name)
            edits.append(Edit(into, value, fault, f"{self.name}:{asked}", name, config.otherwise))
        return edited(frame, edits, tally)

    def columns(self, before: Sequence[str]) -> list[str]:
        """Return the columns with the new one."""
        into = self.config.into
        return [*before, *([into] if into and not has(before, into) else [])]

    def value(self, text: Column) -> Column:
        """Return what a text without white space around it is read as; NULL where it is none."""
        config: ParseConfig = self.config
        if config.type in TIMES:
            return times.read(text, config.type, config.formats, config.zone, config.gap, config.overlap)
        if config.type == "boolean":
            return _truth(text, config.words)
        return _number(text, config.type, config.decimal, config.group)


def _truth(text: Column, words: dict[str, bool] | None) -> Column:
    from pyspark.sql import functions as F

    if words is None:
        return text.try_cast("boolean")
    lower = F.lower(text)
    yes = [word.lower() for word, meaning in words.items() if meaning]
    no = [word.lower() for word, meaning in words.items() if not meaning]
    return F.when(lower.isin(yes), F.lit(True)).when(lower.isin(no), F.lit(False))


def _number(text: Column, kind: str, decimal: str, group: str | None) -> Column:
    """Return the number that a text is, NULL where it is none or would not be the same in its type."""
    from pyspark.sql import functions as F

    point, comma = re.escape(decimal), re.escape(group) if group else ""
    whole = rf"(\d+|\d{{1,3}}(?:{comma}\d{{3}})+)" if group else r"(\d+)"
    shape = rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,4}})?$"
    plain = text
    if group:
        plain = F.replace(plain, F.lit(group), F.lit(""))
    if decimal != ".":
        plain = F.replace(plain, F.lit(decimal), F.lit("."))
    value = plain.try_cast(kind)
    holds = text.rlike(shape)
    if kind in ("float", "double"):
        named = text.rlike(r"^(?i:nan|[+-]?inf(inity)?)$")
        # A number too large for the type becomes infinite without a word.
        finite = ~value.isin(float("inf"), float("-inf"))
        return F.when(named | (holds & finite), value)
    digits = _DECIMAL.fullmatch(kind)
    return F.when(holds & (_places(plain) <= int(digits[2])), value) if digits else F.when(holds, value)


def _places(plain: Column) -> Column:
    """Return how many places after the point a number needs, without zeros at its end; 0 for zero itself."""
    from pyspark.sql import functions as F

    fraction = F.regexp_extract(plain, r"\.(\d*)", 1)
    digits = F.regexp_replace(F.regexp_replace(plain, r"[eE].*$", ""), r"[^\d]", "")
    kept = F.regexp_replace(digits, "0+$", "")
    exponent = F.coalesce(F.regexp_extract(plain, r"[eE]([+-]?\d+)$", 1).try_cast("int"), F.lit(0))
    return F.when(kept == "", 0).otherwise(F.length(fraction) - exponent - (F.length(digits) - F.length(kept)))
