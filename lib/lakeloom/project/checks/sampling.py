"""What a source may say of how it is sampled: ``sample: [columns]``, ``rows`` or ``whole``."""

from __future__ import annotations

from collections.abc import Iterator

from lakeloom.project.checks.problem import Problem, Schemas, hint
from lakeloom.project.spec import Project

WORDS = ("rows", "whole")


def samples_are_sound(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A source's ``sample`` says rows, whole, or names columns that it has."""
    for name, source in project.sources.items():
        path, wanted = ("sources", name, "sample"), source.sample
        if wanted is None or wanted in WORDS:
            continue
        if not isinstance(wanted, list) or not wanted or not all(isinstance(each, str) for each in wanted):
            text = f"sample: '{wanted}' is neither rows, whole nor a list of columns"
            yield Problem(path, "LL-CONF-004", text, "write sample: [a column], sample: rows or sample: whole")
            continue
        known = list(schemas.get(f"bronze.{name}", ()))
        for column in wanted if known else ():
            if column not in known:
                fix = hint(column, known) or "name one of its columns"
                yield Problem(path, "LL-TABLE-003", f"column '{column}' is not in bronze.{name}", fix)
