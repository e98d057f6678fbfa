"""Upkeep in the graph: one step for each table that has a policy, after the step that writes it.

``upkeep.<layer>__<table>`` keeps a table and what lies beside it: its quarantine, its history, what is
kept aside. ``upkeep.meta`` keeps the platform's own tables.
"""

from __future__ import annotations

from collections.abc import Iterable

from lakeloom.core.steps import Input, Step, digest
from lakeloom.project.spec import Project
from lakeloom.tables.upkeep import UpkeepSpec

META = "upkeep.meta"
_KINDS = ("land", "transform", "materialise")


def upkeep_of(project: Project, writers: Iterable[Step], *, everything: bool = False) -> list[Step]:
    """Return the steps of upkeep for the tables that the steps write.

    Parameters
    ----------
    everything : bool
        Also for tables without a policy, by the default one, which deletes nothing.
    """
    found = []
    for step in writers:
        spec = policy(project, step) or (UpkeepSpec() if everything else None)
        if step.kind in _KINDS and spec is not None:
            name = name_of(step.writes[0])
            reads = tuple(Input(table, "look") for table in step.writes)
            found.append(Step(name, "upkeep", reads, (name,), spec, digest(spec.model_dump(mode="json"))))
    base = project.settings.upkeep
    if everything or (base is not None and base.enabled):
        spec = base or UpkeepSpec()
        found.append(Step(META, "upkeep", (), (META,), spec, digest(spec.model_dump(mode="json"))))
    return found


def name_of(table: str) -> str:
    """Return the name of the step that keeps a table."""
    return f"upkeep.{table.replace('.', '__', 1)}"


def policy(project: Project, step: Step) -> UpkeepSpec | None:
    """Return the policy of the table that a step writes: its own words over the project's; None where it has none."""
    own, base = getattr(step.spec, "upkeep", None), project.settings.upkeep
    if isinstance(own, UpkeepSpec):
        return own.over(base) if own.enabled else None
    return base if base is not None and base.enabled else None
