"""Dates and times from texts, the same in every session: no pattern depends on Spark's own time zone.

A text without a zone is first read as what a clock on the wall showed, then placed in the given zone.
Where clocks are put forward some times never were (a gap): such a text is no time, unless it is to be
shifted. Where they are put back some were twice (an overlap): the earlier moment is taken, as SQL
engines and Java do, unless the later or neither is wanted. Patterns are Spark's (Datetime Patterns for
Formatting and Parsing, Spark SQL's reference).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lakeloom.cleansing.base import refuse

if TYPE_CHECKING:
    from pyspark.sql import Column

UNIX = ("unix", "unix_ms")
_ZONE = "VzOXxZ"
_LETTERS = "GyMLdDaHhKkmsS" + _ZONE
_ISO_TIME = (
    "yyyy-MM-dd HH:mm[:ss[.SSSSSS]]",
    "yyyy-MM-dd'T'HH:mm[:ss[.SSSSSS]]",
    "yyyy-MM-dd HH:mm[:ss[.SSSSSS]]XXX",
    "yyyy-MM-dd'T'HH:mm[:ss[.SSSSSS]]XXX",
    "yyyy-MM-dd",
)
_ISO_DATE = ("yyyy-MM-dd",)
# From year 1 to year 9999.
_YEARS_US = (-62_135_596_800_000_000, 253_402_300_799_999_999)
_DAY_US = 24 * 60 * 60 * 1_000_000


def require_zone(zone: str) -> None:
    """Raise LL-CLEAN-001 where `zone` is none of the time zone database."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refuse(f"'{zone}' is no time zone", "name one such as UTC or Europe/Amsterdam") from None


def require_pattern(pattern: str, kind: str) -> None:
    """Raise LL-CLEAN-001 where Spark could not parse by `pattern`."""
    if pattern in UNIX:
        if kind == "timestamp_ntz":
            raise refuse(f"'{pattern}' is a moment; {kind} has no zone", "parse a timestamp")
        return
    bare, optional = _bare(pattern), re.findall(r"\[[^\]]*\]", _bare(pattern))
    if bare.count("[") != bare.count("]") or pattern.count("'") % 2 or set(bare) & set("{}#"):
        raise refuse("the format's brackets or quotes don't match", "quote text by '…', optional parts by […]")
    wrong = sorted({letter for letter in bare if letter.isalpha() and letter not in _LETTERS})
    if wrong:
        raise refuse(f"'{wrong[0]}' is no letter that a date or time is parsed by", "see Spark's datetime patterns")
    if any(letter in part for part in optional for letter in _ZONE):
        raise refuse("a zone in an optional part would leave texts without one", "write two formats")
    if "y" not in bare:
        raise refuse("the format has no year (yyyy)", "add the year")
    if kind == "timestamp_ntz" and any(letter in bare for letter in _ZONE):
        raise refuse(f"the format has a zone; {kind} has none", "parse a timestamp")
    for run in re.findall(r"([A-Za-z])\1*", bare):
        length = max(len(each.group()) for each in re.finditer(f"{run}+", bare))
        if length > _LONGEST.get(run, 2):
            raise refuse(
                f"'{run * length}' is longer than Spark's pattern allows", f"write at most {_LONGEST.get(run, 2)}"
            )


_LONGEST = {"y": 6, "M": 4, "L": 4, "D": 3, "S": 9, "G": 4, "a": 1, "V": 2, "z": 4, "O": 4, "X": 5, "x": 5, "Z": 5}


def _bare(pattern: str) -> str:
    """Return a pattern without its quoted texts."""
    return re.sub(r"'[^']*'", "", pattern)


def read(text: Column, kind: str, formats: Sequence[str] | None, zone: str, gap: str, overlap: str) -> Column:
    """Return the date, timestamp or timestamp without zone that a text is, NULL where it is none."""
    from pyspark.sql import functions as F

    chosen = formats or (_ISO_DATE if kind == "date" else _ISO_TIME)
    if kind == "timestamp_ntz" and not formats:
        chosen = [pattern for pattern in chosen if "XXX" not in pattern]
    return F.coalesce(*[_by(text, pattern, kind, zone, gap, overlap) for pattern in chosen])


def _by(text: Column, pattern: str, kind: str, zone: str, gap: str, overlap: str) -> Column:
    from pyspark.sql import functions as F

    if pattern in UNIX:
        number = F.when(text.rlike(r"^[+-]?\d+(\.\d+)?$"), text.try_cast("decimal(25,9)"))
        micros = F.floor(number * (1_000_000 if pattern == "unix" else 1000)).try_cast("bigint")
        # Seconds that are milliseconds would lie far beyond the years that a timestamp can hold elsewhere.
        moment = F.timestamp_micros(F.when(micros.between(*_YEARS_US), micros))
        return moment if kind == "timestamp" else day(moment, zone)
    if any(letter in _bare(pattern) for letter in _ZONE):
        moment = F.try_to_timestamp(text, F.lit(pattern))
        return moment if kind == "timestamp" else day(moment, zone)
    # As if the clock hung in Greenwich: then no session's zone plays a part.
    wall = F.try_to_timestamp(F.concat(text, F.lit(" Z")), F.lit(f"{pattern} X"))
    if kind == "date":
        return day(wall, "UTC")
    if kind == "timestamp_ntz":
        return unzoned(wall)
    return wall if zone == "UTC" else placed(wall, zone, gap, overlap)


def placed(wall: Column, zone: str, gap: str, overlap: str) -> Column:
    """Return the moment at which a clock in `zone` showed `wall` (a timestamp read as if in UTC)."""
    from pyspark.sql import functions as F

    # In an overlap Java takes the offset before the change: the earlier moment.
    first = F.to_utc_timestamp(wall, zone)
    shown = F.from_utc_timestamp(first, zone)
    # The offset a day later is that after the change, where there is one.
    after = _offset(F.timestamp_micros(F.unix_micros(first) + _DAY_US), zone)
    later = F.timestamp_micros(F.unix_micros(wall) - after)
    twice = (F.from_utc_timestamp(later, zone) == wall) & (later != first)
    value = first
    if overlap == "later":
        value = F.when(twice, later).otherwise(first)
    elif overlap == "otherwise":
        value = F.when(~twice, first)
    return value if gap == "shift" else F.when(shown == wall, value)


def _offset(moment: Column, zone: str) -> Column:
    from pyspark.sql import functions as F

    return F.unix_micros(F.from_utc_timestamp(moment, zone)) - F.unix_micros(moment)


def day(moment: Column, zone: str) -> Column:
    """Return the date on which `moment` fell in `zone`, whatever the session's zone is."""
    from pyspark.sql import functions as F

    local = moment if zone == "UTC" else F.from_utc_timestamp(moment, zone)
    micros = F.unix_micros(local)
    whole = (micros - F.pmod(micros, F.lit(_DAY_US))) / F.lit(_DAY_US)
    # A double holds that quotient only nearly: it is rounded, not cut.
    return F.date_from_unix_date(F.round(whole).cast("int"))


def unzoned(wall: Column) -> Column:
    """Return a timestamp without zone that shows what `wall` shows in UTC."""
    from pyspark.sql import functions as F

    seconds = (F.unix_micros(wall).cast("decimal(20,0)") / F.lit(1_000_000)).cast("decimal(18,6)")
    zero = F.lit(0)
    return F.lit("1970-01-01 00:00:00").cast("timestamp_ntz") + F.make_dt_interval(zero, zero, zero, seconds)
