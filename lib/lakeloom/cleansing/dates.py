"""Date hierarchies: year, quarter, month, ISO week and their like, as columns under a prefix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from lakeloom.cleansing import times
from lakeloom.cleansing.base import Arguments, Verb, found, has, spelled, unfit
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Part = Literal[
    "date", "year", "quarter", "month", "day", "iso_year", "iso_week", "day_of_week", "day_of_year", "is_weekend",
    "year_quarter", "year_month", "year_week", "quarter_start", "month_start", "week_start",
]  # fmt: skip
_USUAL: tuple[Part, ...] = (
    "year", "quarter", "month", "day", "iso_year", "iso_week", "day_of_week", "day_of_year", "is_weekend",
)  # fmt: skip


def _zone(value: str) -> str:
    times.require_zone(value)
    return value


class CalendarConfig(Arguments):
    """Arguments of ``calendar``.

    Attributes
    ----------
    column : str
        A date or timestamp.
    prefix : str, optional
        What the new columns' names begin with; the column's name and ``_`` where absent.
    parts : tuple of str
        date, year, quarter, month, day, iso_year, iso_week, day_of_week (Monday is 1), day_of_year, is_weekend,
        year_quarter (2026-Q1), year_month (2026-01), year_week (2026-W01), quarter_start, month_start, week_start
        (its Monday).
    zone : str
        Of a timestamp: in which its date is taken.
    """

    short = "column"
    column: str
    prefix: str | None = None
    parts: tuple[Part, ...] = Field(default=_USUAL, min_length=1)
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"

    def name_of(self, part: str) -> str:
        """Return the name of a part's column."""
        return f"{self.column}_{part}" if self.prefix is None else f"{self.prefix}{part}"


class Calendar(Verb):
    """Add the parts of a date as columns."""

    Config = CalendarConfig
    name = "calendar"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the parts' columns."""
        from pyspark.sql import functions as F

        config: CalendarConfig = self.config
        name, kind = found(frame, config.column)
        day = F.col(quoted(name))
        if kind == "timestamp":
            day = times.day(day, config.zone)
        elif kind == "timestamp_ntz":
            day = day.cast("date")
        elif kind != "date":
            raise unfit(f"column '{name}' is {kind}, neither date nor timestamp", "parse it first")
        parts = [Edit(spelled(frame, config.name_of(part)), _part(part, day)) for part in dict.fromkeys(config.parts)]
        return edited(frame, parts, tally)

    def columns(self, before: Sequence[str]) -> list[str]:
        """Return the columns with the parts'."""
        names = [self.config.name_of(part) for part in dict.fromkeys(self.config.parts)]
        return [*before, *(name for name in names if not has(before, name))]


def _part(part: str, day: Column) -> Column:
    from pyspark.sql import functions as F

    # The Thursday of a week lies in the year that the week belongs to (ISO 8601).
    iso_year = F.year(F.date_add(_monday(day), 3))
    made = {
        "date": lambda: day,
        "year": lambda: F.year(day),
        "quarter": lambda: F.quarter(day),
        "month": lambda: F.month(day),
        "day": lambda: F.dayofmonth(day),
        "iso_year": lambda: iso_year,
        "iso_week": lambda: F.weekofyear(day),
        "day_of_week": lambda: F.weekday(day) + 1,
        "day_of_year": lambda: F.dayofyear(day),
        "is_weekend": lambda: F.weekday(day) >= 5,
        "year_quarter": lambda: F.format_string("%04d-Q%d", F.year(day), F.quarter(day)),
        "year_month": lambda: F.format_string("%04d-%02d", F.year(day), F.month(day)),
        "year_week": lambda: F.format_string("%04d-W%02d", iso_year, F.weekofyear(day)),
        "quarter_start": lambda: F.make_date(F.year(day), F.quarter(day) * 3 - 2, F.lit(1)),
        "month_start": lambda: F.make_date(F.year(day), F.month(day), F.lit(1)),
        "week_start": lambda: _monday(day),
    }[part]()
    # format_string would write NULL as text.
    return F.when(day.isNotNull(), made)


def _monday(day: Column) -> Column:
    from pyspark.sql import functions as F

    return F.date_sub(day, F.weekday(day))
