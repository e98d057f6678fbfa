"""NULL: values that mean nothing, values for those that are missing, columns that must be there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from pydantic import Field

from lakeloom.cleansing.base import ALL, Arguments, Columns, Verb, found, spelled, texts, unfit
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.core.names import quoted
from lakeloom.quality.columns import NUMBERS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Scalar = bool | int | float | str


class NullifyConfig(Arguments):
    """Arguments of ``nullify``.

    Attributes
    ----------
    columns : tuple of str
        ``*`` for every text column.
    values : tuple
        What means nothing, compared as text; the empty text where absent.
    ignore_case : bool
        Whether ``n/a`` is ``N/A``.
    nan : bool
        Whether NaN in columns of doubles and floats means nothing too.
    """

    columns: Columns
    values: tuple[str | int | float, ...] = ("",)
    ignore_case: bool = False
    nan: bool = False


class Nullify(Verb):
    """Make NULL of values that mean nothing, such as ``n/a``."""

    Config = NullifyConfig
    name = "nullify"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with NULL for those values."""
        from pyspark.sql import functions as F

        config: NullifyConfig = self.config
        nothing = [str(value).lower() if config.ignore_case else str(value) for value in config.values]
        edits = []
        for asked in texts(frame, [ALL]) if ALL in config.columns else config.columns:
            name, kind = found(frame, asked)
            column = F.col(quoted(name))
            if kind.startswith(("array<", "map<", "struct<", "variant", "binary")):
                raise unfit(f"column '{name}' is {kind}, which holds no single value", "take it out of columns")
            text = column.cast("string")
            gone = (F.lower(text) if config.ignore_case else text).isin(nothing)
            if config.nan and kind in ("float", "double"):
                gone = gone | F.isnan(column)
            edits.append(Edit(name, F.when(~gone, column)))
        return edited(frame, edits, tally)


class FillConfig(Arguments):
    """Arguments of ``fill``.

    Attributes
    ----------
    values : dict
        Column → what stands where it is NULL; dates and times as ISO text.
    """

    short = ""
    table = "values"
    values: dict[str, Scalar] = Field(min_length=1)


class Fill(Verb):
    """Put a value where there is none."""

    Config = FillConfig
    name = "fill"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the values filled in."""
        from pyspark.sql import functions as F

        edits = []
        for asked, value in self.config.values.items():
            name, kind = found(frame, asked)
            edits.append(Edit(name, F.coalesce(F.col(quoted(name)), _literal(name, value, kind))))
        return edited(frame, edits, tally)

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the columns to be filled."""
        return tuple((name, name) for name in self.config.values)


def _literal(name: str, value: Scalar, kind: str) -> Column:
    from pyspark.sql import functions as F

    def fits() -> bool:
        if kind == "string":
            return not isinstance(value, bool)
        if kind == "boolean":
            return isinstance(value, bool)
        if kind in ("date", "timestamp", "timestamp_ntz"):
            return isinstance(value, str) and _is_iso(value, kind)
        if kind in ("tinyint", "smallint", "int", "bigint"):
            bits = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}[kind]
            return isinstance(value, int) and not isinstance(value, bool) and -(2**bits) <= value < 2**bits
        return kind.partition("(")[0] in NUMBERS and isinstance(value, int | float) and not isinstance(value, bool)

    if not fits():
        given = type(value).__name__
        raise unfit(f"column '{name}' is {kind}; a {given} of the verb is no value of it", "mend the value")
    if kind == "timestamp":  # without a zone it is UTC, whatever the session's zone is
        moment = datetime.fromisoformat(str(value))
        return F.lit((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()).cast(kind)
    return F.lit(str(value) if kind.startswith("decimal") else value).cast(kind)


def _is_iso(value: str, kind: str) -> bool:
    try:
        date.fromisoformat(value) if kind == "date" else datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


class CoalesceConfig(Arguments):
    """Arguments of ``coalesce``.

    Attributes
    ----------
    columns : tuple of str
        Columns of one type, the best first.
    into : str
        The column that gets the first value among them that is not NULL.
    """

    short = ""
    columns: Columns
    into: str


class Coalesce(Verb):
    """Take the first value that is there among several columns."""

    Config = CoalesceConfig
    name = "coalesce"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the value in its column."""
        from pyspark.sql import functions as F

        there = [found(frame, name) for name in self.config.columns]
        kinds = dict.fromkeys(kind for _, kind in there)
        if len(kinds) > 1:
            raise unfit(f"the columns are {', '.join(kinds)}: not of one type", "parse them first")
        value = F.coalesce(*[F.col(quoted(name)) for name, _ in there])
        return edited(frame, [Edit(spelled(frame, self.config.into), value)], tally)


class RequireConfig(Arguments):
    """Arguments of ``require``.

    Attributes
    ----------
    columns : tuple of str
    otherwise : {'quarantine', 'fail'}
        What becomes of a row in which one of them is NULL.
    """

    columns: Columns
    otherwise: str = Field(default="quarantine", pattern="^(quarantine|fail)$")


class Require(Verb):
    """Send rows to quarantine in which a column is NULL: before a later verb meets them."""

    Config = RequireConfig
    name = "require"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with such rows marked."""
        from pyspark.sql import functions as F

        edits = []
        for asked in self.config.columns:
            name, _ = found(frame, asked)
            column = F.col(quoted(name))
            edits.append(Edit(name, column, column.isNull(), f"{self.name}:{asked}", None, self.config.otherwise))
        return edited(frame, edits, tally)
