"""Where a value of a plan comes from, and how values are put together into others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lakeloom.lineage.flows import Flow, Way

_LONGEST = 240


@dataclass(frozen=True)
class Value:
    """A column, or an expression over columns.

    Attributes
    ----------
    sources : frozenset of (str, str)
        Table and column; of a nested field with its path behind the column.
    beside : frozenset of Flow
        What flows into this value alone and is no part of it: a window's keys, the filter of a scalar subquery.
    text : str
    way : Way
    parts : mapping, optional
        Field → value, of a struct whose fields are known one by one.
    """

    sources: frozenset[tuple[str, str]] = frozenset()
    beside: frozenset[Flow] = frozenset()
    text: str = "?"
    way: Way = "made"
    parts: Mapping[str, Value] | None = field(default=None, compare=False)


NOTHING = Value()


def source(table: str, column: str) -> Value:
    """Return a table's column."""
    return Value(frozenset({(table, column)}), text=column, way="same")


def short(text: str) -> str:
    """Return a text that is cut where it grows too long to be read."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def together(values: Sequence[Value], text: str, *, way: Way | None = None, parts: bool = False) -> Value:
    """Return a value made of others.

    Parameters
    ----------
    way : Way, optional
        Aggregated where one of the values is, else made, by default.
    parts : bool
        Whether it is one of the values, so that a struct's fields are made of theirs.
    """
    sources = frozenset[tuple[str, str]]().union(*(value.sources for value in values))
    beside = frozenset[Flow]().union(*(value.beside for value in values))
    found: Way = "aggregated" if any(value.way == "aggregated" for value in values) else "made"
    fields = _fields([value for value in values if value.sources or value.parts], text) if parts else None
    return Value(sources, beside, short(text), way or found, fields)


def field_of(value: Value, name: str) -> Value:
    """Return a field of a struct: by itself where that is known, as a path into a source's column else."""
    if value.parts is not None and name in value.parts:
        part = value.parts[name]
        return replace(part, beside=part.beside | value.beside)
    text = short(f"{value.text}.{name}")
    if value.way == "same" and len(value.sources) == 1:
        ((table, column),) = value.sources
        return Value(frozenset({(table, f"{column}.{name}")}), value.beside, text, "same")
    return replace(value, text=text, parts=None)


def flows(values: Iterable[Value], how: str) -> frozenset[Flow]:
    """Return what decides about rows: the sources of `values`, and what stands beside them."""
    found: set[Flow] = set()
    for value in values:
        found |= {Flow(table, column, how, value.text) for table, column in value.sources}  # type: ignore[arg-type]
        found |= value.beside
    return frozenset(found)


def _fields(values: Sequence[Value], text: str) -> dict[str, Value] | None:
    if not values or any(value.parts is None for value in values):
        return None
    names = list(values[0].parts or ())
    if any(list(value.parts or ()) != names for value in values):
        return None
    return {name: together([(value.parts or {})[name] for value in values], f"{text}.{name}") for name in names}
