"""What is worth telling: a failure, late data, much quarantine, a success. Pure: numbers and names in, events out.

An event holds names, counts, times and coded texts; no row's value and no secret ever reaches one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

EventKind = Literal["failure", "late", "quarantine", "success"]


@dataclass(frozen=True)
class Event:
    """One thing that happened to one table, model or source.

    Attributes
    ----------
    subject : str
        The step's name, such as ``silver.flights``; ``run`` where the run itself broke.
    text : str
        What happened, in one sentence.
    fix : str
        What to do about it.
    """

    kind: EventKind
    subject: str
    text: str
    code: str = ""
    fix: str = ""
    owner: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the event as the webhook sends it."""
        return asdict(self)


def failure(subject: str, status: str, reason: str, error: dict[str, str] | None, owner: str | None) -> Event:
    """Return the event of a step that failed or was blocked."""
    if error is None:
        return Event("failure", subject, f"{status}: {reason}", owner=owner)
    return Event("failure", subject, f"{status}: {error['message']}", error["code"], error.get("fix", ""), owner)


def late(subject: str, newest: datetime | None, allowed_s: int, now: datetime, owner: str | None) -> Event | None:
    """Return the event of a table whose newest data is older than allowed; None where it is fresh.

    Parameters
    ----------
    newest : datetime or None
        The newest event or arrival; None where the table holds nothing.
    """
    if newest is None:
        return Event("late", subject, f"holds no data; no older than {span(allowed_s)} is allowed", owner=owner)
    age_s = (now - newest).total_seconds()
    if age_s <= allowed_s:
        return None
    text = f"the newest data is of {newest:%Y-%m-%d %H:%M} UTC, {span(age_s)} ago; {span(allowed_s)} are allowed"
    return Event("late", subject, text, fix="look whether its source delivers", owner=owner)


def quarantine(subject: str, broken: int, good: int, limit: float, owner: str | None) -> Event | None:
    """Return the event of a step whose quarantined share of the judged rows is above `limit`, None otherwise."""
    total = broken + good
    if not broken or broken <= limit * total:
        return None
    text = f"{broken:,} of {total:,} rows ({broken / total:.2%}) went to quarantine; {limit:.2%} is the limit"
    return Event("quarantine", subject, text, fix=f"see 'lakeloom quarantine {subject}'", owner=owner)


def success(subject: str, rows: int, seconds: float, owner: str | None) -> Event:
    """Return the event of a step that was done."""
    return Event("success", subject, f"done: {rows:,} rows in {seconds:.1f} s", owner=owner)


def span(seconds: float) -> str:
    """Return a length of time in the two largest units that people read: ``1 day 3 hours``."""
    left, parts = timedelta(seconds=round(max(seconds, 0))), []
    for name, unit in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or f"{left.seconds} second{'' if left.seconds == 1 else 's'}"
