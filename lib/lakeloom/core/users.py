"""Who works here: the name of the system's user."""

from __future__ import annotations

import getpass


def who() -> str:
    """Return the user's name, ``unknown`` for a container's user without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
