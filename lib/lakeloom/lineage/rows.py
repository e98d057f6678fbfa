"""What a node of a plan gives: columns with their values, and what decides about its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lakeloom.lineage.flows import Flow
from lakeloom.lineage.values import Value, together


@dataclass(frozen=True)
class Output:
    """A column that a node of a plan gives."""

    id: int
    name: str
    value: Value


@dataclass(frozen=True)
class Rows:
    """What a node of a plan gives: its columns in order, and what decides about its rows."""

    outputs: tuple[Output, ...]
    beside: frozenset[Flow] = frozenset()

    @property
    def values(self) -> list[Value]:
        """The columns' values."""
        return [output.value for output in self.outputs]

    @property
    def sources(self) -> list[frozenset[tuple[str, str]]]:
        """From where each column's value comes."""
        return [value.sources for value in self.values]

    @property
    def env(self) -> dict[int, Value]:
        """Id → value."""
        return {output.id: output.value for output in self.outputs}


def union(sets: Iterable[frozenset[Flow]]) -> frozenset[Flow]:
    """Return all flows of some sets."""
    return frozenset[Flow]().union(*sets)


def laid_over(below: Sequence[Rows]) -> Rows:
    """Return rows of several queries, one after the other: a column is what it is in each of them."""
    outputs = []
    for index, first in enumerate(below[0].outputs):
        outputs.append(Output(first.id, first.name, one_of([rows.values[index] for rows in below])))
    return Rows(tuple(outputs), union(rows.beside for rows in below))


def one_of(values: Sequence[Value]) -> Value:
    """Return what is one of several values: it is a source's column as it is where they all are."""
    told = [value for value in values if value.sources or value.parts or value.beside] or list(values[:1])
    if len(told) == 1:
        return told[0]
    texts = list(dict.fromkeys(value.text for value in told))
    if all(value.way == "same" for value in told):
        return together(told, texts[0] if len(texts) == 1 else " | ".join(texts), way="same", parts=True)
    return together(told, " | ".join(texts), parts=True)
