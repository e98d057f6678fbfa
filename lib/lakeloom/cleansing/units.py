"""Units: a small table of exact factors, and conversion within one kind of quantity.

Each unit is ``value * factor + offset`` in its kind's base unit, as fractions: those of the yard, the
pound, the gallons and the inch of mercury are exact by definition (NIST Handbook 44, appendix C; SI
brochure). A conversion multiplies and divides by whole numbers, so that 32 °F is 0 °C to the last bit.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from lakeloom.cleansing.base import Arguments, Otherwise, Verb, found, refuse, spelled, unfit
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.core.kinds import nearest
from lakeloom.core.names import quoted
from lakeloom.quality.columns import NUMBERS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_F = Fraction
_INCH, _POUND = _F("0.0254"), _F("0.45359237")
_GALLON, _IMPERIAL = _F("3.785411784"), _F("4.54609")

# Kind → unit → factor to the kind's base unit.
UNITS: dict[str, dict[str, Fraction]] = {
    "length": {
        "m": _F(1), "km": _F(1000), "dm": _F("0.1"), "cm": _F("0.01"), "mm": _F("0.001"), "um": _F("1e-6"),
        "nm": _F("1e-9"), "in": _INCH, "ft": 12 * _INCH, "yd": 36 * _INCH, "mi": 63360 * _INCH, "nmi": _F(1852),
    },
    "area": {
        "m2": _F(1), "km2": _F(10**6), "cm2": _F("1e-4"), "mm2": _F("1e-6"), "ha": _F(10**4), "in2": _INCH**2,
        "ft2": (12 * _INCH) ** 2, "yd2": (36 * _INCH) ** 2, "mi2": (63360 * _INCH) ** 2,
        "acre": 4840 * (36 * _INCH) ** 2,
    },
    "volume": {
        "l": _F(1), "hl": _F(100), "dl": _F("0.1"), "cl": _F("0.01"), "ml": _F("0.001"), "m3": _F(1000),
        "cm3": _F("0.001"), "in3": _INCH**3 * 1000, "ft3": (12 * _INCH) ** 3 * 1000, "gal_us": _GALLON,
        "qt_us": _GALLON / 4, "pt_us": _GALLON / 8, "floz_us": _GALLON / 128, "gal_uk": _IMPERIAL,
        "pt_uk": _IMPERIAL / 8, "floz_uk": _IMPERIAL / 160,
    },
    "mass": {
        "kg": _F(1), "g": _F("0.001"), "mg": _F("1e-6"), "ug": _F("1e-9"), "t": _F(1000), "lb": _POUND,
        "oz": _POUND / 16, "st": 14 * _POUND, "ton_us": 2000 * _POUND, "ton_uk": 2240 * _POUND,
    },
    "temperature": {"K": _F(1), "C": _F(1), "F": _F(5, 9), "R": _F(5, 9)},
    "time": {
        "s": _F(1), "ms": _F("0.001"), "us": _F("1e-6"), "ns": _F("1e-9"), "min": _F(60), "h": _F(3600),
        "d": _F(86400), "wk": _F(604800),
    },
    "speed": {"m/s": _F(1), "km/h": _F(5, 18), "mph": 63360 * _INCH / 3600, "kn": _F(1852, 3600), "ft/s": 12 * _INCH},
    "pressure": {
        "Pa": _F(1), "hPa": _F(100), "kPa": _F(1000), "MPa": _F(10**6), "bar": _F(10**5), "mbar": _F(100),
        "atm": _F(101325), "psi": _POUND * _F("9.80665") / _INCH**2,
    },
    "energy": {
        "J": _F(1), "kJ": _F(1000), "MJ": _F(10**6), "Wh": _F(3600), "kWh": _F(3600000), "cal": _F("4.184"),
        "kcal": _F(4184),
    },
    "power": {"W": _F(1), "kW": _F(1000), "MW": _F(10**6), "hp": 550 * 12 * _INCH * _POUND * _F("9.80665")},
    "data": {
        "B": _F(1), "bit": _F(1, 8), "kB": _F(1000), "MB": _F(10**6), "GB": _F(10**9), "TB": _F(10**12),
        "KiB": _F(2**10), "MiB": _F(2**20), "GiB": _F(2**30), "TiB": _F(2**40),
    },
    "angle": {"deg": _F(1), "arcmin": _F(1, 60), "arcsec": _F(1, 3600), "turn": _F(360), "gon": _F(9, 10)},
}  # fmt: skip
# What a unit's zero is in the base unit.
_ZERO = {"C": _F("273.15"), "F": _F("459.67") * _F(5, 9)}
_KIND = {unit: kind for kind, units in UNITS.items() for unit in units}


def _unit(value: str) -> str:
    if value in _KIND:
        return value
    near = next((unit for unit in _KIND if unit.lower() == value.lower()), None) or nearest(value, _KIND)
    raise refuse(f"'{value}' is no unit; there are {', '.join(_KIND)}", f"use '{near}'" if near else "use one of them")


Unit = Annotated[str, AfterValidator(_unit)]


class ConvertConfig(Arguments):
    """Arguments of ``convert``.

    Attributes
    ----------
    column : str
        A numeric column; it becomes double.
    from : str
        The unit that it is in; or ``from_column``, a text column that names each row's unit.
    to : str
        The unit that it gets, of the same kind.
    into : str, optional
        The column that gets the value; the number's own where absent.
    otherwise : {'quarantine', 'null', 'fail'}
        What becomes of a number whose unit is none of this kind, or that is too large.
    """

    short = ""
    column: str
    from_: Unit | None = Field(default=None, alias="from")
    from_column: str | None = None
    to: Unit
    into: str | None = None
    otherwise: Otherwise = "quarantine"

    @model_validator(mode="after")
    def _fits(self) -> ConvertConfig:
        if (self.from_ is None) == (self.from_column is None):
            raise refuse("either 'from' or 'from_column' is wanted", "give one of them")
        if self.from_ is not None and _KIND[self.from_] != _KIND[self.to]:
            one, other = _KIND[self.from_], _KIND[self.to]
            units = ", ".join(UNITS[one])
            raise refuse(f"'{self.from_}' is {one}, '{self.to}' is {other}", f"convert to one of {units}")
        return self


class Convert(Verb):
    """Turn numbers of one unit into another of the same kind."""

    Config = ConvertConfig
    name = "convert"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the numbers converted."""
        from pyspark.sql import functions as F

        config: ConvertConfig = self.config
        name, kind = found(frame, config.column)
        if kind.partition("(")[0] not in NUMBERS:
            raise unfit(f"column '{name}' is {kind}, no number", "parse it first")
        number = F.col(quoted(name)).cast("double")
        if config.from_ is not None:
            value = converted(number, config.from_, config.to)
        else:
            unit = F.col(quoted(found(frame, str(config.from_column))[0]))
            value = F.lit(None).cast("double")
            for each in UNITS[_KIND[config.to]]:
                value = F.when(unit == each, converted(number, each, config.to)).otherwise(value)
        infinite = [float("inf"), float("-inf")]
        fault = number.isNotNull() & (value.isNull() | (value.isin(infinite) & ~number.isin(infinite)))
        into = spelled(frame, config.into or name)
        edit = Edit(into, value, fault, f"{self.name}:{config.column}", name, config.otherwise)
        return edited(frame, [edit], tally)

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the number's column and the unit's."""
        unit = self.config.from_column
        return (("column", self.config.column), *((("from_column", unit),) if unit else ()))

    def reasons(self) -> tuple[str, ...]:
        """Return the reason of numbers that can't be converted."""
        return (f"{self.name}:{self.config.column}",) if self.config.otherwise == "quarantine" else ()


def factors(source: str, target: str) -> tuple[float, float, float]:
    """Return n, c and d of ``(value * n + c) / d``: whole numbers, wherever doubles hold them exactly."""
    units = UNITS[_KIND[source]]
    slope = units[source] / units[target]
    shift = (_ZERO.get(source, Fraction(0)) - _ZERO.get(target, Fraction(0))) / units[target]
    below = math.lcm(slope.denominator, shift.denominator)
    parts = (slope * below, shift * below, Fraction(below))
    if all(abs(part) <= _EXACT for part in parts):
        return float(parts[0]), float(parts[1]), float(parts[2])
    return float(slope), float(shift), 1.0


_EXACT = 2**53


def converted(number: Column, source: str, target: str) -> Column:
    """Return a double in the unit `target`."""
    from pyspark.sql import functions as F

    if source == target:
        return number
    times, plus, over = factors(source, target)
    scaled = number * F.lit(times)
    return (scaled + F.lit(plus) if plus else scaled) / F.lit(over)
