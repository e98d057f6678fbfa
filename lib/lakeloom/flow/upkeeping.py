"""Upkeep on demand: of chosen tables, now, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from lakeloom.core.errors import RunError
from lakeloom.core.kinds import nearest
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.result import Listener, RunResult
from lakeloom.flow.runner import run
from lakeloom.flow.upkeep import outlook
from lakeloom.project.graph import steps as graph
from lakeloom.project.spec import Project


@dataclass(frozen=True)
class UpkeepResult:
    """What upkeep did, table by table, or would do.

    Attributes
    ----------
    tables : tuple of dict
        table, version, done (what, and why), skipped (why nothing), files_before, files_after, bytes_rewritten,
        files_deleted, bytes_freed, left (files that only older versions need), gone (versions that can't be read any
        more), kept (versions that can, and why).
    run : RunResult or None
        None where it was only asked what would be done.
    """

    tables: tuple[dict[str, Any], ...]
    run: RunResult | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 1 a step failed, 130 stopped by the user."""
        return self.run.exit_code if self.run else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``upkeep --json``."""
        return {"tables": list(self.tables), "run": self.run.as_dict() if self.run else None}


def keep(project: Project, patterns: Sequence[str] = (), *, listener: Listener | None = None) -> UpkeepResult:
    """Do the upkeep of the chosen tables that exist.

    Raises
    ------
    RunError
        LL-RUN-001 for a pattern that selects nothing, LL-RUN-002 where a run holds the root.
    """
    names = [step.name for step in _chosen(Context.of(project, "upkeep"), patterns)]
    if not names:
        return UpkeepResult(())
    ran = run(project, names, listener=listener, upkeep=True)
    return UpkeepResult(tuple(entry for step in ran.steps for entry in step.upkeep), ran)


def ahead(project: Project, patterns: Sequence[str] = ()) -> UpkeepResult:
    """Return what `keep` would do; nothing is started or written.

    Raises
    ------
    RunError
        LL-RUN-001 for a pattern that selects nothing.
    """
    context, now = Context.of(project, "upkeep"), datetime.now(UTC)
    found = [each for step in _chosen(context, patterns) for each in outlook(context, step, now)]
    return UpkeepResult(tuple(each.as_dict() for each in found))


def _chosen(context: Context, patterns: Sequence[str]) -> list[Step]:
    """Return the steps of upkeep whose tables are meant and exist."""
    found = {_table(step): step for step in graph(context.project, upkeep=True) if step.kind == "upkeep"}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in found):
            near = nearest(pattern, list(found))
            raise RunError(
                "LL-RUN-001", f"'{pattern}' selects no table; the tables are {', '.join(found)}",
                fix=f"use '{near}'" if near else "see 'lakeloom tables'",
            )  # fmt: skip
    chosen = [step for name, step in found.items() if not patterns or any(fnmatchcase(name, each) for each in patterns)]
    # Of a table that was never written there is nothing to keep.
    return [step for step in chosen if all(context.lake.exists(read.table) for read in step.reads)]


def _table(step: Step) -> str:
    return step.reads[0].table if step.reads else "meta"
