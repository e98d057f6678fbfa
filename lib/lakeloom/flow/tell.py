"""After the walk: who is to be told what, and the telling. Nothing here ever fails a run.

What a channel could not be told stands in the run's log and in its result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lakeloom.config.placeholders import resolve
from lakeloom.core.errors import LakeloomError
from lakeloom.core.kinds import pick
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.freshness import Freshness
from lakeloom.flow.journal import Journal
from lakeloom.flow.result import RunResult, StepResult
from lakeloom.notify import CHANNELS, events
from lakeloom.notify.delivery import Delivery, Letter, deliver
from lakeloom.notify.events import Event, EventKind
from lakeloom.notify.message import Message, compose
from lakeloom.project.spec import Project
from lakeloom.tables.words import share

Pause = Callable[[float], None]
_FIRST = {"failed": 0, "blocked": 1}


def tell(
    context: Context,
    steps: Sequence[Step],
    result: RunResult,
    fresh: Iterable[Freshness],
    journal: Journal,
    *,
    only: Collection[EventKind] | None = None,
    pause: Pause = time.sleep,
) -> list[Delivery]:
    """Tell the project's channels what a run did and which of its tables are late.

    Parameters
    ----------
    only : collection of {'failure', 'late', 'quarantine', 'success'}, optional
        What they are told of; of all that is their business by default.

    Returns
    -------
    list of Delivery
        What became of each message.
    """
    project = context.project
    if not project.settings.notify or result.status == "stopped":
        return []
    try:
        found = [*_of_steps(project, steps, result.steps), *_late(fresh)]
        found = [event for event in found if only is None or event.kind in only]
        told = send(project, found, run=result.run_id, pause=pause)
        for delivery in told:
            journal.log("notified" if delivery.delivered else "not notified", **delivery.as_dict())
        return told
    except Exception as cause:  # telling is a courtesy: a fault in it must not turn a run that went well into a failure
        journal.log("not notified", error=type(cause).__name__)
        return []


def tell_of_breakdown(context: Context, error: LakeloomError) -> None:
    """Tell that a run broke down as a whole; there may be no place left to log what becomes of it."""
    try:
        broken = events.failure("run", "broke down", "", error.as_dict(), None)
        send(context.project, [broken], run=context.run)
    except Exception:  # the breakdown itself is about to be raised and must not be hidden
        return


def tell_of_late(project: Project, found: Iterable[Freshness], *, pause: Pause = time.sleep) -> list[Delivery]:
    """Tell the project's channels which tables are late, outside of any run."""
    return send(project, list(_late(found)), pause=pause)


def send(project: Project, found: Sequence[Event], *, run: str = "", pause: Pause = time.sleep) -> list[Delivery]:
    """Send what is each channel's business; a channel whose config can't be resolved is not delivered to."""
    letters, refused = [], []
    owners = {
        owner: (addresses,) if isinstance(addresses, str) else tuple(addresses)
        for owner, addresses in project.settings.owners.items()
    }
    for index, entry in enumerate(project.settings.notify):
        where = f"notify.{index} {entry['kind']}"
        kind = pick(str(entry["kind"]), CHANNELS, where)
        raw = kind.Config.model_validate(entry)
        message = compose(
            found, on=raw.on, tables=raw.tables, owners=owners,
            project=project.name, env=project.settings.env, run=run,
        )  # fmt: skip
        if message is None:
            continue
        try:
            letters.append(Letter(where, kind, kind.Config.model_validate(resolve(entry, where)), message))
        except (LakeloomError, ValueError) as cause:
            refused.append(_refused(where, message, cause))
    return [*deliver(letters, pause=pause), *refused]


def _refused(where: str, message: Message, cause: Exception) -> Delivery:
    """Return a delivery that was not tried, since the channel's secrets or variables can't be had."""
    from lakeloom.core.errors import ConfigError

    error = cause if isinstance(cause, LakeloomError) else ConfigError(
        "LL-CONF-004", "the channel's config is wrong once its variables are set", where=where,
        fix="look at the variables that it names",
    )  # fmt: skip
    return Delivery(where, False, 0, message.subject, error.as_dict())


def _of_steps(project: Project, steps: Sequence[Step], results: Sequence[StepResult]) -> Iterator[Event]:
    specs = {step.name: step.spec for step in steps}
    for result in sorted(results, key=lambda each: _FIRST.get(each.status, len(_FIRST))):
        spec = specs.get(result.name)
        owner = getattr(spec, "owner", None) or None
        if result.status in ("failed", "blocked"):
            yield events.failure(result.name, result.status, result.reason, result.error, owner)
        elif result.status == "done":
            limit = _limit(project, spec)
            much = limit is not None and events.quarantine(
                result.name, result.quarantined, result.rows_out, limit, owner
            )
            if much:
                yield much
            yield events.success(result.name, result.rows_out, result.seconds, owner)


def _late(found: Iterable[Freshness]) -> Iterator[Event]:
    now = datetime.now(UTC)
    for each in found:
        event = events.late(each.table, each.newest, each.allowed_s, now, each.owner)
        if event is not None:
            yield event


def _limit(project: Project, spec: Any) -> float | None:
    own = getattr(spec, "quarantine_above", None)
    return share(own) if own is not None else project.settings.quarantine_above
