"""The lines of a run's log → the facts that metrics and traces are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ENDED = ("step done", "step skipped", "step failed", "step blocked")
_NUMBERS = ("rows_in", "rows_out", "quarantined", "bytes")


@dataclass(frozen=True)
class StepFacts:
    """One step: when it began, how it ended, its numbers, the code of its error."""

    name: str
    kind: str
    status: str
    started: datetime
    seconds: float
    numbers: Mapping[str, float] = field(default_factory=dict)
    code: str = ""

    @property
    def ended(self) -> datetime:
        """When it ended."""
        return self.started + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class RunFacts:
    """One run.

    Attributes
    ----------
    status : str
        done, failed or stopped; ``running`` where its log has no end.
    newest : dict
        Table → (newest data, allowed age in seconds), of tables that declare ``freshness``.
    """

    run: str
    project: str
    env: str
    status: str
    started: datetime
    seconds: float
    steps: tuple[StepFacts, ...] = ()
    newest: Mapping[str, tuple[datetime, int]] = field(default_factory=dict)

    @property
    def ended(self) -> datetime:
        """When it ended, or what was last heard of it."""
        return self.started + timedelta(seconds=self.seconds)


def facts(log: Iterable[Mapping[str, Any]], *, run: str, project: str, env: str) -> RunFacts:
    """Return the facts of a run.

    Parameters
    ----------
    log : iterable of mapping
        The events of its log, oldest first; at least one.
    """
    events = list(log)
    started = datetime.fromisoformat(events[0]["at"])
    end = next((event for event in reversed(events) if event["event"] == "run ended"), None)
    last = (datetime.fromisoformat(events[-1]["at"]) - started).total_seconds()
    fresh = next((event for event in reversed(events) if event["event"] == "freshness"), None)
    newest = {
        each["table"]: (datetime.fromisoformat(each["newest"]), int(each["allowed_s"]))
        for each in (fresh or {}).get("tables", ())
        if each["newest"]
    }
    steps = tuple(_step(event) for event in events if event["event"] in ENDED)
    status, seconds = (end["status"], end["seconds"]) if end else ("running", round(last, 3))
    return RunFacts(run, project, env, status, started, seconds, steps, newest)


def _step(event: Mapping[str, Any]) -> StepFacts:
    seconds = float(event.get("seconds") or 0.0)
    resources = event.get("resources") or {}
    numbers = {name: event[name] for name in _NUMBERS if event.get(name) is not None}
    numbers |= _of_stream(event.get("stream") or {})
    code = str((event.get("error") or {}).get("code", ""))
    started = datetime.fromisoformat(event["at"]) - timedelta(seconds=seconds)
    return StepFacts(event["name"], event["kind"], event["status"], started, seconds, numbers | resources, code)


def _of_stream(told: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a streaming table: late rows, what its query remembers, its watermark as a timestamp."""
    found = {name: told[name] for name in ("late", "state_rows", "state_bytes") if name in told}
    watermark = told.get("watermark")
    return found | ({"watermark": datetime.fromisoformat(watermark).timestamp()} if watermark else {})
