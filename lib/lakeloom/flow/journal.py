"""The record of a run: ``meta.runs`` and ``meta.steps``, and the run's log as JSON lines.

The tables are projections: all that stands in them stands in intents, commits and the runs' logs as well, from which
`lakeloom.flow.recovery` rebuilds them.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.core.secrets import mask
from lakeloom.flow.result import RunResult, StepResult
from lakeloom.store.lake import Lake
from lakeloom.store.meta import append, rows

RUNS = TableName("meta", "runs")
STEPS = TableName("meta", "steps")
RUN = {"run_id": "string", "kind": "string", "name": "string", "started": "timestamp", "seconds": "double",
        "status": "string", "mlflow_run": "string", "reads": "string"}  # fmt: skip
STEP = {"run_id": "string", "step": "string", "kind": "string", "status": "string", "reason": "string",
         "epoch": "long", "rows_in": "long", "rows_out": "long", "quarantined": "long", "version": "long",
         "seconds": "double", "bytes": "long", "ended": "timestamp", "error": "string",
         "slots": "long", "jobs": "long", "tasks": "long", "failed_tasks": "long", "task_seconds": "double",
         "cpu_seconds": "double", "bytes_read": "long", "bytes_written": "long", "shuffle_bytes": "long",
         "spilled_bytes": "long", "warnings": "string", "latency_s": "double"}  # fmt: skip


class Journal:
    """Appends what happens in one run to its log, and to the meta tables when it ends."""

    def __init__(self, lake: Lake, run: str, folder: Path) -> None:
        self.lake, self.run = lake, run
        self.events: list[dict[str, Any]] = []
        self._file = folder / "log.jsonl"
        self._steps: list[dict[str, Any]] = []
        self._runs: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def log(self, event: str, **facts: Any) -> None:
        """Write one event to the run's log."""
        line = json.dumps({"at": datetime.now(UTC).isoformat(), "event": event} | facts, default=str)
        try:
            with self._lock:
                self.events.append(json.loads(line))
                self._file.parent.mkdir(parents=True, exist_ok=True)
                with self._file.open("a", encoding="utf-8") as stream:
                    stream.write(mask(line) + "\n")
        except OSError as cause:
            raise StoreError(
                "LL-STORE-004",
                f"the run's log can't be written ({cause.strerror})",
                where=str(self._file.parent),
                fix="free the disk or mend the rights",
            ) from cause
        logging.getLogger("lakeloom").info("%s %s", event, facts.get("step", ""))

    def step(self, result: StepResult, epoch: int | None, slots: int = 1) -> None:
        """Note a step's result, and how many slots it held while it ran."""
        more = {"epoch": epoch, "slots": slots, "ended": datetime.now(UTC).isoformat()}
        told = result.as_dict() | more
        with self._lock:
            self._steps.append(step_row(self.run, told))
        self.log(f"step {result.status}", **told)

    def model(self, name: str, kind: str, facts: dict[str, Any], started: datetime, reads: dict[str, int]) -> None:
        """Note a training or tuning: one entry of its own in ``meta.runs``."""
        told = {"kind": kind, "name": name, "started": started.isoformat(), "seconds": facts.get("seconds", 0.0),
                "status": "done", "mlflow_run": facts.get("mlflow_run"), "reads": reads}  # fmt: skip
        self._runs.append(run_row(self.run, told))
        self.log("model made", **told)

    def close(self, result: RunResult, reads: dict[str, int], project: str) -> None:
        """Write the run and its steps to the meta tables."""
        told = {"kind": "run", "name": project, "started": result.started, "seconds": result.seconds,
                "status": result.status, "reads": reads}  # fmt: skip
        self._runs.append(run_row(self.run, told))
        self.log("run ended", **told)
        append(self.lake, STEPS, STEP, self._steps)
        append(self.lake, RUNS, RUN, self._runs)


def step_row(run: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of ``meta.steps`` of a step's event in a run's log."""
    error = told.get("error")
    row = dict(told) | {"run_id": run, "step": told["name"], "ended": datetime.fromisoformat(told["ended"])}
    row |= {"error": f"{error['code']} {error['message']}" if error else None}
    return row | (told.get("resources") or {}) | {"warnings": "; ".join(told.get("warnings") or ()) or None}


def run_row(run: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of ``meta.runs`` of an event in a run's log."""
    reads = json.dumps(told["reads"], sort_keys=True)
    return dict(told) | {"run_id": run, "started": datetime.fromisoformat(told["started"]), "reads": reads}


def runs(lake: Lake) -> list[dict[str, Any]]:
    """Return the entries of ``runs --json``, newest first; one a run, one a training or tuning."""
    # By their ids, which sort as the runs began, also where the clock went back between them.
    order = ("run_id", "later", "started")
    every = [row | {"later": row["kind"] != "run"} for row in rows(lake, RUNS)]
    found = sorted(every, key=lambda row: tuple(row[name] for name in order), reverse=True)
    return [
        {
            "run_id": row["run_id"],
            "kind": row["kind"],
            "name": row["name"],
            "started": row["started"].isoformat(),
            "status": row["status"],
            "mlflow_run": row["mlflow_run"],
            "reads": json.loads(row["reads"] or "{}"),
        }
        for row in found
    ]


def steps(lake: Lake, run: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of ``meta.steps`` in the order in which the steps ended, of one run or of all."""
    found = [row for row in rows(lake, STEPS) if run is None or row["run_id"] == run]
    return sorted(found, key=lambda row: row["ended"])
