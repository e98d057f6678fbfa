"""Sending what a run has to tell to others: tried again, and never a reason for the run to fail."""

from __future__ import annotations

from collections.abc import Callable

from lakeloom.core.posting import tried
from lakeloom.core.secrets import Secret


def attempt(
    work: Callable[[], None], attempts: int, where: str, pause: Callable[[float], None]
) -> tuple[int, dict[str, str] | None]:
    """Do `work`, again where what stopped it may pass; return how often it was tried, and the error as plain data."""
    try:
        made, error = tried(work, attempts, pause=pause)
        return made, error.as_dict() if error else None
    except Exception as cause:  # publishing is a courtesy, like telling
        return 1, {"code": "LL-RUN-006", "where": where, "message": f"it raised {type(cause).__name__}", "fix": ""}


def plain(value: str | Secret) -> str:
    """Return a setting that was resolved, a secret as it is sent."""
    return value.reveal() if isinstance(value, Secret) else value
