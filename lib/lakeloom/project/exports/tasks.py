"""The graph as a scheduler sees it: tasks and what each waits for; and what was asked of an export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lakeloom.core.steps import Step, StepKind
from lakeloom.project.graph import steps
from lakeloom.project.spec import Project
from lakeloom.training.spec import ModelSpec

MARK = "Written by 'lakeloom export"


@dataclass(frozen=True)
class Task:
    """One step of the graph.

    Attributes
    ----------
    needs : tuple of str
        The steps that write what this one reads, in name order.
    description : str
        Of its table, model or source, in one line; empty where there is none.
    model : bool
        Whether it trains, tunes or scores a model, and so needs what models need.
    """

    name: str
    kind: StepKind
    needs: tuple[str, ...]
    description: str
    model: bool = False


@dataclass(frozen=True)
class Asked:
    """What was asked of an export, beside the project.

    Attributes
    ----------
    up : str
        The way from the file's folder to the project's home, such as ``..``.
    manager, deploy : str
        For ``submit``: the cluster's manager, and where the driver runs.
    """

    up: str = "."
    manager: Literal["kubernetes", "yarn"] = "kubernetes"
    deploy: Literal["client", "cluster"] = "cluster"


def tasks(project: Project) -> list[Task]:
    """Return a task a step, each after those that it needs."""
    found = steps(project)
    writers = {table: step.name for step in found for table in step.writes}
    return [
        Task(
            step.name,
            step.kind,
            tuple(sorted({writers[read.table] for read in step.reads if read.table in writers})),
            _description(step),
            isinstance(step.spec, ModelSpec),
        )
        for step in found
    ]


def conf_of(project: Project) -> str:
    """Return the project's folder, relative to its home."""
    return project.folder.relative_to(project.home.resolve()).as_posix()


def head(kind: str, env: str) -> str:
    """Return what an exported file begins with: the command that wrote it."""
    again = kind + (f" --env {env}" if env not in ("local", kind) else "")
    return f"{MARK} {again}'. Change conf/ and export again; with --check it names what differs."


def _description(step: Step) -> str:
    # The steps of one model share its declaration: its words are about the model.
    told = getattr(step.spec, "description", None) if step.kind in ("land", "transform", "train", "export") else None
    return " ".join((told or "").split())
