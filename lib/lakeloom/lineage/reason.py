"""Why a row is there: the row, the execution that wrote it, and the rows that it was made of, down to bronze."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

# How well it is known what a row was made of: landed (it is bronze), by row, by the rows of its key, by step alone.
Level = Literal["landed", "rows", "key", "step"]


@dataclass(frozen=True)
class Execution:
    """The execution of a step that wrote a row.

    Attributes
    ----------
    at : str
        The clock of its intent, ISO time in UTC.
    version : int
        The table's version that it made.
    reads : dict
        Table → the version that it read.
    commit : str
        The git commit of the project then, empty where it was none.
    changed : bool
        Whether the step's SQL, function or config is another now.
    """

    step: str
    epoch: int
    run: str
    at: str
    version: int
    reads: dict[str, int]
    commit: str = ""
    changed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return dict(self.__dict__)


@dataclass
class Reason:
    """A row, and what it was made of.

    Attributes
    ----------
    key, values : dict
        Column → value; columns that may be personal are left out.
    level : Level
    made : Execution or None
    expressions : dict
        Column → how it is made, as the step noted it; columns that pass as they are don't stand here.
    reproduced : bool or None
        Whether the step, over the rows below alone, made this row again. None where that was not tried.
    notes : list of str
        What is not told, and why.
    place : dict
        Of a bronze row: source, file and position (epoch, file, record).
    model : dict
        Of a score: name, version in the registry, epoch, run, dataset at its version, and what that was made of.
    reads : dict
        Tables at versions that are told as a whole.
    sources : list of Reason
    left_out : int
        How many more rows it was made of.
    """

    table: str
    version: int
    key: dict[str, Any]
    values: dict[str, Any]
    level: Level = "step"
    made: Execution | None = None
    expressions: dict[str, str] = field(default_factory=dict)
    reproduced: bool | None = None
    notes: list[str] = field(default_factory=list)
    place: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)
    sources: list[Reason] = field(default_factory=list)
    left_out: int = 0

    def all(self, seen: set[int] | None = None) -> Iterator[Reason]:
        """Yield this row and all that it comes from, each once."""
        seen = set() if seen is None else seen
        if id(self) not in seen:
            seen.add(id(self))
            yield self
            for each in self.sources:
                yield from each.all(seen)

    def as_dict(self, seen: set[int] | None = None) -> dict[str, Any]:
        """Return plain data; what a row comes from is told the first time that the row stands there."""
        seen = set() if seen is None else seen
        first = id(self) not in seen
        seen.add(id(self))
        return {
            "table": self.table,
            "version": self.version,
            "key": self.key,
            "values": self.values,
            "level": self.level,
            "step": self.made.as_dict() if self.made else None,
            "expressions": self.expressions,
            "reproduced": self.reproduced,
            "notes": self.notes,
            "place": self.place or None,
            "model": self.model or None,
            "reads": self.reads,
            "again": not first,
            "left_out": self.left_out,
            "from": [each.as_dict(seen) for each in self.sources] if first else [],
        }


@dataclass(frozen=True)
class Why:
    """The rows that a key names, and what they were made of.

    Attributes
    ----------
    left_out : int
        How many more rows have the key; -1 where they were not counted.
    hidden : tuple of str
        Columns that may be personal: no value of theirs is told.
    """

    table: str
    version: int
    key: dict[str, Any]
    rows: tuple[Reason, ...]
    left_out: int = 0
    hidden: tuple[str, ...] = ()

    @property
    def bronze(self) -> list[dict[str, Any]]:
        """The bronze rows at the bottom, each once: table, version, source, file and position."""
        seen: set[int] = set()
        found = [each for row in self.rows for each in row.all(seen) if each.place]
        told = [{"table": each.table, "version": each.version, **each.place} for each in found]
        return sorted(told, key=lambda each: (each["table"], tuple(each["position"].values())))

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``why --json``."""
        seen: set[int] = set()
        return {
            "table": self.table,
            "version": self.version,
            "key": self.key,
            "rows": [row.as_dict(seen) for row in self.rows],
            "bronze": self.bronze,
            "left_out": self.left_out,
            "hidden": list(self.hidden),
        }
