"""Promoting a branch: what it built anew is built on main, of the very versions that the branch read.

Whatever a branch rebuilt was rebuilt from inputs that main has as well, under the same numbers, since a
branch lands nothing. So main's execution gets an intent with those versions and the same code, and makes the
same rows; then an ordinary run takes up what has come to main since, and what is downstream follows.

Two promotes wait for one another by main's lock. The second is refused where the first has changed the code
of a step that its own branch does not know: it would take that change back.

Each execution carries the promote's id in its intent. Killed at any moment, the next promote of the branch
goes on with the executions that are missing; one that was carried out is never made again, whatever came after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import BranchError
from lakeloom.core.steps import Step, digest
from lakeloom.flow.auditing import noted
from lakeloom.flow.branching import Branched
from lakeloom.flow.pinned import Pinned
from lakeloom.flow.result import Listener, RunResult
from lakeloom.flow.runner import run
from lakeloom.project.graph import steps as graph
from lakeloom.project.spec import Project
from lakeloom.store.branches import promoted
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intents, Record
from lakeloom.store.lake import Lake
from lakeloom.store.lock import locked

_NOT = ("land", "upkeep", "export")


@dataclass(frozen=True)
class Promoted:
    """What a promote did.

    Attributes
    ----------
    branch : str
    steps : tuple of str
        What was built anew at the branch's inputs.
    runs : tuple of RunResult
        The run that did so, and the one that took up what had come to main since.
    """

    branch: str
    steps: tuple[str, ...]
    runs: tuple[RunResult, ...]

    @property
    def exit_code(self) -> int:
        """0 done, 1 a step failed, 130 stopped by the user."""
        return max((each.exit_code for each in self.runs), default=0)

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``promote --json``."""
        status = "done" if self.exit_code == 0 else self.runs[-1].status
        told = {"branch": self.branch, "status": status, "steps": list(self.steps)}
        return told | {"runs": [each.as_dict() for each in self.runs]}


def promote(project: Project, name: str, *, listener: Listener | None = None, allow_breaking: bool = True) -> Promoted:
    """Build on main what a branch has built, at the same inputs, and let main go on from there.

    Parameters
    ----------
    project : Project
        Main's.
    allow_breaking : bool
        As for `lakeloom.flow.runner.run`.

    Raises
    ------
    BranchError
        LL-BRANCH-001 for an unknown branch, LL-BRANCH-003 where it has not run the code as it is, LL-BRANCH-004
        where a step was changed on main since.
    RunError
        LL-RUN-002 where a run holds the root.
    """
    opened = Branched.of(Lake(project.main), name)
    everything = graph(project)
    found = _executions(everything, opened)
    pins = _pins(opened, found)
    if not found:
        return Promoted(name, (), ())
    runs = []

    def sound() -> None:
        _refuse_changed(everything, opened, Intents(project.main), found)
        _refuse_anew(opened, Lake(project.main), found)

    main = Intents(project.main)
    left = {step: pin for step, pin in pins.items() if not _done(main, step, pin.promote, opened)}
    missing = [step for step in found if step in left or step not in pins]
    if left:
        runs.append(
            run(
                project, missing, pins=left, before=sound, listener=listener, part={"promote": name},
                allow_breaking=allow_breaking,
            )
        )  # fmt: skip
    if all(each.exit_code == 0 for each in runs):
        after = [f"{step}+" for step in found]
        # Main was free in between: another promote may have brought code that would be taken back downstream.
        runs.append(
            run(project, after, before=sound, listener=listener, part={"promote": name}, allow_breaking=allow_breaking)
        )
    if all(each.exit_code == 0 for each in runs):
        with locked(project.main, project.settings.wait_s):
            # Noted first: killed in between, the audit tells it twice rather than never.
            noted(project.main, "promote", run=runs[0].run_id, detail=f"{name}: {', '.join(found)}")
            promoted(project.main, opened.branch, datetime.now(UTC))
    return Promoted(name, tuple(found), tuple(runs))


def _executions(everything: list[Step], opened: Branched) -> dict[str, Record]:
    """Return the last executions of the branch's own, by step, in the order of the graph.

    Raises LL-BRANCH-003 where one of them is not finished, or is of other code than the project has now.
    """
    intents, found = Intents(opened.lake.root), {}
    for step in everything:
        latest = intents.latest(step.name)
        if step.kind in _NOT or latest is None or latest.intent.epoch <= opened.branch.epochs.get(step.name, 0):
            continue
        again = f"lakeloom run --branch {opened.branch.name}"
        if latest.facts is None:
            raise BranchError(
                "LL-BRANCH-003", f"{step.name} has not finished on the branch", where=step.name, fix=again
            )
        if latest.intent.code != step.code:
            raise BranchError(
                "LL-BRANCH-003", f"the code of {step.name} is another one than the branch has run", where=step.name,
                fix=again,
            )  # fmt: skip
        found[step.name] = latest
    return found


def _pins(opened: Branched, found: Mapping[str, Record]) -> dict[str, Pinned]:
    """Return what main takes over of the executions that built from scratch; the others follow by themselves."""
    base = opened.branch.base
    told = [(name, record.intent.epoch, record.intent.code, record.intent.reads) for name, record in found.items()]
    promote = digest(opened.branch.name, opened.branch.at, told)
    return {
        name: Pinned(
            opened.branch.name,
            promote,
            {table: version for table, version in record.intent.reads.items() if base.get(table) == version},
        )
        for name, record in found.items()
        if record.intent.full
    }


def _refuse_changed(everything: list[Step], opened: Branched, main: Intents, found: Mapping[str, Record]) -> None:
    """Refuse where main has run other code than the branch began with, and than the project has now (LL-BRANCH-004)."""
    branch = opened.branch
    for step in everything:
        last = main.published(step.name)
        began = branch.epochs.get(step.name, 0)
        if step.kind in _NOT or last is None or last.intent.epoch <= began or last.intent.code == step.code:
            continue
        before = next((each for each in main.newest(step.name, 1000) if each.intent.epoch == began), None)
        if before is None or before.intent.code != last.intent.code:
            raise BranchError(
                "LL-BRANCH-004",
                f"{step.name} was changed on main since the branch '{branch.name}' was made, to code that the project"
                " does not have: promoting would take that back",
                where=step.name,
                fix=f"merge that code, then lakeloom branch {branch.name} --delete and run --branch {branch.name}",
            )


def _refuse_anew(opened: Branched, main: Lake, found: Mapping[str, Record]) -> None:
    """Refuse where an input was dropped and made anew on main: its numbers mean other rows (LL-BRANCH-004)."""
    for name, record in found.items():
        for table, was in record.intent.ids.items():
            if table in opened.branch.base and identity(main, table) != was:
                raise BranchError(
                    "LL-BRANCH-004",
                    f"{table}, which {name} reads, was dropped and made anew on main since the branch was made",
                    where=name,
                    fix=f"lakeloom branch {opened.branch.name} --delete, then run --branch {opened.branch.name}",
                )


def _done(main: Intents, step: str, promote: str, opened: Branched) -> bool:
    """Return whether main has carried out the execution; ordinary ones may have come after it."""
    since = main.after(step, opened.branch.epochs.get(step, 0))
    return any(each.facts is not None and each.intent.batch.get("promote") == promote for each in since)
