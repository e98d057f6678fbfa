"""What steps, tables and models took, from ``meta.steps`` and the storage root, and what that costs somewhere.

The resources were measured once; price files are laid over them, so that places can be compared on the
same work. Measured resources say nothing of how fast the same work would be elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from lakeloom.api.prices import GIB, Prices
from lakeloom.core.errors import ConfigError
from lakeloom.core.names import NOT_TABLES, TableName
from lakeloom.core.steps import Step
from lakeloom.objects.path import Location, ObjectPath, beside

By = Literal["step", "table", "model"]
_SUMMED = ("seconds", "slot_seconds", "task_seconds", "cpu_seconds", "bytes_read", "bytes_written", "shuffle_bytes",
           "spilled_bytes")  # fmt: skip


@dataclass(frozen=True)
class Usage:
    """What one step, table or model took.

    Attributes
    ----------
    executions, unmeasured : int
        How often it ran, failures included, and how often of these Spark's figures could not be had.
    seconds, slot_seconds : float
        Wall time, and wall time times the slots held.
    task_seconds, cpu_seconds : float
        Summed over Spark's tasks.
    stored_bytes : int
        On the storage now, with all history; quarantined rows count for the table that they came from.
    """

    name: str
    executions: int = 0
    unmeasured: int = 0
    seconds: float = 0.0
    slot_seconds: float = 0.0
    task_seconds: float = 0.0
    cpu_seconds: float = 0.0
    bytes_read: int = 0
    bytes_written: int = 0
    shuffle_bytes: int = 0
    spilled_bytes: int = 0
    stored_bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        names = ("executions", "unmeasured", *_SUMMED, "stored_bytes")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})

    def cost(self, prices: Prices) -> dict[str, float]:
        """Return ``compute`` for what ran, and ``storage_month`` for a month of what is stored."""
        rates = prices.rates
        compute = (
            self.slot_seconds / 3600 * rates.slot_hour
            + self.task_seconds / 3600 * rates.task_hour
            + self.bytes_read / GIB * rates.read_gib
            + self.bytes_written / GIB * rates.written_gib
            + self.shuffle_bytes / GIB * rates.shuffle_gib
        )
        return {"compute": compute, "storage_month": self.stored_bytes / GIB * rates.stored_gib_month}


@dataclass(frozen=True)
class Cost:
    """Usages, dearest or largest first, their total, and the price files laid over them."""

    by: By
    usages: tuple[Usage, ...]
    total: Usage
    prices: tuple[Prices, ...]
    runs: int

    def comparison(self) -> list[dict[str, Any]]:
        """Return the totals by price file; ``vs_first`` is how many times dearer than the first, in its currency."""
        found: list[dict[str, Any]] = []
        first = self.total.cost(self.prices[0])["compute"] if self.prices else 0.0
        for prices in self.prices:
            cost = self.total.cost(prices)
            same = prices.currency == self.prices[0].currency and first > 0
            ratio = round(cost["compute"] / first, 4) if same else None
            about = {"name": prices.name, "currency": prices.currency, "note": prices.note}
            found.append({**about, **cost, "vs_first": ratio})
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``cost --json``."""
        return {
            "by": self.by,
            "runs": self.runs,
            "rows": [self._entry(usage) for usage in self.usages],
            "total": self._entry(self.total),
            "prices": self.comparison(),
        }

    def _entry(self, usage: Usage) -> dict[str, Any]:
        return asdict(usage) | {"costs": {prices.name: usage.cost(prices) for prices in self.prices}}


def cost(
    root: Location, rows: Iterable[Mapping[str, Any]], steps: Sequence[Step], prices: Sequence[Prices], by: By = "step",
    *, since: datetime | None = None, run: str | None = None,
) -> Cost:  # fmt: skip
    """Return what each step, table or model took.

    Parameters
    ----------
    root : Path
        The storage root, for what is stored.
    rows : iterable of mapping
        As in ``meta.steps``.
    steps : sequence of Step
        The graph: it says which steps belong to a model.
    since, run : optional
        Count only steps that ended since then, or in that run.

    Raises
    ------
    ConfigError
        LL-CONF-004 for an unknown `by`.
    """
    if by not in get_args(By):
        raise ConfigError("LL-CONF-004", f"costs are told by {', '.join(get_args(By))}, not by '{by}'")
    ran = [
        row
        for row in rows
        if row["status"] in ("done", "failed")
        and (since is None or row["ended"] >= since)
        and (run is None or row["run_id"] == run)
    ]
    owner = _models(steps) if by == "model" else {}
    found: dict[str, Usage] = {}
    for row in ran:
        name = owner.get(row["step"]) if by == "model" else row["step"]
        if name is None or (by == "table" and not _is_table(name)):
            continue
        found[name] = found.get(name, Usage(name)) + _usage(name, row)
    for name, size in _stored(root, by, owner).items():
        found[name] = replace(found.get(name, Usage(name)), stored_bytes=size)
    total = sum(found.values(), Usage("total"))

    def weight(usage: Usage) -> float:
        return usage.cost(prices[0])["compute"] if prices else usage.slot_seconds

    ordered = sorted(found.values(), key=lambda usage: (-weight(usage), usage.name))
    return Cost(by, tuple(ordered), total, tuple(prices), len({row["run_id"] for row in ran}))


def _usage(name: str, row: Mapping[str, Any]) -> Usage:
    figures = {figure: row.get(figure) or 0 for figure in _SUMMED if figure != "slot_seconds"}
    slots = (row.get("seconds") or 0.0) * (row.get("slots") or 1)
    return Usage(name, 1, int(row.get("tasks") is None), slot_seconds=slots, **figures)


def _is_table(step: str) -> bool:
    return step.partition(".")[0] not in NOT_TABLES


def _models(steps: Sequence[Step]) -> dict[str, str]:
    """Return step → model for a model's search, training and scoring."""
    found = {}
    for step in steps:
        if step.kind in ("train", "tune"):
            found[step.name] = step.name.partition(".")[2]
        for read in step.reads:
            if read.table.startswith("models."):
                found[step.name] = read.table.partition(".")[2]
    return found


def _stored(root: Location, by: By, owner: Mapping[str, str]) -> dict[str, int]:
    """Return name → bytes under the storage root, history and logs among them."""
    found: dict[str, int] = {}
    for folder in root.glob("tables/*/*"):
        name = _table_of(folder.parent.name, folder.name)
        key = owner.get(name) if by == "model" else name
        if key is not None:
            found[key] = found.get(key, 0) + _size(folder)
    for folder in beside(root).glob("models/*"):
        key = {"model": folder.name, "step": f"models.{folder.name}"}.get(by)
        if key is not None:
            found[key] = found.get(key, 0) + _size(folder)
    return found


def _table_of(layer: str, name: str) -> str:
    """Return the table that a folder's bytes count for: quarantined rows count for the table they came from."""
    if layer == "quarantine" and "__" in name:
        origin, _, table = name.partition("__")
        return f"{origin}.{table}"
    return str(TableName(layer, name))


def _size(folder: Location) -> int:
    if isinstance(folder, ObjectPath):
        return sum(facts.st_size for _, facts in folder.walk())
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
