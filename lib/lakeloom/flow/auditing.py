"""Noting in the audit what people did that moves no ref, and taking over what does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lakeloom.core.users import who
from lakeloom.objects.path import Location
from lakeloom.store import audit
from lakeloom.store.lake import Lake


def noted(root: Location, action: str = "", **told: Any) -> None:
    """Bring the audit up to date, and add what was just done.

    Parameters
    ----------
    root : Path
        The storage root, whose lock the caller holds.
    action : str
        What was done; empty where the refs say it all.
    told : optional
        table, version, step, run, detail.
    """
    events = [{"at": datetime.now(UTC), "who": who(), "action": action} | told] if action else []
    audit.note(Lake(root), events)
