"""Sources that keep failing are asked with growing pauses, so that a dead one costs the others less and less."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_S, MOST_S = 15.0, 900.0


class Patience:
    """How often each source has failed in a row, and until when it rests.

    Parameters
    ----------
    first_s, most_s : float
        The pause after the first failure, which doubles with each, and the longest.
    """

    def __init__(self, first_s: float = FIRST_S, most_s: float = MOST_S) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._failed: dict[str, int] = {}
        self._until: dict[str, datetime] = {}

    def failed(self, name: str, now: datetime) -> datetime:
        """Note a failure; return until when the source rests."""
        count = self._failed[name] = self._failed.get(name, 0) + 1
        # So many doublings pass any limit.
        seconds = min(self._first_s * 2.0 ** min(count - 1, 30), self._most_s)
        self._until[name] = now + timedelta(seconds=seconds)
        return self._until[name]

    def answered(self, name: str) -> None:
        """Note that the source has answered: it is as before the first failure."""
        self._failed.pop(name, None)
        self._until.pop(name, None)

    def resting(self, now: datetime) -> dict[str, str]:
        """Return the sources that rest, each with why, in words."""
        return {
            name: f"failed {self._failed[name]} times in a row: asked again at {until:%H:%M:%S} UTC"
            if self._failed[name] > 1
            else f"it failed: asked again at {until:%H:%M:%S} UTC"
            for name, until in self._until.items()
            if until > now
        }
