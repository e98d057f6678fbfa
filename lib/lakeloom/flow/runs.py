"""The ids of runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path


def new_run_id(work: Path) -> str:
    """Return a run's id: its start in UTC to the microsecond, so that ids sort as the runs of a machine began.

    Where the clock has gone back, it is the last run's id and a microsecond.
    """
    now = _id_of(datetime.now(UTC))
    last = max((name for name in _names(work / "runs") if _RUN_ID.fullmatch(name)), default="")
    if now > last:
        return now
    return _id_of(datetime.strptime(last, _RUN_FORM).replace(tzinfo=UTC) + timedelta(microseconds=1))


_RUN_FORM = "%Y%m%dT%H%M%S-%f"
_RUN_ID = re.compile(r"\d{8}T\d{6}-\d{6}")


def _id_of(time: datetime) -> str:
    return f"{time:{_RUN_FORM}}"


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []


def began(run: str) -> datetime | None:
    """Return when a run began, by its id; None for what is no run's id."""
    return datetime.strptime(run, _RUN_FORM).replace(tzinfo=UTC) if _RUN_ID.fullmatch(run) else None
