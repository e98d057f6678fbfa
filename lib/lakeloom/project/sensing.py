"""``when:``, what makes `lakeloom watch` run a step: files arrive, rows appear, a table changed, or it is time.

Written as the event alone, with how often it is looked for, or with a cron line::

    when: files arrive
    when: {rows appear: 30 seconds}
    when: {time: 0 5 * * *, timezone: Europe/Oslo}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lakeloom.core.durations import parse
from lakeloom.core.errors import ConfigError
from lakeloom.core.kinds import nearest
from lakeloom.core.steps import Step
from lakeloom.project.schedule import Schedule
from lakeloom.project.spec import Project, SourceSpec

# Event → how often it is looked for, in seconds: a listing costs little, a query its database something.
EVENTS = {"files arrive": 2, "rows appear": 10, "table changed": 2}
TIME = "time"
_OF_KINDS = {"files": "files arrive", "jdbc": "rows appear"}


@dataclass(frozen=True)
class Sensor:
    """What a step waits for.

    Attributes
    ----------
    event : str
        One of `EVENTS`, or ``time``.
    every_s : int
        How often it is looked for; 0 for a time.
    schedule : Schedule or None
        Of a time.
    """

    event: str
    every_s: int = 0
    schedule: Schedule | None = None


def sensor(value: Any, where: str, fits: Sequence[str], timezone: str = "UTC") -> Sensor:
    """Return what ``when:`` says.

    Parameters
    ----------
    fits : sequence of str
        The events that the step can wait for, beside a time.
    timezone : str
        Of cron lines that name none.

    Raises
    ------
    ConfigError
        LL-CONF-022 for an event that is none or not this step's, LL-CONF-017 for a malformed cron line or zone,
        LL-CONF-004 for a malformed duration.
    """
    valid = ", ".join([*fits, f"{{{TIME}: 0 5 * * *}}"])
    told = {value: None} if isinstance(value, str) else dict(value) if isinstance(value, Mapping) else {}
    zone = told.pop("timezone", None)
    event = next(iter(told), "")
    if len(told) != 1 or (event not in fits and event != TIME):
        near = nearest(str(event), [*fits, TIME])
        raise ConfigError(
            "LL-CONF-022", f"when: is one of {valid}; this is {value!r:.60}", where=where,
            fix=f"write when: {near}" if near and near != TIME else "take one of them",
        )  # fmt: skip
    if event != TIME:
        if zone is not None:
            raise ConfigError("LL-CONF-022", "a time zone is for a time", where=where, fix="leave timezone out")
        return Sensor(event, parse(str(told[event]), where).seconds if told[event] is not None else EVENTS[event])
    line = told[TIME]
    if not isinstance(line, str):
        raise ConfigError("LL-CONF-022", "a time is a cron line", where=where, fix=f"write when: {{{TIME}: 0 5 * * *}}")
    try:
        return Sensor(TIME, schedule=Schedule(cron=line, timezone=zone or timezone))
    except ValidationError as cause:
        error = (cause.errors()[0].get("ctx") or {}).get("error")
        raise error if isinstance(error, ConfigError) else ConfigError("LL-CONF-017", str(cause)) from None


def fitting(spec: Any) -> Sequence[str]:
    """Return the events that a source or table can wait for, beside a time."""
    if isinstance(spec, SourceSpec):
        return (_OF_KINDS[spec.kind],) if spec.kind in _OF_KINDS else ("files arrive", "rows appear")
    return ("table changed",)


def sensors(project: Project, steps: Iterable[Step]) -> dict[str, Sensor]:
    """Return what each step waits for that says so."""
    zone = project.settings.schedule.timezone if project.settings.schedule else "UTC"
    found = {}
    for step in steps:
        value = getattr(step.spec, "when", None)
        if value is not None and step.kind in ("land", "transform"):
            found[step.name] = sensor(value, step.name, fitting(step.spec), zone)
    return found


def reach(steps: Sequence[Step], name: str, apart: Iterable[str]) -> list[str]:
    """Return a step and all that is made of it, but for those that wait for something themselves.

    Parameters
    ----------
    steps : sequence of Step
        In the data's order.
    apart : iterable of str
        The steps that wait for something themselves.
    """
    others, writes, found = set(apart) - {name}, set[str](), list[str]()
    for step in steps:
        reads = any(read.table in writes and read.mode != "look" for read in step.reads)
        if step.name == name or (reads and step.name not in others):
            found.append(step.name)
            writes |= set(step.writes)
    return found


def able(steps: Sequence[Step], names: Iterable[str], made: Iterable[str]) -> list[str]:
    """Return those of `names` whose inputs have been made, or are made by others of them before."""
    wanted, there, found = set(names), set(made), []
    for step in steps:
        if step.name in wanted and all(read.table in there for read in step.reads):
            found.append(step.name)
            there |= set(step.writes)
    return found
