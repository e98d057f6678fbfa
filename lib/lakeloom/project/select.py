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


def of_kinds(found: list[Step], patterns: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """Return the names of the selected steps of these kinds.

    Raises
    ------
    RunError
        LL-RUN-001 for a pattern that matches no step, and where no selected step is of these kinds.
    """
    names = [step.name for step in select(found, patterns) if step.kind in kinds]
    if not names:
        raise RunError(
            "LL-RUN-001", f"the selection has no step of the kind {' or '.join(kinds)}", fix="see 'lakeloom plan'"
        )
    return names
