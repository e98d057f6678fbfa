"""What a watch has to do when: the whole project at its due times, streaming tables each at its own interval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from lakeloom.flow.watch import Due, Interval

WHOLE = ""


class Agenda:
    """Due times of several things, of which the next one is waited for.

    Parameters
    ----------
    whole : Due, optional
        When the whole project runs.
    streams : mapping
        Step → how often it goes on or is looked after, which begins at once; or its own times.
    now : datetime
    at_once : bool
        Whether the whole project begins at once as well.
    """

    def __init__(self, whole: Due | None, streams: Mapping[str, Due], now: datetime, *, at_once: bool) -> None:
        self._plans: dict[str, Due] = {}
        self._at: dict[str, datetime] = {}
        if whole is not None:
            self._plans[WHOLE], self._at[WHOLE] = whole, now if at_once else whole.after(now)
        for name, plan in streams.items():
            self._plans[name], self._at[name] = plan, now if isinstance(plan, Interval) else plan.after(now)

    def change(self, whole: Due | None, streams: Mapping[str, Due], now: datetime) -> None:
        """Take up what the config says now; what is as it was keeps its due time."""
        plans: dict[str, Due] = {} if whole is None else {WHOLE: whole}
        plans |= streams
        self._at = {
            name: self._at[name] if self._plans.get(name) == plan else plan.after(now) for name, plan in plans.items()
        }
        self._plans = plans

    def postpone(self, name: str, until: datetime) -> None:
        """Let a step rest until then, where it has times of its own."""
        if name in self._at:
            self._at[name] = max(until, self._at[name])

    def after(self, time: datetime) -> datetime:
        """Return the next due time; it may have passed while something else was done."""
        return min(self._at.values())

    def latest(self, first: datetime, now: datetime) -> tuple[datetime, int]:
        """Return the last due time of what is due longest, and how many there were since `first`."""
        name = min(self._at, key=lambda each: self._at[each])
        return self._plans[name].latest(self._at[name], now)

    def take(self, now: datetime) -> list[str]:
        """Return what is due, `WHOLE` among it, and set each its next time."""
        due = [name for name, at in self._at.items() if at <= now]
        for name in due:
            plan = self._plans[name]
            self._at[name] = plan.after(plan.latest(self._at[name], now)[0])
        return due
