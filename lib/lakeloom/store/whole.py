"""Values of a type as whole numbers in the same order: how SQL makes one, and which condition a range of them is.

A text is the number of its first bytes after what all texts of a table have in common, so that ``C000117``
and ``C000980`` lie apart. A bound that no text can be (bytes that are no character) gives way to the
next shorter one, which holds more: a range may reach too far, never too short.

Source: Spark compares texts byte by byte (the collation ``UTF8_BINARY``), Delta cuts their statistics.
"""

from __future__ import annotations

import itertools
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from lakeloom.store.describe import quoted as literal

_DAY_ONE = date(1970, 1, 1)
_BYTES = 6  # of a text: less than a BIGINT holds
_CHARACTERS = 0x110000
_SURROGATES = range(0xD800, 0xE000)
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


class Whole(ABC):
    """How values of one type become whole numbers.

    Attributes
    ----------
    buckets : int
        Into how many parts a span of such numbers is cut.
    cut : int
        By how much a file's greatest value may be greater than its statistics say.
    """

    buckets = 4096
    cut = 0

    @abstractmethod
    def number(self, value: Any) -> int:
        """Return the number of a Python value."""

    @abstractmethod
    def sql(self, column: str) -> str:
        """Return the number of a column's value as SQL."""

    @abstractmethod
    def between(self, column: str, low: int, high: int) -> str:
        """Return a condition that holds for every value whose number lies in the range."""

    @abstractmethod
    def outside(self, column: str, low: int, high: int) -> str:
        """Return a condition that holds for all values for which `between` does not."""


@dataclass(frozen=True)
class Number(Whole):
    """Values that are whole numbers underneath.

    Attributes
    ----------
    of, to : str
        SQL with a place for the column, and for the number.
    """

    of: str
    to: str
    cut: int = 0

    def number(self, value: Any) -> int:
        """Return the number of a Python value."""
        if isinstance(value, datetime):
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            span = moment - datetime(1970, 1, 1, tzinfo=UTC)
            return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
        return (value - _DAY_ONE).days if isinstance(value, date) else int(value)

    def sql(self, column: str) -> str:
        """Return the number of a column's value as SQL."""
        return self.of.format(column)

    def between(self, column: str, low: int, high: int) -> str:
        """Return a condition that holds for every value whose number lies in the range."""
        return f"{column} BETWEEN {self.to.format(low)} AND {self.to.format(high)}"

    def outside(self, column: str, low: int, high: int) -> str:
        """Return a condition that holds for all values for which `between` does not."""
        return f"({column} < {self.to.format(low)} OR {column} > {self.to.format(high)})"


@dataclass(frozen=True)
class Text(Whole):
    """Texts that begin alike.

    Attributes
    ----------
    common : str
        What those between the least and the greatest of a table begin with.
    """

    common: str
    buckets = 65_536  # keys have few of the signs that a byte can be

    def number(self, value: Any) -> int:
        """Return the number of a Python value."""
        rest = value.encode()[len(self.common.encode()) :]
        return int.from_bytes(rest[:_BYTES].ljust(_BYTES, b"\0"))

    def sql(self, column: str) -> str:
        """Return the number of a column's value as SQL."""
        rest = f"substring(CAST({column} AS BINARY), {len(self.common.encode()) + 1}, {_BYTES})"
        return f"CAST(conv(hex(rpad({rest}, {_BYTES}, X'00')), 16, 10) AS BIGINT)"

    def between(self, column: str, low: int, high: int) -> str:
        """Return a condition that holds for every value whose number lies in the range."""
        least, beyond = self._least(low), self._beyond(high)
        return f"({column} >= {literal(least)}{f' AND {column} < {literal(beyond)}' if beyond else ''})"

    def outside(self, column: str, low: int, high: int) -> str:
        """Return a condition that holds for all values for which `between` does not."""
        least, beyond = self._least(low), self._beyond(high)
        return f"({column} < {literal(least)}{f' OR {column} >= {literal(beyond)}' if beyond else ''})"

    def _least(self, number: int) -> str:
        """Return a text that no text of this number, or of a greater one, comes before."""
        return self.common + _characters(number)[0]

    def _beyond(self, number: int) -> str:
        """Return a text that every text of this number, or of a smaller one, comes before; empty where none does."""
        if number + 1 >= 1 << 8 * _BYTES:
            return _following(self.common)
        more, whole_number = _characters(number + 1)
        return self.common + more if whole_number else _following(self.common + more)


def whole(kind: str, low: Any, high: Any) -> Whole | None:
    """Return how values of a Spark type from `low` to `high` become whole numbers; None where they can't.

    Parameters
    ----------
    kind : str
        As ``DataFrame.dtypes`` has it.
    low, high : int, date, datetime or str
        The least and the greatest value, by the statistics of files.
    """
    if kind == "string":
        return Text(os.path.commonprefix([low, high]))  # noqa: RUF071 - texts, not paths
    found = _NUMBERS.get(kind)
    if found is None or found.number(high) - found.number(low) >= _LONG:
        return None  # the difference of two BIGINT may be none
    return found


_LONG = 1 << 62
_NUMBERS = {
    **dict.fromkeys(("tinyint", "smallint", "int"), Number("CAST({} AS BIGINT)", "{}L")),
    "bigint": Number("{}", "{}L"),
    "date": Number("CAST(unix_date({}) AS BIGINT)", "date_from_unix_date({})"),
    # Statistics of timestamps are cut to milliseconds.
    "timestamp": Number("unix_micros({})", "timestamp_micros({}L)", cut=999),
}


def _characters(number: int) -> tuple[str, bool]:
    """Return the printable signs that the bytes of a number begin with, and whether that is all of it but zeros."""
    there = number.to_bytes(_BYTES).rstrip(b"\0")
    signs = there.decode(errors="replace")
    printable = "".join(itertools.takewhile(lambda sign: sign.isprintable() and sign != _UNKNOWN, signs))
    return printable, printable.encode() == there


def _following(text: str) -> str:
    """Return the least text that comes after all that begin with `text`; empty where there is none."""
    for end in range(len(text) - 1, -1, -1):
        sign = ord(text[end]) + 1
        sign = _SURROGATES.stop if sign in _SURROGATES else sign
        if sign < _CHARACTERS:
            return text[:end] + chr(sign)
    return ""
