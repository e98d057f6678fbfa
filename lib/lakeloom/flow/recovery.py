"""Rebuilding the platform's own tables, but refs and audit: they are projections of what was written first.

A run's log says all that ``meta.runs`` and ``meta.steps`` say of it. Of a run whose log is gone, the intents
and their facts tell what was executed, by when and with what result; what was skipped left no trace then.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakeloom.core.names import TableName
from lakeloom.flow import journal
from lakeloom.flow.auditing import noted
from lakeloom.flow.runs import began
from lakeloom.objects.path import Location, ObjectPath, beside
from lakeloom.store.intents import Intents, Record
from lakeloom.store.lake import Lake
from lakeloom.store.lock import locked
from lakeloom.store.meta import append

_STEPS = ("step done", "step skipped", "step failed", "step blocked")
_KINDS = {"bronze": "land", "models": "train", "features": "materialise", "datasets": "materialise",
          "upkeep": "upkeep", "exports": "export"}  # fmt: skip
_MODELS = {"models": "train", "tuning": "tune"}
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Recovered:
    """What was rebuilt: table → rows; and of how many runs the log was there, or only the intents."""

    tables: dict[str, int]
    by_log: int
    by_intents: int

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``recover --json``."""
        return {"tables": self.tables, "by_log": self.by_log, "by_intents": self.by_intents}


def recover(root: Location, project: str, *, wait_s: float = 0.0) -> Recovered:
    """Rebuild ``meta.runs`` and ``meta.steps``; killed on its way, the same call begins again.

    Raises
    ------
    RunError
        LL-RUN-002 where a run holds the root.
    """
    lake = Lake(root)
    with locked(root, wait_s):
        runs, steps, told = _of_logs(root, project)
        lost_runs, lost_steps = _of_intents(root, project, told)
        _written(lake, journal.RUNS, journal.RUN, [*runs, *lost_runs])
        _written(lake, journal.STEPS, journal.STEP, [*steps, *lost_steps])
        noted(root, "recover", detail="meta.runs, meta.steps")
    counts = {str(journal.RUNS): len(runs) + len(lost_runs), str(journal.STEPS): len(steps) + len(lost_steps)}
    return Recovered(counts, len(told), len({row["run_id"] for row in lost_runs}))


def _written(lake: Lake, table: TableName, columns: Mapping[str, str], rows: Rows) -> None:
    """Put a table of these rows in the place of what was there."""
    place, root = lake.folder(table), lake.root
    if isinstance(place, ObjectPath) or isinstance(root, ObjectPath):
        # Nothing can be moved there; who is killed between the two finds less, and calls again.
        assert isinstance(place, ObjectPath)
        place.clear()
        append(lake, table, columns, rows)
        return
    draft = root / "drafts" / "meta"
    shutil.rmtree(draft, ignore_errors=True)
    append(Lake(draft), table, columns, rows)
    shutil.rmtree(place, ignore_errors=True)
    if rows:
        place.parent.mkdir(parents=True, exist_ok=True)
        Path(Lake(draft).path(table)).replace(place)
    shutil.rmtree(draft, ignore_errors=True)


def _of_logs(root: Location, project: str) -> tuple[Rows, Rows, set[str]]:
    runs: Rows = []
    steps: Rows = []
    told = set()
    for file in sorted((beside(root) / "runs").glob("*/log.jsonl")):
        run, events = file.parent.name, _events(file)
        told.add(run)
        end = next((event for event in events if event["event"] == "run ended"), None)
        if end is None:  # it was killed, and told nobody how it ended
            continue
        started = next((event["at"] for event in events if event["event"] == "run started"), end["at"])
        epochs = {event["step"]: event["epoch"] for event in events if event["event"] == "step started"}
        for event in events:
            if event["event"] == "model made":
                runs.append(journal.run_row(run, event))
            elif event["event"] in _STEPS:
                # Logs of older releases lack what stands first here.
                more = {"epoch": epochs.get(event["name"]), "slots": 1, "ended": event["at"]}
                steps.append(journal.step_row(run, more | event))
        more = {"kind": "run", "name": project, "started": started, "reads": {}}
        runs.append(journal.run_row(run, more | end))
    return runs, steps, told


def _events(file: Path) -> Rows:
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # the last line of a run that was killed while it wrote
            continue
    return found


def _of_intents(root: Location, project: str, told: set[str]) -> tuple[Rows, Rows]:
    """Return what the intents say of runs that have no log."""
    intents = Intents(root)
    steps: Rows = []
    models: Rows = []
    for name in intents.steps():
        for record, ended in intents.ended(name):
            if record.intent.run in told:
                continue
            steps.append(_step(name, record, ended))
            kind = _MODELS.get(name.partition(".")[0])
            if kind is not None and record.facts is not None:
                told_of = {"kind": kind, "name": name, "started": record.intent.clock, "status": "done",
                           "seconds": record.facts.get("seconds", 0.0), "reads": record.intent.reads,
                           "mlflow_run": record.facts.get("mlflow_run")}  # fmt: skip
                models.append(journal.run_row(record.intent.run, told_of))
    return [*models, *_runs(steps, project)], steps


def _step(name: str, record: Record, ended: datetime) -> dict[str, Any]:
    facts, layer = record.facts or {}, name.partition(".")[0]
    kept = ("rows_in", "rows_out", "quarantined", "version", "seconds")
    told: dict[str, Any] = {fact: facts[fact] for fact in kept if fact in facts}
    told |= {"resources": facts.get("resources"), "warnings": facts.get("warnings"), "bytes": facts.get("bytes")}
    told |= {"name": name, "kind": _KINDS.get(layer, "transform"), "epoch": record.intent.epoch, "error": record.failed,
             "status": "done" if record.failed is None else "failed", "ended": ended.isoformat()}  # fmt: skip
    return journal.step_row(record.intent.run, told)


def _runs(steps: Iterable[Mapping[str, Any]], project: str) -> Rows:
    by: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        by.setdefault(step["run_id"], []).append(step)
    found = []
    for run, made in by.items():
        started, last = began(run), max(step["ended"] for step in made)
        started = started or min(step["ended"] for step in made)
        status = "failed" if any(step["status"] == "failed" for step in made) else "done"
        told = {"kind": "run", "name": project, "started": started.astimezone(UTC).isoformat(), "status": status,
                "seconds": round((last - started).total_seconds(), 3), "reads": {}}  # fmt: skip
        found.append(journal.run_row(run, told))
    return found
