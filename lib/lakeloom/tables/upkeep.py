"""Upkeep of a table: what ``upkeep:`` may say, and the pure decision about what is due, and why.

Deleting history is never a default: a table is vacuumed only where ``vacuum:`` says for how long its
versions are to last.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from lakeloom.core.durations import Duration
from lakeloom.tables.words import DurationText, Share, Strict

Action = Literal["compact", "order", "purge", "statistics", "vacuum"]
_UNITS = {"KB": 10, "MB": 20, "GB": 30}
# From this share of bytes that came since, a table is put in order again: each row is written some five times over.
_UNORDERED = 0.2
_AN_HOUR = 3600
# Types that Delta keeps least and greatest values of.
MEASURED = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "date", "timestamp", "string")


def size(value: Any) -> int:
    """Read ``128 MB`` or a number of bytes; raises ValueError for anything else."""
    found = re.fullmatch(r"([1-9]\d{0,8})(?:\s*(KB|MB|GB))?", str(value).strip())
    if found is None:
        raise ValueError(f"'{value}' is no size: write it like 128 MB")
    return int(found.group(1)) << _UNITS.get(found.group(2), 0)


def asked(value: Any) -> Any:
    """Read ``true`` and ``false`` in place of a mapping."""
    return {"enabled": value} if isinstance(value, bool) else value


def _compact(value: Any) -> Any:
    return {"small_files": 0} if value is False else {} if value is True else value


Size = Annotated[
    int,
    BeforeValidator(size),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}], "examples": ["128 MB"]}),
]


class CompactSpec(Strict):
    """When small files are put together.

    Attributes
    ----------
    target : int
        The size of a file that is wanted, in bytes; a file below three quarters of it is small.
    small_files : int
        From how many on, in partitions that have more than one; 0 for never.
    """

    target: Size = 128 << 20
    small_files: int = Field(default=16, ge=0)


class VacuumSpec(Strict):
    """How long versions that were superseded stay readable; what somebody needs stays in any case."""

    keep: DurationText = Duration(30, "day")

    @field_validator("keep")
    @classmethod
    def _long_enough(cls, keep: Duration) -> Duration:
        if keep.seconds < _AN_HOUR:
            raise ValueError("whoever reads a table now would lose it: keep an hour at least")
        return keep


def _or_yes_or_no(schema: dict[str, Any]) -> None:
    """Let editors take ``upkeep: true`` too."""
    full = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "boolean"}, full]


class UpkeepSpec(Strict):
    """What is done for a table, and how often it is looked at.

    Attributes
    ----------
    enabled : bool
        ``upkeep: false`` takes a table out of the project's.
    every : Duration
        How long nothing is done after it was done.
    zorder : tuple of str
        Columns whose values are laid side by side in files; a table with ``cluster_by`` has its own.
    statistics : tuple of str
        Columns that least and greatest values are kept of, beside keys and columns of order; Delta's first 32
        where none is named.
    purge : float
        From which share of rows that deletion vectors take out files are written without them.
    vacuum : VacuumSpec, optional
        Nothing is ever deleted without it.
    """

    model_config = ConfigDict(json_schema_extra=_or_yes_or_no)

    enabled: bool = True
    every: DurationText = Duration(1, "day")
    compact: Annotated[CompactSpec, BeforeValidator(_compact)] = CompactSpec()
    zorder: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    purge: Share = 0.1
    vacuum: VacuumSpec | None = None

    def over(self, base: UpkeepSpec | None) -> UpkeepSpec:
        """Return what this says, and where it says nothing what `base` does."""
        words = {name: getattr(each, name) for each in (base, self) if each for name in each.model_fields_set}
        return UpkeepSpec(**words | {"enabled": self.enabled})


@dataclass(frozen=True)
class State:
    """A table as its log tells.

    Attributes
    ----------
    mergeable : int
        Small files in partitions that have more than one.
    rows, deleted : int
        The rows in files, and those of them that deletion vectors take out.
    fresh_bytes : int
        Of files that came since the table was put in order.
    statistics : str
        Columns that statistics are kept of, as the table's property has them.
    superseded : bool
        Whether there may be files that the newest version does not need.
    """

    files: int = 0
    bytes: int = 0
    mergeable: int = 0
    rows: int = 0
    deleted: int = 0
    fresh_bytes: int = 0
    statistics: str = ""
    superseded: bool = False


@dataclass(frozen=True)
class Due:
    """One thing that is due, and why."""

    action: Action
    reason: str


def due(spec: UpkeepSpec, state: State, *, ordered: bool, statistics: str | None, now: bool = False) -> list[Due]:
    """Return what is due for a table.

    Parameters
    ----------
    ordered : bool
        Whether its rows are laid out by columns: Z-ordered or clustered.
    statistics : str or None
        The property that names the columns of statistics, as it should be; None to leave it as it is.
    now : bool
        Somebody asks: what would help is done, whether or not it is much.
    """
    found: list[Due] = []
    average = state.bytes / state.files if state.files else 0.0
    shown = f"{average / (1 << 20):.1f} MiB" if average >= 0.1 * (1 << 20) else f"{average / (1 << 10):.1f} KiB"
    files = f"{state.files:,} files of {shown} on average"
    enough = spec.compact.small_files
    if enough and state.mergeable >= (2 if now else max(enough, 2)):
        found.append(Due("compact", files))
    fresh = state.fresh_bytes / state.bytes if state.bytes else 0.0
    if ordered and state.files > 1 and (fresh > 0 if now else fresh >= _UNORDERED):
        found.append(Due("order", f"{fresh:.0%} of its bytes came since it was put in order"))
    share = state.deleted / state.rows if state.rows else 0.0
    if state.deleted and (now or share >= spec.purge):
        found.append(Due("purge", f"{share:.0%} of the rows in its files are deleted"))
    if statistics is not None and statistics != state.statistics:
        found.append(Due("statistics", "statistics are kept of other columns"))
    if spec.vacuum is not None and state.superseded:
        found.append(Due("vacuum", f"versions older than {spec.vacuum.keep} may go"))
    return found


def statistics_of(spec: UpkeepSpec, *others: Collection[str]) -> tuple[str, ...]:
    """Return the columns that statistics are kept of: those named, and those by which files are left out."""
    return tuple(dict.fromkeys([*spec.statistics, *spec.zorder, *(name for names in others for name in names)]))
