"""What ``exports:`` says of an export, whatever its sink: which rows of which table, how much of them, for whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, field_validator

from lakeloom.quality.conditions import fault
from lakeloom.sinks.base import Mode
from lakeloom.tables.words import Strict

# The keys that are the same for all kinds; what stands beside them is the kind's own where `to` is an address.
ENVELOPE = ("from", "to", "mode", "columns", "where", "personal", "owner", "description")


class ExportWords(Strict):
    """The envelope of one export.

    Attributes
    ----------
    source : str
        ``from``: the table.
    to : str or dict
        An address of objects or a folder; or a mapping with ``kind``.
    mode : {'whole', 'new', 'changes'}
        All of the table's last good version; the rows that came since the last time; or what became of its rows
        since, deletions among them.
    columns : tuple of str
        Which of them, in which order; all but the platform's own marks by default.
    where : str, optional
        Only the rows of which this SQL condition is true.
    personal : bool or tuple of str
        Which columns go out although the project calls them personal.
    """

    source: str = Field(alias="from")
    to: str | dict[str, Any]
    mode: Mode = "whole"
    columns: tuple[str, ...] = ()
    where: str | None = None
    personal: Literal[True] | tuple[str, ...] = ()
    owner: str | None = None
    description: str | None = None

    @field_validator("where")
    @classmethod
    def _sound(cls, where: str | None) -> str | None:
        problem = fault(where) if where else None
        if problem:
            raise ValueError(problem)
        return where


@dataclass(frozen=True)
class ExportSpec:
    """One entry of ``exports:``: the envelope; `options` is what its kind reads, placeholders unresolved."""

    name: str
    source: str
    kind: str
    mode: Mode
    options: dict[str, Any] = field(compare=False)
    columns: tuple[str, ...] = ()
    where: str | None = None
    personal: Literal[True] | tuple[str, ...] = ()
    owner: str | None = None
    description: str | None = None
    inline: bool = True

    def allows(self, column: str) -> bool:
        """Return whether a column may go out although it is called personal."""
        return self.personal is True or column in self.personal
