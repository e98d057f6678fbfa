"""What a rule of `check` finds, and what several of them ask of a project.

A rule trusts nothing that another rule checks: what does not parse or does not exist is passed over
where it is not its own business, so that one mistake gives one finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lakeloom.core.kinds import nearest
from lakeloom.project.spec import Project
from lakeloom.tables.feed import FEED, SEQUENCE
from lakeloom.tables.history import SPAN

Schemas = Mapping[str, Iterable[str]]


@dataclass(frozen=True)
class Problem:
    """What is wrong at a path of the config."""

    path: tuple[str, ...]
    code: str
    message: str
    fix: str = ""


# Each looks at one thing.
Rule = Callable[[Project, Schemas], Iterable[Problem]]


def known_tables(project: Project) -> set[str]:
    """Return the tables that a transform, view or dataset may read, those with a faulty entry among them."""
    return (
        {f"bronze.{name}" for name in declared_in(project, "sources", project.sources)}
        | declared_in(project, "tables", project.tables)
        | {model.scores for model in project.models.values() if model.scores}
        | {name for table in project.tables.values() for name in table.beside()}
    )


def declared_in(project: Project, section: str, entries: Iterable[str]) -> set[str]:
    """Return the names of a section's entries, also of those that were left out as wrong."""
    start = f"{section}."
    return {*entries, *(name.removeprefix(start) for name in project.faulty if name.startswith(start))}


def columns_of(project: Project, table: str, schemas: Schemas) -> set[str] | None:
    """Return a table's columns by its contract, else by its last recorded schema; None where unknown."""
    spec = project.tables.get(table)
    if spec is not None and spec.columns and spec.evolve == "none":
        more = (*(SPAN if spec.write.mode == "scd2" else ()), *((SEQUENCE,) if spec.changes else ()))
        return {*spec.columns, *more, "_position", "_file", "_source", "_ingested_at", "_run"}
    columns = set(schemas.get(table, ()))
    # Of a source whose first files could not be loaded nothing is known yet but bronze's own marks.
    return columns if any(not name.startswith("_") for name in columns) else None


def columns_read(project: Project, reader: str, table: str, schemas: Schemas) -> set[str] | None:
    """Return the columns that a table meets in one of its inputs: what is read as changes has more than it stores."""
    columns = columns_of(project, table, schemas)
    told = FEED if project.tables[reader].from_[table] == "changes" else ()
    return None if columns is None else columns.union(told)


def hint(word: str, words: Iterable[str]) -> str:
    """Return the fix that names the word most like `word`; nothing where none is."""
    near = nearest(word, sorted(words))
    return f"use '{near}'" if near else ""


def of_error(path: tuple[str, ...], error: Any, config: Any) -> Problem:
    """Return what pydantic finds wrong with an entry of a kind whose keys are those of `config`."""
    where = (*path, *(str(part) for part in error["loc"]))
    if error["type"] == "extra_forbidden":
        valid = [field.alias or name for name, field in config.model_fields.items()]
        fix = hint(where[-1], valid) or f"remove it; the keys are {', '.join(valid)}"
        return Problem(where, "LL-CONF-003", f"'{where[-1]}' is not a key here", fix)
    if error["type"] == "missing":
        return Problem(where, "LL-CONF-005", f"{where[-1]} is missing", f"add {where[-1]}:")
    return Problem(where, "LL-CONF-004", f"{where[-1]}: {error['msg'].removeprefix('Value error, ')}", "")
