"""What a bench found, as plain frozen data: figures, the targets that they are held against, tables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Target:
    """A figure's target: `value` or more (``least``), or less than `value` (``most``); `label` for people."""

    figure: str
    value: float
    sense: Literal["least", "most"] = "most"
    label: str = ""

    def met(self, figures: dict[str, float]) -> bool:
        """Return whether the figure reaches the target."""
        found = figures[self.figure]
        return found >= self.value if self.sense == "least" else found < self.value


@dataclass(frozen=True)
class Table:
    """A table of the page: texts and numbers, as they are to be printed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Result:
    """What a bench found.

    Attributes
    ----------
    name, title : str
    figures : dict
        Name to value; units stand in the names.
    targets : tuple of Target
    comparisons : dict
        Ratios that compare two figures; `ratios` adds every figure's share of its target.
    tables, notes : tuple
        For the page: tables, and paragraphs on how clean the figures are.
    """

    name: str
    title: str
    figures: dict[str, float]
    targets: tuple[Target, ...] = ()
    comparisons: dict[str, float] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ratios(self) -> dict[str, float]:
        """The comparisons, and each figure over its target as ``<figure>_of_target``."""
        shares = {f"{each.figure}_of_target": self.figures[each.figure] / each.value for each in self.targets}
        return self.comparisons | {name: round(share, 4) for name, share in shares.items()}


def last_line(result: Result, machine: dict[str, Any]) -> str:
    """Return the JSON line that a bench prints last."""
    page = {"name": result.name, "ratios": result.ratios, "figures": result.figures, "machine": machine}
    return json.dumps(page)


def store(result: Result, machine: dict[str, Any], day: str, folder: Path = RESULTS) -> Path:
    """Write what the page needs of a bench to ``<folder>/<name>.json``, over what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{result.name}.json"
    page = asdict(result) | {"ratios": result.ratios, "machine": machine, "day": day}
    place.write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n")
    return place


def stored(names: Iterable[str], folder: Path = RESULTS) -> list[dict[str, Any]]:
    """Return what `store` wrote of these benches, in this order; those that never ran are left out."""
    places = [folder / f"{name}.json" for name in names]
    return [json.loads(place.read_text()) for place in places if place.exists()]
