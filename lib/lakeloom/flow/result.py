"""What a run did, as plain frozen data: for people, for ``--json`` and for ``meta.steps``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

StepStatus = Literal["done", "skipped", "failed", "blocked"]


# What is told of a stream.
STREAM = ("watermark", "late", "batches", "state_rows", "state_bytes", "since")


@dataclass(frozen=True)
class StepResult:
    """What one step did.

    Attributes
    ----------
    version : int or None
        The version that its table (or model) has now.
    seconds : float
    error : dict or None
        Code, where, message and fix of a failure.
    resources : dict or None
        What it took of the cluster, as `lakeloom.session.measure.Resources` names it; None where not measured.
    warnings : tuple of str
        What is worth mending, each with the setting that helps.
    changed : dict
        Cleansing verb → how many rows it changed, in the verbs' order.
    upkeep : tuple of dict
        What was done for each table that a step of upkeep keeps, as in ``upkeep --json``.
    export : dict
        Of an export: table and version, objects, removed (objects that were taken away), deleted (rows of a database).
    stream : dict
        Of a streaming table: watermark, late (rows), batches, state_rows, state_bytes, since (the epoch that it was
        last built anew at).
    latency_s : float or None
        From when the first of what it took arrived at its source to when it was published; None where that is unknown.
    """

    name: str
    kind: str
    status: StepStatus
    reason: str
    rows_in: int = 0
    rows_out: int = 0
    quarantined: int = 0
    version: int | None = None
    seconds: float = 0.0
    bytes: int = 0
    error: dict[str, str] | None = None
    resources: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    changed: dict[str, int] = field(default_factory=dict)
    upkeep: tuple[dict[str, Any], ...] = ()
    stream: dict[str, Any] = field(default_factory=dict)
    export: dict[str, Any] = field(default_factory=dict)
    latency_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``run --json``; what stands behind ``seconds`` only where there is any."""
        entry = asdict(self)
        for name in ("bytes", "error", "resources", "warnings", "changed", "upkeep", "stream", "export", "latency_s"):
            if entry[name] in (None, 0, (), {}):
                del entry[name]
        return entry


@dataclass(frozen=True)
class RunResult:
    """What a run did.

    Attributes
    ----------
    notifications : tuple of dict
        Who was told of it, and who could not be: channel, delivered, attempts, subject, error.
    """

    run_id: str
    status: Literal["done", "failed", "stopped"]
    started: str
    seconds: float
    steps: tuple[StepResult, ...] = field(default=())
    notifications: tuple[dict[str, Any], ...] = ()

    @property
    def exit_code(self) -> int:
        """0 done, 1 a step failed, 130 stopped by the user."""
        return {"done": 0, "failed": 1, "stopped": 130}[self.status]

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``run --json``."""
        told = {"notifications": list(self.notifications)} if self.notifications else {}
        return {"run_id": self.run_id, "status": self.status, "steps": [step.as_dict() for step in self.steps]} | told


class Listener(Protocol):
    """Who wants to know what a run does while it does it."""

    def started(self, name: str, kind: str, reason: str) -> None:
        """A step starts."""

    def finished(self, result: StepResult) -> None:
        """A step has ended."""


class Silent:
    """A listener that says nothing."""

    def started(self, name: str, kind: str, reason: str) -> None:
        """Say nothing."""

    def finished(self, result: StepResult) -> None:
        """Say nothing."""
