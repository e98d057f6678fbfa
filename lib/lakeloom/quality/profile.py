"""What a table holds, in figures: one `ColumnProfile` a column, and what was proven of keys and references.

Plain data: made by `lakeloom.tables.profiling` from a frame or by `lakeloom.tables.statistics` from Delta's log, read
by `lakeloom.quality.proposals` and the data dictionary. `ColumnProfile.told` takes out what a person's own
value could show through; nothing else of a guarded column is shown or written down.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lakeloom.quality.personal import GUARDED_TAGS, tag_of

# From this share of the texts on, what they look like says what a column is.
MOST = 0.5


@dataclass(frozen=True)
class ColumnProfile:
    """The figures of one column; what was not looked at is None or empty.

    Attributes
    ----------
    name, type : str
        As the table has them; the type is Spark's.
    rows, nulls : int
        All rows, and those without a value.
    distinct : int or None
        How many values there are, estimated (HyperLogLog++, 2 %) unless `values` counts them.
    low, high : number, date, datetime or None
        The least and the greatest value; of texts the least and the greatest number, where all are numbers.
    shortest, longest : int or None
        Lengths of texts.
    blanks : tuple of str
        Texts that stand for nothing, such as ``NA``; `blank` rows have one.
    forms : dict
        Form of a text (a key of `lakeloom.quality.forms.FORMS`) → rows that fit it.
    whole, places : int or None
        Of texts that are numbers: the most digits before and behind the point.
    zeros : int
        Texts of digits that begin with a needless 0: codes rather than numbers.
    looks : dict
        What a text looks like (`lakeloom.quality.personal.LOOKS`) → rows.
    values : tuple of (value, rows)
        All values, where they are few.
    shapes : tuple of (shape, rows)
        All shapes of the texts, where they are few: 9 for a digit, A and a for letters.
    grows : float or None
        Of times and whole numbers: how much the order of arrival explains them (correlation, -1 to 1).
    tags : tuple of str
        Those of the contract.
    """

    name: str
    type: str
    rows: int
    nulls: int = 0
    distinct: int | None = None
    low: Any = None
    high: Any = None
    shortest: int | None = None
    longest: int | None = None
    blanks: tuple[str, ...] = ()
    blank: int = 0
    forms: Mapping[str, int] = field(default_factory=dict)
    whole: int | None = None
    places: int | None = None
    zeros: int = 0
    looks: Mapping[str, int] = field(default_factory=dict)
    values: tuple[tuple[Any, int], ...] = ()
    shapes: tuple[tuple[str, int], ...] = ()
    grows: float | None = None
    tags: tuple[str, ...] = ()

    @property
    def filled(self) -> int:
        """Rows with a value that means something."""
        return self.rows - self.nulls - self.blank

    @property
    def null_share(self) -> float | None:
        """The share of rows without a value; None of an empty table."""
        return self.nulls / self.rows if self.rows else None

    @property
    def looks_like(self) -> str | None:
        """What most of the texts look like: email, phone, card or iban."""
        found = [(rows, kind) for kind, rows in self.looks.items() if rows > MOST * self.filled]
        return max(found)[1] if found else None

    @property
    def guarded(self) -> bool:
        """Whether a value of it may be personal: by tag, by name, or by what any of its texts looks like."""
        tagged = bool(GUARDED_TAGS.intersection(self.tags)) or tag_of(self.name) is not None
        # A single right check digit is chance; an address in one row in a hundred is none.
        return tagged or any(rows * 100 >= max(self.filled, 1) * _CHANCE[kind] for kind, rows in self.looks.items())

    def told(self) -> ColumnProfile:
        """Return the profile without values where the column is guarded, and never with a free text's own words."""
        if self.guarded:
            return dataclasses.replace(self, low=None, high=None, values=(), shapes=())
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the told profile for ``--json`` and for the record, what is empty left out."""
        found = dataclasses.asdict(self.told())
        found["values"] = [[_plain(value), rows] for value, rows in self.told().values]
        found |= {"low": _plain(found["low"]), "high": _plain(found["high"]), "guarded": self.guarded}
        keep = ("name", "type", "rows", "nulls", "guarded")
        return {key: value for key, value in found.items() if key in keep or value not in (None, (), [], {}, 0)}


# Of a hundred texts, how many must look like it before the column is guarded.
_CHANCE = {"email": 1, "phone": 20, "card": 30, "iban": 5}


@dataclass(frozen=True)
class Reference:
    """A column whose values were looked up among another table's keys: `missing` of `distinct` are not there."""

    column: str
    to: str
    to_column: str
    distinct: int
    missing: int
    named: bool


@dataclass(frozen=True)
class TableProfile:
    """A table's figures.

    Attributes
    ----------
    unique, repeated : tuple of tuples of str
        Columns and pairs whose values were counted on all rows: those that tell every row from every other,
        and those that do not.
    references : tuple of Reference
    written : tuple of int
        Rows that the last executions wrote, oldest first.
    gaps_s : tuple of float
        Seconds between them.
    """

    table: str
    version: int
    rows: int
    columns: tuple[ColumnProfile, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    repeated: tuple[tuple[str, ...], ...] = ()
    references: tuple[Reference, ...] = ()
    written: tuple[int, ...] = ()
    gaps_s: tuple[float, ...] = ()

    def column(self, name: str) -> ColumnProfile:
        """Return a column's profile."""
        return next(each for each in self.columns if each.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Return the profile for ``--json`` and for the record."""
        return {
            "table": self.table, "version": self.version, "rows": self.rows,
            "columns": [column.as_dict() for column in self.columns],
            "unique": [list(each) for each in self.unique], "repeated": [list(each) for each in self.repeated],
            "references": [dataclasses.asdict(each) for each in self.references],
        }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
