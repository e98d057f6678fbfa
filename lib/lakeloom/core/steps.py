"""Steps: the nodes of the graph, frozen, the same list for ``plan`` and ``run``.

A step is a *transform* (frame → frame) or an *action* (pinned inputs, an idempotency key, returns
facts). It names what it reads and writes; how it is carried out is the runner's business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

StepKind = Literal["land", "transform", "train", "tune", "materialise", "upkeep", "export"]
ReadMode = Literal["new", "whole", "changes"]
InputMode = Literal["new", "whole", "changes", "look"]
Basis = Literal["ingestion", "event"]
Facts = dict[str, Any]


@dataclass(frozen=True)
class Input:
    """A table that a step reads: its ``new`` rows since the last time, the ``whole`` of it, or its row ``changes``.

    At a table of mode ``look`` its rules look and its rows are not made of it: it must be published before, at
    a pinned version, and a change of it is no reason to run.
    """

    table: str
    mode: InputMode = "whole"


@dataclass(frozen=True)
class Window:
    """A span of time in which rows or files arrived, or events happened: ``[start, end)``, aware.

    Attributes
    ----------
    start, end : datetime or None
        None is without a bound.
    by : {'ingestion', 'event'}
    """

    start: datetime | None = None
    end: datetime | None = None
    by: Basis = "ingestion"

    def as_dict(self) -> dict[str, str | None]:
        """Return the window as plain data, with ISO times."""
        start, end = (time.isoformat() if time else None for time in (self.start, self.end))
        return {"start": start, "end": end, "by": self.by}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Window:
        """Return the window that `as_dict` wrote."""
        start, end = (datetime.fromisoformat(data[key]) if data[key] else None for key in ("start", "end"))
        return cls(start, end, data["by"])

    def holds(self, time: datetime) -> bool:
        """Return whether `time` lies in the window."""
        return (self.start is None or time >= self.start) and (self.end is None or time < self.end)

    def condition(self, column: str) -> str:
        """Return the window as an SQL condition on a timestamp column."""
        bounds = [(">=", self.start), ("<", self.end)]
        parts = [f"{column} {sign} timestamp'{time.isoformat()}'" for sign, time in bounds if time is not None]
        return " AND ".join(parts) or "true"

    def __str__(self) -> str:
        return " ".join(
            f"{word} {time.isoformat()}" for word, time in (("from", self.start), ("to", self.end)) if time is not None
        )


@dataclass(frozen=True)
class Step:
    """One node of the graph.

    Attributes
    ----------
    name : str
        ``bronze.flights``, ``silver.flights``, ``features.weather``, ``datasets.late_flights``,
        ``models.flight_late``, ``models.flight_late:tune`` …
    kind : StepKind
    reads : tuple of Input
    writes : tuple of str
        Tables (``layer.name``) or models (``models.name``) that this step publishes.
    spec : Any
        The frozen, typed configuration of the step.
    code : str
        Hash of the step's configuration and code (SQL text, function source).
    made : str
        The same without the table's rules: what its rows are made by; empty where it has none.
    exclusive : bool
        True where the step needs all slots and runs alone.
    """

    name: str
    kind: StepKind
    reads: tuple[Input, ...]
    writes: tuple[str, ...]
    spec: Any = field(compare=False, repr=False)
    code: str = ""
    exclusive: bool = False
    made: str = ""


def digest(*parts: Any) -> str:
    """Return 16 hexadecimal digits over `parts`, written as canonical JSON."""
    text = json.dumps(parts, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
