"""The two things a section shows: a figure (drawing, legend, its numbers as a table) and a table."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Table:
    """A table of texts; a column named in `numeric` (by index) is set right with even digits."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | Markup, ...], ...]
    numeric: frozenset[int] = frozenset()
    caption: str = ""


@dataclass(frozen=True)
class Key:
    """A legend's entry: the class that colours it, its name, its value."""

    style: str
    name: str
    value: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing with what is needed to read it; `span` is third, half or full."""

    title: str
    drawing: Markup
    lead: str = ""
    legend: tuple[Key, ...] = ()
    table: Table | None = None
    span: str = "half"
