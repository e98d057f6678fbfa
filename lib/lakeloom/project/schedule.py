"""``schedule:``: when a project runs, and how a scheduler treats its steps.

One cron line of five fields drives `watch`, the Databricks bundle and the Airflow DAG. It is read by
cronsim, which treats a change of the clock as Debian's cron does; what only some schedulers know
(seconds, ``@daily``, ``L``, ``W``, ``#``) is refused, so that the line means the same everywhere.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from lakeloom.core.durations import Duration
from lakeloom.core.errors import ConfigError, ExportError
from lakeloom.features.spec import DurationText
from lakeloom.tables.words import Strict

MOST = 10_000
_ONE = r"(\d{1,2}|[A-Za-z]{3})"
_ITEM = rf"(\*|{_ONE}(-{_ONE})?)(/\d{{1,2}})?"
_FIELD = re.compile(rf"{_ITEM}(,{_ITEM})*")
_FIELDS = ("minute", "hour", "day of month", "month", "day of week")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def _refuse(reason: str, fix: str) -> PydanticCustomError:
    error = ConfigError("LL-CONF-017", reason, fix=fix)
    return PydanticCustomError("LL-CONF-017", "{reason}", {"reason": reason, "error": error})


def _cron(text: str) -> str:
    from cronsim import CronSimError

    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _refuse(
            f"cron '{text}' has {len(fields)} fields, not five: {', '.join(_FIELDS)}", "write it like 0 5 * * *"
        )
    for name, field in zip(_FIELDS, fields, strict=True):
        if not _FIELD.fullmatch(field):
            raise _refuse(
                f"cron '{text}': '{field}' is no {name}: numbers, names, *, lists, ranges and steps are",
                "write it like 0 5 * * 1-5",
            )
    try:
        _parsed(text, datetime.now(UTC))
    except CronSimError as cause:
        said = str(cause).removeprefix("Bad ").replace("-", " ")
        raise _refuse(f"cron '{text}': the {said} is out of range", "write it like 0 5 * * *") from None
    return " ".join(fields)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of the database, or no name at all
        raise _refuse(f"'{name}' is no time zone", "name it like UTC or Europe/Oslo") from None
    return name


def _parsed(text: str, after: datetime) -> Any:
    from cronsim import CronSim

    return CronSim(text, after)


class Schedule(Strict):
    """When a project runs.

    Attributes
    ----------
    cron : str
        Minute, hour, day of month, month, day of week; five fields.
    timezone : str
        Name of a zone in the IANA database.
    paused : bool
        True: exported, and not run.
    retries : int
        How often a scheduler tries a failed step again, beyond what the runner itself does.
    retry_after : Duration
        The wait before that.
    timeout : Duration
        How long a step may take.
    """

    cron: Annotated[str, AfterValidator(_cron)]
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    paused: bool = False
    retries: int = Field(default=1, ge=0, le=10)
    retry_after: DurationText = Duration(5, "minute")
    timeout: DurationText = Duration(6, "hour")

    def after(self, time: datetime) -> datetime:
        """Return the first due time after `time`; both are aware, the result is in UTC."""
        due = next(_parsed(self.cron, time.astimezone(ZoneInfo(self.timezone))))
        return due.astimezone(UTC)

    def latest(self, first: datetime, now: datetime) -> tuple[datetime, int]:
        """Return the last due time up to `now`, and how many there were since the due time `first`.

        Counting ends at `MOST`; the time is `now` itself then.
        """
        for count in range(MOST):
            following = self.after(first)
            if following > now:
                return first, count
            first = following
        return now, MOST

    def quartz(self) -> str:
        """Return the line as Quartz writes it, which counts days of the week from 1 and wants one ``?``.

        Raises
        ------
        ExportError
            LL-EXPORT-002 where both kinds of day are bound: cron takes either, Quartz knows no such thing.
        """
        minute, hour, day, month, weekday = self.cron.split()
        if day != "*" and weekday != "*":
            raise ExportError(
                "LL-EXPORT-002",
                f"cron '{self.cron}' binds the day of the month and the day of the week; Quartz can bind one only",
                where="schedule.cron",
                fix="write * for one of the two",
            )
        parsed = _parsed(self.cron, datetime.now(UTC))
        days = ",".join(_DAYS[each] for each in sorted({each % 7 for each in parsed.weekdays}))
        return " ".join(
            (
                "0",
                _numbers(minute, parsed.minutes),
                _numbers(hour, parsed.hours),
                "?" if weekday != "*" else _numbers(day, parsed.days),
                _numbers(month, parsed.months),
                days if weekday != "*" else "?",
            )
        )


def _numbers(field: str, values: set[int]) -> str:
    """Return the values of a field, runs of three and more as a range."""
    if field == "*":
        return field
    found: list[str] = []
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    for run in runs:
        found += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(value) for value in run]
    return ",".join(found)
