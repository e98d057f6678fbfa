"""Keeping what readers of published tables lean on: a change that breaks it is refused unless it is asked for.

Twice: before anything is started, of all that the declarations tell, and of each table that is built anew when its
rows are there and not yet written, since only they tell what a function or a star gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lakeloom.config.load import Raw
from lakeloom.core.errors import ContractError
from lakeloom.core.findings import Finding
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.radius import Broken, breaking, broken_of
from lakeloom.flow.standing import standing
from lakeloom.project.spec import Project
from lakeloom.project.typing import Reader
from lakeloom.store import refs
from lakeloom.store.intents import Intent
from lakeloom.tables.breaking import Break, Shape, breaks
from lakeloom.tables.history import SPAN

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FIX = "keep what is there, or let it break: lakeloom run --allow-breaking"


def apart(project: Project) -> bool:
    """Return whether nobody else reads what the project writes: a branch or a sample is there to try things out."""
    return project.settings.branch is not None or project.settings.sample is not None


def keep(project: Project, patterns: Sequence[str] = ()) -> None:
    """Refuse a change of the selected steps that breaks a published table (LL-TABLE-011)."""
    if not apart(project):
        refuse(breaking(project, patterns))


def refuse(found: Iterable[Broken]) -> None:
    """Raise LL-TABLE-011 where anything breaks, with all of it."""
    broken = tuple(found)
    if broken:
        tables = ", ".join(dict.fromkeys(each.what.table for each in broken))
        raise ContractError(
            "LL-TABLE-011",
            "the change breaks what readers lean on:\n" + "\n".join(f"    {each}" for each in broken),
            where=tables,
            fix=FIX,
            broken=[each.as_dict() for each in broken],
        )


def findings(raw: Raw, project: Project) -> list[Finding]:
    """Return the same as findings, each at its line."""
    if apart(project):
        return []
    reader = Reader(raw)
    known = len(reader.findings)
    for each in breaking(project):
        reader.add(_place(each.what), "LL-TABLE-011", str(each), "keep what is there, or say --allow-breaking")
    return reader.findings[known:]


def _place(found: Break) -> tuple[str, ...]:
    layer, _, name = found.table.partition(".")
    section = {"bronze": "sources", "features": "features", "datasets": "datasets"}.get(layer)
    if section is not None:
        return (section, name)
    return ("tables", found.table, *(("columns", found.column) if found.column else ("keys",)))


def keep_made(context: Context, step: Step, intent: Intent, frame: DataFrame) -> None:
    """Refuse rows whose columns break the published table that they are to take the place of (LL-TABLE-011)."""
    table, good = step.writes[0], refs.good(context.lake)
    if intent.breaking or not intent.full or intent.replay or apart(context.project):
        return
    if table not in good or not context.lake.exists(table):
        return
    before = standing(context.lake, table, good[table])
    made = {name: kind for name, kind in frame.dtypes if name[:1] != "_"}
    # What the way of writing adds is there whatever the rows are; what keys and NULLs say is told by the declaration.
    made |= dict.fromkeys(SPAN, "") if step.spec.write.mode == "scd2" else {}
    refuse(broken_of(context.project, breaks(table, Shape(before.columns), Shape(made))))
