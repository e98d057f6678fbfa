"""A run's figures for the tools that watch it, from the run's own log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lakeloom.api.runs import events, newest
from lakeloom.objects.path import Location
from lakeloom.telemetry import prometheus
from lakeloom.telemetry.facts import facts
from lakeloom.telemetry.samples import Sample, samples


@dataclass(frozen=True)
class Metrics:
    """The samples of one run."""

    run: str
    samples: tuple[Sample, ...]

    def text(self) -> str:
        """Return them in Prometheus' text exposition."""
        return prometheus.text(self.samples)

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``metrics --json``."""
        return {"run_id": self.run, "samples": [sample.as_dict() for sample in self.samples]}


def of_run(root: Location, run: str | None, project: str, env: str) -> Metrics:
    """Return the figures of a run, by default the newest; raises LL-RUN-003 where there is none."""
    log = events(root, run)
    chosen = run or newest(root) or ""
    return Metrics(chosen, tuple(samples(facts(log, run=chosen, project=project, env=env))))
