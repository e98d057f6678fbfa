"""What can be told of cleansing verbs before anything runs: the columns that each needs, and leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lakeloom.cleansing.base import has
from lakeloom.cleansing.spec import VerbSpec
from lakeloom.core.errors import LakeloomError
from lakeloom.core.kinds import nearest
from lakeloom.project.checks.problem import Problem, Schemas, columns_read
from lakeloom.project.spec import Project
from lakeloom.tables.sql import outputs


@dataclass(frozen=True)
class Gap:
    """A column that a verb needs and that is not there: the verb's number, its argument, what is there."""

    number: int
    argument: str
    column: str
    there: tuple[str, ...]


def gaps(verbs: Sequence[VerbSpec], start: Sequence[str]) -> Iterator[Gap]:
    """Yield the columns that verbs need and that are not among `start`, nor made by a verb before; each once."""
    columns = list(start)
    for number, spec in enumerate(verbs):
        verb = spec.made()
        for argument, column in verb.reads():
            if not has(columns, column):
                yield Gap(number, argument, column, tuple(columns))
                columns.append(column)
        after = verb.columns(columns)
        if after is None:
            return
        columns = after


def made(project: Project, table: str) -> list[str] | None:
    """Return the columns that a table's SQL and verbs make, None where they can't be told without running it."""
    spec = project.tables[table]
    columns: list[str] | None = _start(project, table, {})
    for verb in spec.clean:
        columns = None if columns is None else verb.made().columns(columns)
    return columns


def _start(project: Project, table: str, schemas: Schemas) -> list[str] | None:
    """Return the columns that the first verb meets, None where they are not known."""
    spec = project.tables[table]
    if spec.passes:
        known = columns_read(project, table, next(iter(spec.from_)), schemas)
        return None if known is None else sorted(known)
    sql = project.sql.get(table)
    try:
        names = outputs(sql) if sql else ["*"]
    except LakeloomError:  # SQL that does not parse is another rule's finding
        return None
    return None if "*" in names else names


def verbs_fit(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Each verb's columns are there when its turn comes."""
    for name, table in project.tables.items():
        start = _start(project, name, schemas) if table.clean else None
        for gap in gaps(table.clean, start) if start is not None else ():
            shown = ", ".join(sorted(column for column in gap.there if not column.startswith("_"))[:6])
            near = nearest(gap.column, list(gap.there))
            yield Problem(
                ("tables", name, "clean", str(gap.number), table.clean[gap.number].verb, gap.argument),
                "LL-CLEAN-002",
                f"column '{gap.column}' is not there ({shown}, …)",
                f"use '{near}'" if near else "name a column that the table has by then",
            )
