"""Durations as the config writes them: ``6 hours``, ``90 minutes``, ``1 day``.

A duration is a whole number of a fixed unit. Months and years are refused: their length depends on
the calendar, so a window over them would not be a pure function of two instants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lakeloom.core.errors import ConfigError

UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
PATTERN = r"^[1-9][0-9]{0,5} (second|minute|hour|day|week)s?$"
_WRITTEN = re.compile(PATTERN)


@dataclass(frozen=True)
class Duration:
    """A number of fixed units, kept as written: ``24 hours`` and ``1 day`` are equally long, not equal.

    Attributes
    ----------
    count : int
        1 to 999999.
    unit : str
        A key of `UNITS`.
    """

    count: int
    unit: str

    @property
    def seconds(self) -> int:
        """The length in seconds."""
        return self.count * UNITS[self.unit]

    @property
    def microseconds(self) -> int:
        """The length in microseconds, the resolution of Spark's timestamps."""
        return self.seconds * 1_000_000

    @property
    def compact(self) -> str:
        """The short form for column names, in the unit as written: ``1h``, ``24h``, ``7d``, ``90m``."""
        return f"{self.count}{self.unit[0]}"

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'s' if self.count != 1 else ''}"


def parse_short(text: str, where: str = "") -> Duration:
    """Read the short form (``10m``, ``90s``, ``1d``) or what `parse` reads; raises LL-CONF-004 for anything else."""
    short = re.fullmatch(r"([1-9][0-9]{0,5})([smhdw])", text.strip())
    if short is None:
        return parse(text, where)
    return Duration(int(short.group(1)), next(unit for unit in UNITS if unit[0] == short.group(2)))


def parse(text: str, where: str = "") -> Duration:
    """Read ``<number> <unit>``, the unit in singular or plural.

    Parameters
    ----------
    text : str
        Such as ``90 minutes``; the units are second, minute, hour, day and week.
    where : str
        The place in the config, for the error.

    Raises
    ------
    ConfigError
        LL-CONF-004 for anything else.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ConfigError(
            "LL-CONF-004",
            f"'{text}' is not a duration: a whole number and one of {', '.join(f'{unit}s' for unit in UNITS)}",
            where=where,
            fix="write it like 6 hours or 1 day",
        )
    return Duration(int(text.split()[0]), found.group(1))
