"""``SELECT``: names, globs, ``+name`` (with all upstream), ``name+`` (with all downstream)."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from lakeloom.core.errors import RunError
from lakeloom.core.kinds import nearest
from lakeloom.core.steps import Step
from lakeloom.project.graph import downstream, upstream


def select(found: list[Step], patterns: Sequence[str]) -> list[Step]:
    """Return the steps that any of `patterns` selects, in the graph's order; all without patterns.

    Raises
    ------
    RunError
        LL-RUN-001 for a pattern that matches no step.
    """
    if not patterns:
        return found
    names: set[str] = set()
    for pattern in patterns:
        core = pattern.removeprefix("+").removesuffix("+")
        matched = {step.name for step in found if fnmatchcase(step.name, core)}
        if not matched:
            near = nearest(core, [step.name for step in found])
            raise RunError(
                "LL-RUN-001",
                f"'{pattern}' selects no step; the steps are {', '.join(step.name for step in found)}",
                fix=f"use '{near}'" if near else "see 'lakeloom plan'",
            )
        for name in matched:
            names |= {name}
            names |= upstream(found, name) if pattern.startswith("+") else set()
            names |= downstream(found, name) if pattern.endswith("+") else set()
    return [step for step in found if step.name in names]
