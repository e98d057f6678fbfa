"""The radius of a change: what differs from what stands, what that reaches, what is built anew, and what breaks.

Nothing is started or written. What changed is told by the code of each step against that of its last execution, and
by column where that noted how it made its columns; what is reached, by the recorded lineage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from lakeloom.core.steps import Step
from lakeloom.flow.journal import runs
from lakeloom.flow.standing import Figures, columns_there, figures, prints_of, standing
from lakeloom.lineage.assembled import newest
from lakeloom.lineage.columns import ColumnGraph, Place
from lakeloom.lineage.graph import kind_of
from lakeloom.lineage.made import Executions, Kept
from lakeloom.lineage.reach import Start, reached
from lakeloom.objects.path import beside
from lakeloom.project.about import owner_of
from lakeloom.project.changes import StepChange, changed
from lakeloom.project.graph import is_table
from lakeloom.project.graph import steps as graph
from lakeloom.project.prints import printed
from lakeloom.project.select import select
from lakeloom.project.shapes import declared
from lakeloom.project.spec import Project
from lakeloom.store import refs
from lakeloom.store.intents import Intents, Record
from lakeloom.store.lake import Lake
from lakeloom.tables.breaking import Break, breaks

_ASIDE = ("quarantine", "aside", "meta")


@dataclass(frozen=True)
class Reach:
    """Something that a change reaches.

    Attributes
    ----------
    id : str
        ``layer.table.column``, ``layer.table`` for its rows, ``models.name``.
    kind : str
        column, feature (of a view), dataset (a column of one), study, model, score (a column of a table of scores),
        or table (its rows).
    how : tuple of str
    sure : bool
        False where it is only possible: the change, or a step on the way, can't be told by column.
    of : tuple of str
        What is changed that it comes from.
    owner : str
    """

    id: str
    kind: str
    how: tuple[str, ...]
    sure: bool
    of: tuple[str, ...]
    owner: str = ""


@dataclass(frozen=True)
class Broken:
    """Something of a published table that its readers lose, and who they are."""

    what: Break
    owner: str
    reached: tuple[Reach, ...] = ()

    def __str__(self) -> str:
        head = f"{self.what}" + (f" (owner {self.owner})" if self.owner else "")
        told = [
            f"{each.id} ({', '.join(each.how)}{f'; owner {each.owner}' if each.owner else ''})" for each in self.reached
        ]
        return head + (f"; it reaches {', '.join(told)}" if told else "")

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``plan --json``."""
        return asdict(self.what) | {"owner": self.owner, "reached": [asdict(each) for each in self.reached]}


@dataclass(frozen=True)
class Removed:
    """A table, model or study that stands, and that nothing makes any more: its declaration is gone.

    Attributes
    ----------
    step : str
    version : int
        At which it stays.
    owner : str
        Who answered for it, as the table itself tells.
    reached : tuple of Reach
        What its rows went into, by the last executions of what is still declared.
    """

    step: str
    version: int
    owner: str
    reached: tuple[Reach, ...]


@dataclass(frozen=True)
class Radius:
    """How far what is changed in code, config or schema reaches.

    Attributes
    ----------
    changes : tuple of StepChange
    removed : tuple of Removed
        What stands and is not declared any more.
    reached : tuple of Reach
    reports : tuple of dict
        Runs' reports that tell of what is changed or reached: run, file, of.
    rebuild : tuple of Figures
        The steps that build their table anew, or train again, with what that took when they last did.
    breaking : tuple of Broken
    """

    changes: tuple[StepChange, ...] = ()
    removed: tuple[Removed, ...] = ()
    reached: tuple[Reach, ...] = ()
    reports: tuple[dict[str, Any], ...] = ()
    rebuild: tuple[Figures, ...] = ()
    breaking: tuple[Broken, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether all that stands was made by what is declared now."""
        return not (self.changes or self.removed)

    @property
    def seconds(self) -> float:
        """Of all that is built anew, by the last executions."""
        return round(sum(each.seconds for each in self.rebuild), 3)

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``diff --json`` without a table."""
        return {
            "changes": [each.as_dict() for each in self.changes],
            "removed": [asdict(each) for each in self.removed],
            "reached": [asdict(each) for each in self.reached],
            "reports": list(self.reports),
            "rebuild": [each.as_dict() for each in self.rebuild],
            "seconds": self.seconds,
            "bytes_read": sum(each.bytes_read for each in self.rebuild),
            "bytes_written": sum(each.bytes_written for each in self.rebuild),
            "breaking": [each.as_dict() for each in self.breaking],
        }


def radius(project: Project, patterns: Sequence[str] = ()) -> Radius:
    """Return how far the changes of the selected steps reach.

    Raises
    ------
    RunError
        LL-RUN-001 for a pattern that selects nothing.
    """
    return _Ground(project).radius(patterns)


def reach_of(project: Project, starts: Iterable[Start]) -> tuple[Reach, ...]:
    """Return what changed columns and rows of tables reach, whatever changed them."""
    return _Ground(project).reach(starts)


def breaking(project: Project, patterns: Sequence[str] = ()) -> tuple[Broken, ...]:
    """Return what the changes of the selected steps break; an execution that was let through before goes on."""
    ground = _Ground(project)
    return ground.broken(ground.changed(patterns))


def broken_of(project: Project, found: Iterable[Break]) -> tuple[Broken, ...]:
    """Return what breaks with its owner, and what of it is reached."""
    return _Ground(project).told(found)


class _Ground:
    """What stands under a project's root, each part read when it is asked for."""

    def __init__(self, project: Project) -> None:
        self.project, self.lake = project, Lake(project.root)
        self.intents, self.steps = Intents(project.root), graph(project)

    @cached_property
    def good(self) -> dict[str, int]:
        return refs.good(self.lake)

    @cached_property
    def declared(self) -> set[str]:
        return {table for step in self.steps for table in step.writes}

    @cached_property
    def executions(self) -> Executions:
        return Executions(self.lake.root, [step.name for step in self.steps])

    @cached_property
    def columns(self) -> ColumnGraph:
        return newest(self.executions, Kept(self.lake.root))

    @cached_property
    def opaque(self) -> dict[str, list[str]]:
        """Table → what is made of it by steps whose last execution noted no flows."""
        kept, made, found = Kept(self.lake.root), self.executions.newest, dict[str, list[str]]()
        for step in self.steps:
            table = step.writes[0]
            if step.kind in ("land", "upkeep") or (table in made and kept.of(made[table].key) is not None):
                continue
            read = {each.table for each in step.reads if each.mode != "look"}
            # It may stand on what is declared no more.
            read |= set(made[table].reads) - self.declared if table in made else set()
            for each in sorted(read):
                found.setdefault(each, []).append(table)
        return found

    @cached_property
    def scores(self) -> set[str]:
        return {model.scores for model in self.project.models.values() if model.scores}

    @cached_property
    def runs(self) -> dict[str, str]:
        """Run → the project that it was of."""
        return {run["run_id"]: run["name"] for run in runs(self.lake) if run["kind"] == "run"}

    def changed(self, patterns: Sequence[str]) -> list[tuple[Step, Record]]:
        """Return the selected steps whose code is not that of their last execution, with it."""
        found = []
        for step in select(self.steps, patterns):
            last = None if step.kind == "upkeep" else self.intents.published(step.name)
            if last is not None and last.intent.code != step.code:
                found.append((step, last))
        return found

    def radius(self, patterns: Sequence[str]) -> Radius:
        changed, removed = self.changed(patterns), self.removed(patterns)
        if not changed:
            return Radius(removed=removed)
        changes = tuple(self._change(step, last) for step, last in changed)
        found = self.reach(start for change in changes for start in change.starts())
        affected = {change.table for change in changes if not change.nothing}
        affected |= {Place.parse(each.id).table for each in found}
        return Radius(changes, removed, found, self._reports(affected), self._rebuilt(changes), self.broken(changed))

    def removed(self, patterns: Sequence[str]) -> tuple[Removed, ...]:
        """Return what stands of steps that are declared no more, of those that a pattern means."""
        names = [name for name in self.intents.steps() if name not in self.declared and name in self.good]
        cores = [pattern.removeprefix("+").removesuffix("+") for pattern in patterns] or ["*"]
        names = [name for name in names if any(fnmatchcase(name, core) for core in cores) and self._ours(name)]
        return tuple(self._removed(name) for name in names if not is_table(name) or self.lake.exists(name))

    def _removed(self, name: str) -> Removed:
        told = self.lake.delta(name, self.good[name]).metadata().configuration if is_table(name) else {}
        reached = tuple(each for each in self.reach([Start(name)]) if Place.parse(each.id).table != name)
        return Removed(name, self.good[name], told.get("lakeloom.owner", ""), reached)

    def _ours(self, name: str) -> bool:
        """Return whether it was not another project on this root that has made it."""
        last = self.intents.published(name)
        return last is not None and self.runs.get(last.intent.run, self.project.name) == self.project.name

    def _change(self, step: Step, last: Record) -> StepChange:
        schemas = {
            read.table: columns_there(self.lake, self.good, read.table) for read in step.reads if is_table(read.table)
        }
        table = step.writes[0]
        there = columns_there(self.lake, self.good, table) if is_table(table) else {}
        forward = step.kind == "land" or getattr(step.spec, "on_change", "rebuild") == "forward"
        after = printed(self.project, step, schemas)
        return changed(step.name, table, prints_of(self.lake, last), after, list(there), rebuild=not forward)

    def reach(self, starts: Iterable[Start]) -> tuple[Reach, ...]:
        begun = list(starts)
        if not begun:
            return ()
        found = []
        for each in reached(self.columns, begun, self.opaque):
            place = Place.parse(each.node)
            if place.table.partition(".")[0] in _ASIDE or place.column[:1] == "_":
                continue
            owner = owner_of(self.project, place.table)
            found.append(Reach(each.node, self._kind(place), each.how, each.sure, each.of, owner))
        return tuple(found)

    def _kind(self, place: Place) -> str:
        kind = kind_of(place.table)
        if kind in ("model", "study", "export"):
            return kind
        if not place.column:
            return "table"
        return "score" if place.table in self.scores else {"view": "feature", "dataset": "dataset"}.get(kind, "column")

    def broken(self, changed: Iterable[tuple[Step, Record]]) -> tuple[Broken, ...]:
        found: list[Broken] = []
        for step, _ in changed:
            table, latest = step.writes[0], self.intents.latest(step.name)
            through = latest is not None and latest.crashed and latest.intent.breaking
            if through or table not in self.good or not is_table(table) or not self.lake.exists(table):
                continue
            before = standing(self.lake, table, self.good[table])
            found += self.told(breaks(table, before, declared(self.project, step)))
        return tuple(found)

    def told(self, found: Iterable[Break]) -> tuple[Broken, ...]:
        return tuple(
            Broken(
                each,
                owner_of(self.project, each.table),
                self.reach([Start(f"{each.table}.{each.column}" if each.column else each.table)]),
            )
            for each in found
        )

    def _rebuilt(self, changes: Iterable[StepChange]) -> tuple[Figures, ...]:
        begun = {change.step for change in changes if change.rebuild}
        moved = {
            table for step in self.steps if step.name in {change.step for change in changes} for table in step.writes
        }
        found = []
        for step in self.steps:
            if step.kind in ("upkeep", "land"):
                continue
            read = [each for each in step.reads if each.table in moved and each.mode != "look"]
            moved |= set(step.writes) if read else set()
            if step.name in begun or any(each.mode == "whole" for each in read):
                found.append(figures(self.intents, step))
        return tuple(found)

    def _reports(self, tables: Iterable[str]) -> tuple[dict[str, Any], ...]:
        by_run: dict[str, list[str]] = {}
        for table in sorted(tables):
            made = self.executions.newest.get(table)
            if made is not None:
                by_run.setdefault(made.run, []).append(table)
        files = {run: beside(self.lake.root) / "runs" / run / "report.html" for run in sorted(by_run)}
        return tuple(
            {"run": run, "file": str(file), "of": by_run[run]} for run, file in files.items() if file.is_file()
        )
