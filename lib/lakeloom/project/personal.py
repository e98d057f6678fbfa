"""Which columns' values are shown nowhere, by what the contracts say."""

from __future__ import annotations

from lakeloom.project.spec import Project
from lakeloom.quality.personal import GUARDED_TAGS


def guarded(project: Project) -> frozenset[str]:
    """Return the names of columns that any table's contract tags as personal or sensitive."""
    return frozenset(
        name
        for spec in project.tables.values()
        for name, column in spec.columns.items()
        if GUARDED_TAGS.intersection(column.tags)
    )
