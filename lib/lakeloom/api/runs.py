"""The runs' own logs: ``<root>/runs/<run_id>/log.jsonl``, which also a killed run leaves behind."""

from __future__ import annotations

import json
import re
from typing import Any

from lakeloom.core.errors import RunError
from lakeloom.core.steps import Window
from lakeloom.objects.path import Location, beside

_ENDED = ("step done", "step skipped")


def newest(root: Location) -> str | None:
    """Return the id of the newest run, None where there is none; ids sort by their start."""
    return max((file.parent.name for file in (beside(root) / "runs").glob("*/log.jsonl")), default=None)


def events(root: Location, run: str | None = None) -> list[dict[str, Any]]:
    """Return a run's events, oldest first: each has ``at``, ``event`` and its facts.

    Raises
    ------
    RunError
        LL-RUN-003 where there is no run, or none of that id.
    """
    chosen = run or newest(root)
    if chosen is None:
        raise RunError("LL-RUN-003", "there is no run yet", fix="'lakeloom run' makes one")
    file = beside(root) / "runs" / chosen / "log.jsonl"
    if not re.fullmatch(r"[\w.-]+", chosen) or not file.is_file():
        raise RunError("LL-RUN-003", f"there is no run '{chosen}'", fix="see 'lakeloom runs'")
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # the last line of a run that was killed while it wrote
            continue
    return found


def interrupted(root: Location) -> str | None:
    """Return the id of the backfill that the newest run was a part of, where it has not ended."""
    from lakeloom.store.backfills import Backfills

    name = _started(root).get("backfill")
    return name if name and not Backfills(root).ended(name) else None


def window(root: Location) -> Window | None:
    """Return the window of time that the newest run was given."""
    found = _started(root).get("window")
    return Window.of(found) if found else None


def _started(root: Location) -> dict[str, Any]:
    log = events(root) if newest(root) else []
    return next((entry for entry in log if entry["event"] == "run started"), {})


def unfinished(root: Location) -> list[str]:
    """Return the steps of the newest run that were neither done nor skipped: failed, blocked or not reached."""
    if newest(root) is None:
        raise RunError("LL-RUN-003", "there is no run yet", fix="'lakeloom run' makes one")
    log = events(root)
    wanted: list[str] = next((entry.get("steps", []) for entry in log if entry["event"] == "run started"), [])
    ended = {entry.get("name") for entry in log if entry["event"] in _ENDED}
    return [name for name in wanted if name not in ended]
