"""The rules of `check` for ``exports:``: what goes out is there, may go out, and goes to a place of its own."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from lakeloom.core.kinds import pick
from lakeloom.project.checks.problem import Problem, Schemas, columns_of, declared_in, hint, known_tables
from lakeloom.project.personal import guarded
from lakeloom.project.spec import Project
from lakeloom.sinks import SINKS
from lakeloom.sinks.base import Sink
from lakeloom.sinks.spec import ExportSpec


def exports_read_tables(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """What is exported is declared, and can tell what is asked of it."""
    known = known_tables(project) | {
        f"{section}.{name}"
        for section, entries in (("features", project.features), ("datasets", project.datasets))
        for name in declared_in(project, section, entries)
    }
    for name, export in project.exports.items():
        if export.source not in known:
            fix = hint(export.source, known) or "declare it"
            yield Problem(("exports", name, "from"), "LL-CONF-010", f"{export.source} is not declared", fix)
            continue
        table, bronze = project.tables.get(export.source), export.source.startswith("bronze.")
        if export.mode == "changes" and bronze:
            text = f"{export.source} is append-only: it has no changes"
            yield Problem(("exports", name, "mode"), "LL-TABLE-010", text, "write mode: new")
        elif export.mode != "whole" and not bronze and not (table is not None and table.write.change_feed):
            text, fix = f"{export.source} has no change feed, which tells what is new", "write mode: whole"
            fix = f"add change_feed: true to {export.source}'s write:" if table is not None else fix
            yield Problem(("exports", name, "mode"), "LL-TABLE-010", text, fix)


def exports_name_columns(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Columns that an export names are there, and its words go together."""
    for name, export in project.exports.items():
        kind, config = _opened(export)
        place = ("exports", name) if export.inline else ("exports", name, "to")
        for key, text in kind.problems(config, export.mode):
            yield Problem((*place, key), "LL-CONF-004", text)
        there = columns_of(project, export.source, schemas)
        there = set(export.columns) or there
        for key, columns in kind.columns(config).items():
            for column in columns if there is not None else ():
                if column not in there:  # type: ignore[operator]  # it is not None here
                    text = f"column '{column}' is not exported from {export.source}"
                    yield Problem((*place, key), "LL-TABLE-003", text, hint(column, there or ()))
        found = columns_of(project, export.source, schemas)
        for column in export.columns if found is not None else ():
            if column not in found:  # type: ignore[operator]  # it is not None here
                text = f"column '{column}' is not in {export.source}"
                yield Problem(("exports", name, "columns"), "LL-TABLE-003", text, hint(column, found or ()))


def personal_columns_stay(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A column that the project calls personal goes out only where the export names it."""
    hidden = guarded(project)
    for name, export in project.exports.items():
        out = set(export.columns) or columns_of(project, export.source, schemas) or set()
        # A contract names its columns also where more may come.
        out |= set() if export.columns else set(getattr(project.tables.get(export.source), "columns", ()))
        told = sorted(column for column in hidden & out if not export.allows(column))
        if told:
            text = f"{', '.join(told)} of {export.source} {'is' if len(told) == 1 else 'are'} personal"
            fix = f"leave it out by columns:, or say personal: [{', '.join(told)}]"
            yield Problem(("exports", name), "LL-SINK-001", text, fix)


def exports_differ(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """No two exports go to the same place."""
    taken: dict[str, str] = {}
    for name, export in project.exports.items():
        kind, config = _opened(export)
        here = kind.place(config)
        other = next((each for place, each in taken.items() if here.startswith(place) or place.startswith(here)), None)
        if other is not None:
            text = f"it goes where exports.{other} goes"
            yield Problem(("exports", name, "to"), "LL-CONF-002", text, "name a place of its own")
        taken[here] = name


def _opened(export: ExportSpec) -> tuple[type[Sink], BaseModel]:
    kind: type[Sink] = pick(export.kind, SINKS)
    return kind, kind.Config.model_validate(export.options)


RULES = (exports_read_tables, exports_name_columns, personal_columns_stay, exports_differ)
