"""The rules of `check` for who is told what: channels, owners, freshness, and the limit of quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lakeloom.core.errors import LakeloomError
from lakeloom.core.kinds import pick
from lakeloom.notify import CHANNELS
from lakeloom.project.checks.problem import Problem, Schemas, columns_of, hint, of_error
from lakeloom.project.spec import Project
from lakeloom.tables.words import DurationText, Share

TIMES = ("date", "timestamp", "timestamp_ntz", "timestamp_ltz")
_ENVELOPE: dict[str, TypeAdapter[Any]] = {
    "freshness": TypeAdapter(DurationText), "quarantine_above": TypeAdapter(Share),
    "timeout": TypeAdapter(DurationText),
}  # fmt: skip


def channels_are_sound(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Each channel's kind is known, and its keys are those of its kind."""
    for index, entry in enumerate(project.settings.notify):
        path = ("notify", str(index))
        if "kind" not in entry:
            yield Problem(path, "LL-CONF-005", "kind is missing", f"add kind: one of {', '.join(sorted(CHANNELS))}")
            continue
        try:
            config = pick(str(entry["kind"]), CHANNELS).Config
            config.model_validate(entry)
        except ValidationError as cause:
            for error in cause.errors(include_url=False, include_input=False):
                yield of_error(path, error, config)
        except LakeloomError as error:
            yield Problem((*path, "kind"), error.code, error.message, error.fix)


def owners_have_addresses(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Where ``owners:`` gives addresses, every owner of a table or source is among them."""
    known = project.settings.owners
    if not known:
        return
    declared = [("tables", name, spec.owner) for name, spec in project.tables.items()]
    declared += [("sources", name, spec.owner) for name, spec in project.sources.items()]
    for section, name, owner in declared:
        if owner and owner not in known:
            fix = hint(owner, known) or f"add {owner} to owners:"
            yield Problem((section, name, "owner"), "LL-CONF-010", f"owner '{owner}' is not under owners:", fix)


def event_times_exist(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A table's event time is a column of it that holds times; freshness needs one."""
    for name, table in project.tables.items():
        path = ("tables", name, "event_time")
        if table.event_time is None:
            if table.freshness is not None:
                text = "freshness needs event_time: nothing else says how old the data is"
                yield Problem(("tables", name, "freshness"), "LL-CONF-005", text, "add event_time: a column")
            continue
        columns = columns_of(project, name, schemas)
        if columns is not None and table.event_time not in columns:
            text = f"column '{table.event_time}' is not in {name}"
            yield Problem(path, "LL-TABLE-003", text, hint(table.event_time, columns) or "declare it under columns:")
        declared = table.columns.get(table.event_time)
        if declared is not None and declared.type.lower() not in TIMES:
            text = f"'{table.event_time}' is {declared.type}, no date and no timestamp"
            yield Problem(path, "LL-CONF-004", text, "name a column of times")


def envelopes_are_sound(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A source's freshness and time limit are durations, its limit of quarantine a share."""
    for name, source in project.sources.items():
        for key, wanted in _ENVELOPE.items():
            try:
                wanted.validate_python(getattr(source, key)) if getattr(source, key) is not None else None
            except ValidationError as cause:
                message = cause.errors()[0]["msg"].removeprefix("Value error, ")
                yield Problem(("sources", name, key), "LL-CONF-004", f"{key}: {message}", "")


RULES = (channels_are_sound, owners_have_addresses, event_times_exist, envelopes_are_sound)
