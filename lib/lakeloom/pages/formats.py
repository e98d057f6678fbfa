"""How numbers are written for people: separators, units, and a dash for what is not known."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

UNKNOWN = "–"
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_NARROW = "\u00a0"  # a space that does not break between a number and its unit


def number(value: Any) -> float | None:
    """Return `value` as a finite float, or None where it is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def count(value: Any) -> str:
    """Write a whole number with thousands separators: ``336,776``."""
    found = number(value)
    return UNKNOWN if found is None else f"{found:,.0f}"


def short(value: Any) -> str:
    """Write a count for an axis: ``950``, ``12k``, ``1.2M``."""
    found = number(value)
    if found is None:
        return UNKNOWN
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(found) >= limit:
            return f"{found / limit:.3g}{unit}"
    return f"{found:.3g}"


def metric(value: Any, digits: int = 4) -> str:
    """Write a score with fixed digits: ``0.7721``."""
    found = number(value)
    return UNKNOWN if found is None else f"{found:.{digits}f}".replace("-", "\u2212")


def share(value: Any) -> str:
    """Write a share as percent: ``14.2 %``, small ones with two significant digits: ``0.0086 %``."""
    found = number(value)
    if found is None:
        return UNKNOWN
    digits = ".1f" if not found or abs(found) >= 0.001 else ".2g"
    return f"{found * 100:{digits}}{_NARROW}%"


def size(value: Any) -> str:
    """Write bytes in decimal units: ``12.3 MB``."""
    found = number(value)
    if found is None:
        return UNKNOWN
    power = 0
    while abs(found) >= 999.5 and power < len(_UNITS) - 1:
        found, power = found / 1000, power + 1
    digits = 0 if power == 0 or abs(found) >= 99.95 else 1
    return f"{found:.{digits}f}{_NARROW}{_UNITS[power]}"


def duration(seconds: Any) -> str:
    """Write seconds as ``0.42 s``, ``12.3 s``, ``2 min 05 s`` or ``1 h 02 min``."""
    found = number(seconds)
    if found is None:
        return UNKNOWN
    if found < 59.95:
        return f"{found:.{2 if found < 9.995 else 1}f}{_NARROW}s"
    whole = round(found)
    if whole < 3600:
        return f"{whole // 60}{_NARROW}min{_NARROW}{whole % 60:02d}{_NARROW}s"
    return f"{whole // 3600}{_NARROW}h{_NARROW}{whole % 3600 // 60:02d}{_NARROW}min"


def moment(at: datetime | None) -> str:
    """Write a time in UTC to the second; a time without zone is taken as UTC."""
    if at is None:
        return UNKNOWN
    shown = at.astimezone(UTC) if at.tzinfo else at
    return f"{shown:%Y-%m-%d %H:%M:%S} UTC"


def setting(value: Any) -> str:
    """Write a parameter: floats with four significant digits, the rest as text."""
    if isinstance(value, bool) or not isinstance(value, float):
        return UNKNOWN if value is None else str(value)
    return f"{value:.4g}" if math.isfinite(value) else UNKNOWN


def words(name: str) -> str:
    """Turn a key into a label: ``config_hash`` → ``Config hash``."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
