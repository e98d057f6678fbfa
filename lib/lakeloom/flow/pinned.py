"""What an execution on main takes over from a branch's, so that it makes the same rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pinned:
    """What an execution on main takes from the branch's.

    Attributes
    ----------
    promote : str
        The promote's id.
    reads : dict
        Input → the version that the branch read, for inputs that the branch did not write itself.
    """

    branch: str
    promote: str
    reads: dict[str, int]
